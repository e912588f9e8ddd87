/**
 * A module of src as generators: types are stripped, each function becomes a generator, each call of one `yield*`, and each
 * `Atomics.x()` yields first.
 */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { type Node, type Program, parse } from 'acorn';
import { root } from '../support/program.ts';

/** Called as they are. Whatever else is called is a generator. */
const PLAIN = new Set(['memory', 'agent', 'isAlive', 'slotOf', 'ring', 'allocate', 'nowMs', 'clearInterval']).add(
  'queueMicrotask',
);
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
])
  .add('min')
  .add('now')
  .add('setRef');
/** Decided by the test, or made shorter. */
const REPLACED = new Map([
  ['SPINS', '1'],
  ['SLAB_WORDS', '64'],
  ['nowMs', 'stubs.nowMs'],
  ['isDue', 'stubs.isDue'],
]);

type AnyNode = Node & Record<string, unknown>;

/** One module as the body of a generator that returns what it declares. */
export class Source {
  readonly text: string;
  readonly #source: string;
  readonly #names: string[] = [];

  constructor(path: string, only: readonly string[] | undefined) {
    this.#source = stripTypeScriptTypes(readFileSync(join(root, 'src', `${path}.ts`), 'utf8'));
    const { body } = parse(this.#source, { ecmaVersion: 'latest', sourceType: 'module' }) as Program;
    const statements = body.map((node) => this.#statement(node as unknown as AnyNode, only));
    this.text = `${statements.join('\n')}\nreturn { ${this.#names.join(', ')} };`;
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
    const replaced = REPLACED.get(declared.name);
    return replaced === undefined ? this.#emit(inner) : `const ${declared.name} = ${replaced};`;
  }

  #import(node: AnyNode): string {
    const module = /([\w-]+)\.ts$/.exec((node.source as { value: string }).value)?.[1];
    const names = (node.specifiers as { imported: { name: string }; local: { name: string } }[]).map(
      ({ imported, local }) => `${imported.name}: ${local.name}`,
    );
    return `const { ${names.join(', ')} } = M[${JSON.stringify(module)}] ?? {};`;
  }

  #emit(node: AnyNode): string {
    if (node.type === 'ArrowFunctionExpression') {
      const parameters = (node.params as AnyNode[]).map((one) => this.#emit(one)).join(', ');
      const body = this.#emit(node.body as AnyNode);
      return `(function* (${parameters}) ${node.expression === true ? `{ return ${body}; }` : body})`;
    }
    if (node.type === 'CallExpression') return this.#call(node);
    const text = this.#withChildren(node);
    return node.type === 'FunctionDeclaration' ? text.replace(/^function/, 'function*') : text;
  }

  #call(node: AnyNode): string {
    const callee = node.callee as AnyNode;
    const object = (callee.object as AnyNode | undefined)?.name;
    const method = (callee.property as { name: string } | undefined)?.name ?? '';
    if (object === 'Atomics') return `(yield, ${this.#withChildren(node)})`.replace('(yield,', '((yield),');
    // Its callback belongs to the language, and touches nothing.
    if (object === 'Array') return this.#source.slice(node.start, node.end);
    const isPlain = callee.type === 'Identifier' ? PLAIN.has(callee.name as string) : PLAIN_METHODS.has(method);
    if (isPlain) return method === 'map' ? this.#source.slice(node.start, node.end) : this.#withChildren(node);
    if (node.optional !== true) return `(yield* ${this.#withChildren(node)})`;
    const argumentsText = (node.arguments as AnyNode[]).map((one) => this.#emit(one)).join(', ');
    return `(yield* ((${this.#emit(callee)}) ?? (function* () {}))(${argumentsText}))`;
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
