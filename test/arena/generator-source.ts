/**
 * A module of src as generators: types are stripped, each function and method becomes a generator, each call of one
 * `yield*`, and each `Atomics.x()` yields first. `async` functions become generators as well, and `await` nothing more than
 * the call behind it. Constructors and getters cannot be generators: what they do is one step.
 */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { type Node, type Program, parse } from 'acorn';
import { root } from '../support/program.ts';

/** Called as they are. Whatever else is called is a generator. */
const PLAIN = new Set([
  'memory',
  'agent',
  'isAlive',
  'slotOf',
  'ring',
  'allocate',
  'free',
  'nowMs',
  'clearInterval',
  'queueMicrotask',
  'deadSlots',
  'liveSlots',
  'freeSlot',
  'createPart',
  'deadlineOf',
  'cpuCount',
  'isOutOfMemory',
  'allocateWarmChunk',
  'freeWarmChunk',
  'byteOfChunk',
  'wordsAt',
  'bytesAt',
  'String',
  'Symbol',
]);
const PLAIN_METHODS = new Set([
  'get',
  'set',
  'has',
  'delete',
  'keys',
  'add',
  'clear',
  'pop',
  'push',
  'reverse',
  'map',
  'from',
  'min',
  'max',
  'ceil',
  'now',
  'setRef',
  'values',
  'stage',
  'keep',
  'settle',
  'closedError',
  'throwIfAborted',
]);
/** Decided by the test, or made shorter. */
const REPLACED = new Map([
  ['SPINS', '1'],
  ['SLAB_WORDS', '64'],
  ['nowMs', 'stubs.nowMs'],
  ['isDue', 'stubs.isDue'],
  ['waitedForAt', 'stubs.waitedForAt'],
  // A segment for each message.
  ['SMALLEST_WORDS', '12'],
  ['LARGEST_WORDS', '12'],
]);

type AnyNode = Node & Record<string, unknown>;

/** A module of src, and what of it is taken. */
export interface Module {
  readonly path: string;
  /** What it declares and is needed; default: everything. Statements that declare nothing are left out then. */
  readonly only?: readonly string[];
  /** Variables, maps and sets that `reset` makes again what they were at the start. */
  readonly state?: readonly string[];
  /** Loads of these words are no steps: they do not change while others look. Matched with the text of the index. */
  readonly constant?: RegExp;
}

/** One module as the body of a generator that returns what it declares, and `reset`. */
export class Source {
  readonly text: string;
  readonly #source: string;
  readonly #names: string[] = [];
  readonly #resets: string[] = [];
  readonly #state: readonly string[];
  readonly #constant: RegExp | undefined;
  /** Whether this is the body of a constructor or a getter. */
  #isAtOnce = false;

  constructor({ path, only, state = [], constant }: Module) {
    this.#state = state;
    this.#constant = constant;
    this.#source = stripTypeScriptTypes(readFileSync(join(root, 'src', `${path}.ts`), 'utf8'));
    const { body } = parse(this.#source, { ecmaVersion: 'latest', sourceType: 'module' }) as Program;
    const statements = body.map((node) => this.#statement(node as unknown as AnyNode, only));
    const reset = `reset: () => { ${this.#resets.join(' ')} }`;
    this.text = `${statements.join('\n')}\nreturn { ${[...this.#names, reset].join(', ')} };`;
  }

  #statement(node: AnyNode, only: readonly string[] | undefined): string {
    if (node.type === 'ImportDeclaration') return this.#import(node);
    const inner = (node.type === 'ExportNamedDeclaration' ? node.declaration : node) as AnyNode;
    const declared = (inner.id ?? (inner.declarations as AnyNode[] | undefined)?.[0]?.id) as
      | { name: string }
      | undefined;
    if (only !== undefined && !only.includes(declared?.name ?? '')) return '';
    if (declared === undefined) return this.#emit(inner);
    this.#names.push(declared.name);
    if (this.#state.includes(declared.name)) this.#resets.push(this.#reset(declared.name, inner));
    const replaced = REPLACED.get(declared.name);
    return replaced === undefined ? this.#emit(inner) : `const ${declared.name} = ${replaced};`;
  }

  #reset(name: string, { kind, declarations }: AnyNode): string {
    if (kind === 'const') return `${name}.clear();`;
    const { start, end } = (declarations as { init: AnyNode }[])[0]!.init;
    return `${name} = ${this.#source.slice(start, end)};`;
  }

  #import(node: AnyNode): string {
    const module = /([\w-]+)\.ts$/.exec((node.source as { value: string }).value)?.[1];
    const names = (node.specifiers as { imported: { name: string }; local: { name: string } }[]).map(
      ({ imported, local }) => `${imported.name}: ${local.name}`,
    );
    return `const { ${names.join(', ')} } = M[${JSON.stringify(module)}] ?? stubs;`;
  }

