/**
 * What the names in a script refer to.
 *
 * One walk notes the scopes with the names that they declare, and the uses of names with the scope that each stands in.
 * A use is resolved only when asked for, when all declarations are known: hoisting needs no pass of its own.
 */

import type {
  AnyNode,
  AssignmentProperty,
  Class,
  Function as FunctionNode,
  MethodDefinition,
  Program,
  Property,
  PropertyDefinition,
} from 'acorn';
import { childrenOf, type Span } from './syntax-tree.ts';

export interface Scope {
  readonly span: Span;
  readonly outer: Scope | undefined;
  readonly names: Set<string>;
  /** Whether `var` declares here. */
  readonly holdsVars: boolean;
}

export interface NameUse extends Span {
  readonly name: string;
  readonly scope: Scope;
}

/** A use of something that no name can be given for. `owner` gives it its meaning; without one, the module does. */
export interface ContextUse extends Span {
  readonly what: string;
  readonly owner: Span | undefined;
}

/** What a function is part of, when that matters for its text. */
export interface FunctionEntry {
  readonly node: FunctionNode | Class;
  readonly member: MethodDefinition | Property | undefined;
}

export interface ScriptNames {
  readonly top: Scope;
  readonly uses: readonly NameUse[];
  readonly contextUses: readonly ContextUse[];
  readonly importMetas: readonly Span[];
  readonly functions: readonly FunctionEntry[];
}

/** Where the walk is. */
interface Surroundings {
  readonly scope: Scope;
  readonly thisOwner: Span | undefined;
  readonly superOwner: Span | undefined;
  readonly privates: PrivateNames | undefined;
}

interface PrivateNames {
  readonly span: Span;
  readonly names: ReadonlySet<string>;
  readonly outer: PrivateNames | undefined;
}

export function analyseNames(program: Program): ScriptNames {
  return new Walk(program).names;
}

class Walk {
  readonly #uses: NameUse[] = [];
  readonly #contextUses: ContextUse[] = [];
  readonly #importMetas: Span[] = [];
  readonly #functions: FunctionEntry[] = [];
  /** Functions in blocks are visible around the block too, except in strict code. */
  readonly #mayBeSloppy: boolean;
  readonly names: ScriptNames;

  constructor(program: Program) {
    this.#mayBeSloppy = !program.body.some(({ type }) => /^(Import|Export)/.test(type));
    const top = newScope(program, undefined, true);
    this.names = {
      top,
      uses: this.#uses,
      contextUses: this.#contextUses,
      importMetas: this.#importMetas,
      functions: this.#functions,
    };
    this.#visitAll(program.body, { scope: top, thisOwner: undefined, superOwner: undefined, privates: undefined });
  }

