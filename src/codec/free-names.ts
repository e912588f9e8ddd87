/**
 * What a function needs of the code around it: the names that it leaves free, and how it can be had again elsewhere.
 *
 * The text of a direct `eval` in a function is not known: there it sees what the function names outside of it.
 */

import { collectPaths, type FunctionPaths } from './function-path.ts';
import { expressionText, locationOf, textSpan } from './function-text.ts';
import { analyseNames, type FunctionEntry, resolve, type ScriptNames } from './scope-analysis.ts';
import { isInside, parseScript, type Span } from './syntax-tree.ts';

/** `captured`: a local of the code around. `module`: declared or imported at top level. `global`: not by this script. */
export type Declared = 'captured' | 'module' | 'global';

export interface FreeName {
  readonly name: string;
  readonly where: Declared;
  /** Whether it is read as soon as the text is evaluated, as a class's base is, and not only by calls. */
  readonly isReadAtOnce: boolean;
}

export interface FunctionShape {
  readonly free: readonly FreeName[];
  /** Of a class: the name that its `extends` gives, when it is just a name. */
  readonly baseName: string | undefined;
  /** Names that lead from the top level to the function, in whose place nothing else was written. */
  readonly path: readonly string[] | undefined;
  readonly isDefaultExport: boolean;
  /** What `Function.prototype.toString` gives. */
  readonly source: string;
  /** Evaluates to the function, except for its `name`. Where `lexical` names something, it may not even parse. */
  readonly expression: string;
  /** How many characters stand before the function's own text in `expression`. */
  readonly expressionOffset: number;
  /** Where the text begins, counted from 0. */
  readonly line: number;
  readonly column: number;
  /** What it uses of the code around it that has no name to pass it under: `this`, `super`, `#private`, … */
  readonly lexical: readonly string[];
}

/** A script that was parsed. The shapes of its functions are worked out when asked for. */
export class ModuleShape {
  readonly #source: string;
  readonly #names: ScriptNames;
  readonly #paths: FunctionPaths;
  readonly #lineStarts: readonly number[];
  readonly #entries: ReadonlyMap<number, FunctionEntry>;
  readonly #shapes = new Map<number, FunctionShape>();

  /** @throws {SyntaxError} when the parser does not know a syntax that V8 knows. */
  constructor(source: string) {
    const program = parseScript(source);
    this.#source = source;
    this.#names = analyseNames(program);
    this.#paths = collectPaths(program);
    this.#lineStarts = [
      0,
      ...Array.from(source.matchAll(/\r\n|[\n\r\u2028\u2029]/g), (end) => end.index + end[0].length),
    ];
    // The function of a constructor is known as its class.
    const entries = this.#names.functions.filter(({ member }) => member?.kind !== 'constructor');
    this.#entries = new Map(entries.map((entry) => [locationOf(entry, source), entry]));
  }

  /** The function that V8 locates there, counted from 0. */
  functionAt(line: number, column: number): FunctionShape | undefined {
    const location = (this.#lineStarts[line] ?? Number.NaN) + column;
    const entry = this.#entries.get(location);
    if (entry === undefined) return undefined;
    let shape = this.#shapes.get(location);
    if (shape === undefined) {
      shape = this.#shapeOf(entry);
      this.#shapes.set(location, shape);
    }
    return shape;
  }

  #shapeOf(entry: FunctionEntry): FunctionShape {
    const { start, end } = textSpan(entry, this.#source);
    const { expression, offset } = expressionText(entry, this.#source, this.#names.importMetas);
    const line = this.#lineStarts.findLastIndex((lineStart) => lineStart <= start);
    const free = this.#freeNames(entry);
    const node = entry.node as Parameters<FunctionPaths['paths']['get']>[0];
    return {
      free: free.filter((used) => !isOuterArguments(used)),
      baseName:
        'superClass' in entry.node && entry.node.superClass?.type === 'Identifier'
          ? entry.node.superClass.name
          : undefined,
      path: this.#paths.paths.get(node),
      isDefaultExport: this.#paths.defaultExport === node,
      source: this.#source.slice(start, end),
      expression,
      expressionOffset: offset,
      line,
      column: start - this.#lineStarts[line]!,
      lexical: [
        ...new Set([...this.#contextNames(entry.node), ...free.filter(isOuterArguments).map(({ name }) => name)]),
      ],
    };
  }

  #freeNames({ node }: FunctionEntry): FreeName[] {
    // Evaluated as an expression, a declaration still has its own name.
    const ownName = node.type.endsWith('Declaration') ? node.id?.name : undefined;
    const later = deferredSpans(node);
    const free = new Map<string, FreeName>();
    for (const use of this.#names.uses) {
      if (!isInside(use, node) || use.name === ownName) continue;
      const scope = resolve(use);
      if (scope !== undefined && isInside(scope.span, node)) continue;
      const where = scope === undefined ? 'global' : scope === this.#names.top ? 'module' : 'captured';
      const isReadAtOnce = !later.some((span) => isInside(use, span)) || free.get(use.name)?.isReadAtOnce === true;
      free.set(use.name, { name: use.name, where, isReadAtOnce });
    }
    return [...free.values()];
  }

  #contextNames(node: Span): string[] {
    return this.#names.contextUses
      .filter(
        ({ start, end, owner }) => isInside({ start, end }, node) && owner !== undefined && !isInside(owner, node),
      )
      .map(({ what }) => what);
  }
}

/** They cannot be passed under their name: strict code may not declare it. */
function isOuterArguments({ name, where }: FreeName): boolean {
  return name === 'arguments' && where === 'captured';
}

/** The parts of a function's text that only run later; of a class: methods and the fields of its instances. */
function deferredSpans(node: FunctionEntry['node']): Span[] {
  if (!('superClass' in node)) return [node];
  return node.body.body.flatMap((part) => {
    if (part.type === 'StaticBlock' || !part.value) return [];
    return part.type === 'MethodDefinition' || !part.static ? [part.value] : [];
  });
}
