/** The syntax tree of a script as V8 runs it: an ES module, a CommonJS module, or a classic script. */

import { createRequire } from 'node:module';
import type { AnyNode, Options, Program } from 'acorn';

type Acorn = typeof import('acorn');

let acorn: Acorn | undefined;

/** Loaded when it is first needed: that takes 3 ms of the start of a child, which seldom describes a function. */
function loadAcorn(): Acorn {
  acorn ??= createRequire(import.meta.url)('acorn') as Acorn;
  return acorn;
}

/** @throws {SyntaxError} when the text is none of the three: V8 knows a syntax that the parser does not. */
export function parseScript(source: string): Program {
  const options = { ecmaVersion: 'latest', allowHashBang: true } as const;
  const attempts: Options[] = [
    // Most text of CommonJS is good text of a module as well, and means the same for our purpose.
    { ...options, sourceType: 'module', allowReturnOutsideFunction: true },
    { ...options, sourceType: 'commonjs' },
    { ...options, sourceType: 'script', allowAwaitOutsideFunction: true },
  ];
  let first: unknown;
  for (const attempt of attempts) {
    try {
      return loadAcorn().parse(source, attempt);
    } catch (error) {
      // The next kind of script is tried; the complaint of the first is the most telling one.
      first ??= error;
    }
  }
  throw first;
}

/** The nodes directly below `node`, in the order of the text. */
export function childrenOf(node: AnyNode): AnyNode[] {
  const children: AnyNode[] = [];
  for (const value of Object.values(node) as unknown[]) {
    if (Array.isArray(value)) children.push(...value.filter(isNode));
    else if (isNode(value)) children.push(value);
  }
  return children;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as AnyNode).type === 'string';
}

/** What has a start and an end in the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function isInside(inner: Span, outer: Span): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

const trivia = String.raw`(?:\s|/\*[^]*?\*/|//[^\n\r\u2028\u2029]*)*`;
const patterns: Readonly<Record<'trivia' | 'functionHead', RegExp>> = {
  trivia: new RegExp(trivia, 'y'),
  functionHead: new RegExp(`(?:async${trivia})?function${trivia}(?:\\*${trivia})?`, 'y'),
};

/** Where the text goes on at `start`, behind blanks and comments, or behind the head of an anonymous function. */
export function skip(what: keyof typeof patterns, source: string, start: number): number {
  const pattern = patterns[what];
  pattern.lastIndex = start;
  return pattern.test(source) ? pattern.lastIndex : start;
}