  #visitAll(nodes: readonly (AnyNode | null | undefined)[], around: Surroundings): void {
    for (const node of nodes) if (node) this.#visit(node, around);
  }

  #visit(node: AnyNode, around: Surroundings): void {
    switch (node.type) {
      case 'Identifier':
        this.#uses.push({ name: node.name, start: node.start, end: node.end, scope: around.scope });
        return;
      case 'ThisExpression':
        this.#useContext(node, 'this', around.thisOwner);
        return;
      case 'Super':
        this.#useContext(node, 'super', around.superOwner);
        return;
      case 'PrivateIdentifier':
        this.#useContext(node, `#${node.name}`, privateOwner(node.name, around.privates));
        return;
      case 'MetaProperty':
        if (node.meta.name === 'import') this.#importMetas.push(node);
        else this.#useContext(node, 'new.target', around.thisOwner);
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#visitFunction(node, undefined, around);
        return;
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.#visitClass(node, around);
        return;
      case 'VariableDeclaration': {
        const scope = node.kind === 'var' ? varScope(around.scope) : around.scope;
        for (const { id, init } of node.declarations) {
          this.#visitBinding(id, scope, around);
          if (init) this.#visit(init, around);
        }
        return;
      }
      case 'BlockStatement':
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'SwitchStatement':
        this.#visitAll(childrenOf(node), { ...around, scope: newScope(node, around.scope, false) });
        return;
      case 'CatchClause': {
        const scope = newScope(node, around.scope, false);
        if (node.param) this.#visitBinding(node.param, scope, { ...around, scope });
        this.#visit(node.body, { ...around, scope });
        return;
      }
      case 'MemberExpression':
        this.#visit(node.object, around);
        if (node.computed || node.property.type === 'PrivateIdentifier') this.#visit(node.property, around);
        return;
      case 'Property':
        this.#visitProperty(node, undefined, around);
        return;
      case 'ObjectExpression':
        for (const member of node.properties) {
          if (member.type === 'Property') this.#visitProperty(member, node, around);
          else this.#visit(member, around);
        }
        return;
      case 'LabeledStatement':
        this.#visit(node.body, around);
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'ExportAllDeclaration':
        return;
      case 'ImportDeclaration':
        for (const { local } of node.specifiers) around.scope.names.add(local.name);
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration) this.#visit(node.declaration, around);
        return;
      default:
        this.#visitAll(childrenOf(node), around);
    }
  }

  #useContext({ start, end }: Span, what: string, owner: Span | undefined): void {
    this.#contextUses.push({ what, start, end, owner });
  }

  #visitFunction(node: FunctionNode, member: FunctionEntry['member'], around: Surroundings): void {
    this.#functions.push({ node, member });
    if (node.type === 'FunctionDeclaration' && node.id) {
      around.scope.names.add(node.id.name);
      if (this.#mayBeSloppy) varScope(around.scope).names.add(node.id.name);
    }
    const parameters = newScope(node, around.scope, false);
    let inside: Surroundings = { ...around, scope: parameters };
    if (node.type !== 'ArrowFunctionExpression') {
      parameters.names.add('arguments');
      if (node.type === 'FunctionExpression' && node.id) parameters.names.add(node.id.name);
      // Only a method has a `super`; what a plain function in a method says of it, the parser refuses.
      inside = { ...inside, thisOwner: node };
    }
    for (const parameter of node.params) this.#visitBinding(parameter, parameters, inside);
    // Defaults of parameters do not see the variables of the body.
    if (node.body.type !== 'BlockStatement') this.#visit(node.body, inside);
    else this.#visitAll(node.body.body, { ...inside, scope: newScope(node.body, parameters, true) });
  }

  #visitClass(node: Class, around: Surroundings): void {
    this.#functions.push({ node, member: undefined });
    const scope = newScope(node, around.scope, false);
    // A declaration has its name inside too; but what is found outside is the same class, in reach of its methods.
    if (node.id) (node.type === 'ClassExpression' ? scope : around.scope).names.add(node.id.name);
    const names = node.body.body.flatMap((part) =>
      part.type !== 'StaticBlock' && part.key.type === 'PrivateIdentifier' ? [part.key.name] : [],
    );
    const privates = { span: node, names: new Set(names), outer: around.privates };
    if (node.superClass) this.#visit(node.superClass, { ...around, scope });
    for (const part of node.body.body) {
      if (part.type === 'StaticBlock') {
        const block = newScope(part, scope, true);
        this.#visitAll(part.body, { scope: block, thisOwner: part, superOwner: node, privates });
        continue;
      }
      if (part.computed) this.#visit(part.key, { ...around, scope, privates });
      const inside = { scope, thisOwner: part, superOwner: node, privates };
      if (part.type === 'MethodDefinition') this.#visitFunction(part.value, part, inside);
      else this.#visitField(part, inside);
    }
  }

  #visitField({ value }: PropertyDefinition, inside: Surroundings): void {
    if (value) this.#visit(value, inside);
  }

  #visitProperty(node: Property | AssignmentProperty, object: Span | undefined, around: Surroundings): void {
    if (node.computed) this.#visit(node.key, around);
    const { value } = node;
    const isMethod = node.method || node.kind !== 'init';
    if (isMethod && value.type === 'FunctionExpression') {
      this.#visitFunction(value, node, { ...around, superOwner: object });
    } else this.#visit(value, around);
  }

  /** Declares what `pattern` binds in `scope`, and visits its defaults and computed keys. */
  #visitBinding(pattern: AnyNode, scope: Scope, around: Surroundings): void {
    if (pattern.type === 'Identifier') scope.names.add(pattern.name);
    else if (pattern.type === 'AssignmentPattern') {
      this.#visitBinding(pattern.left, scope, around);
      this.#visit(pattern.right, around);
    } else if (pattern.type === 'Property') {
      if (pattern.computed) this.#visit(pattern.key, around);
      this.#visitBinding(pattern.value, scope, around);
    } else for (const part of childrenOf(pattern)) this.#visitBinding(part, scope, around);
  }
}

function newScope(span: Span, outer: Scope | undefined, holdsVars: boolean): Scope {
  return { span, outer, names: new Set(), holdsVars };
}

function varScope(scope: Scope): Scope {
  let at = scope;
  // Parameters hold none, so that of a `var` in a default (inside a nested function) never gets here.
  while (!at.holdsVars && at.outer !== undefined) at = at.outer;
  return at;
}

function privateOwner(name: string, privates: PrivateNames | undefined): Span | undefined {
  let at = privates;
  while (at !== undefined && !at.names.has(name)) at = at.outer;
  return at?.span;
}

/** The scope that declares the name, or `undefined` when the script does not: a global, or a parameter of CommonJS. */
export function resolve({ name, scope }: NameUse): Scope | undefined {
  let at: Scope | undefined = scope;
  while (at !== undefined && !at.names.has(name)) at = at.outer;
  return at;
}