  #emit(node: AnyNode): string {
    if (node.type === 'ArrowFunctionExpression') return this.#arrow(node);
    if (node.type === 'CallExpression') return this.#call(node);
    if (node.type === 'MethodDefinition') return this.#method(node);
    if (node.type === 'AwaitExpression') return `(${this.#emit(node.argument as AnyNode)})`;
    const text = this.#withChildren(node);
    return node.type === 'FunctionDeclaration' ? text.replace(/^(async )?function/, 'function*') : text;
  }

  #arrow(node: AnyNode): string {
    const parameters = (node.params as AnyNode[]).map((one) => this.#emit(one)).join(', ');
    const body = this.#emit(node.body as AnyNode);
    const text = `(function* (${parameters}) ${node.expression === true ? `{ return ${body}; }` : body})`;
    return /\bthis\b/.test(body) ? `${text}.bind(this)` : text;
  }

  #method(node: AnyNode): string {
    this.#isAtOnce = node.kind === 'constructor' || node.kind === 'get';
    const text = this.#withChildren(node);
    const name = (node.key as AnyNode).start - node.start;
    const isGenerator = !this.#isAtOnce;
    this.#isAtOnce = false;
    return isGenerator ? `${text.slice(0, name)}*${text.slice(name)}` : text;
  }

  #call(node: AnyNode): string {
    const callee = node.callee as AnyNode;
    const object = (callee.object as AnyNode | undefined)?.name;
    const method = (callee.property as { name: string } | undefined)?.name ?? '';
    if (object === 'Atomics') return this.#access(node, method);
    // Its callback belongs to the language, and touches nothing.
    if (object === 'Array') return this.#source.slice(node.start, node.end);
    const isPlain = callee.type === 'Identifier' ? PLAIN.has(callee.name as string) : PLAIN_METHODS.has(method);
    if (isPlain) return method === 'map' ? this.#source.slice(node.start, node.end) : this.#withChildren(node);
    if (this.#isAtOnce) return `stubs.complete(${this.#withChildren(node)})`;
    if (node.optional !== true) return `(yield* ${this.#withChildren(node)})`;
    const argumentsText = (node.arguments as AnyNode[]).map((one) => this.#emit(one)).join(', ');
    return `(yield* ((${this.#emit(callee)}) ?? (function* () {}))(${argumentsText}))`;
  }

  #access(node: AnyNode, method: string): string {
    const text = this.#withChildren(node);
    const { start, end } = (node.arguments as AnyNode[])[1]!;
    const isConstant = method === 'load' && this.#constant?.test(this.#source.slice(start, end)) === true;
    return this.#isAtOnce || isConstant ? text : `((yield), ${text})`;
  }

  /** Its text, with that of its parts put in. */
  #withChildren(node: AnyNode): string {
    const children = Object.values(node)
      .flat()
      .filter((value): value is AnyNode => typeof (value as AnyNode | null)?.type === 'string')
      .sort((one, other) => one.start - other.start);
    let text = '';
    let at = node.start;
    for (const child of children) {
      if (child.start < at) continue; // `{ words }` has its name twice
      text += this.#source.slice(at, child.start) + this.#emit(child);
      at = child.end;
    }
    return text + this.#source.slice(at, node.end);
  }
}
