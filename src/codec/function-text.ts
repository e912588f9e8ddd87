/** The text of a function: where it is, and how to write it as an expression. */

import type { Class, Expression, MethodDefinition, PrivateIdentifier, Property } from 'acorn';
import type { FunctionEntry } from './scope-analysis.ts';
import { isInside, type Span, skip } from './syntax-tree.ts';

/**
 * Where V8 says that a function begins: at the parenthesis of its parameters; for an arrow function, at its first
 * character; for a class, at the parenthesis of its constructor, or at `class` when it has none.
 */
export function locationOf({ node, member }: FunctionEntry, source: string): number {
  if ('superClass' in node) return constructorOf(node)?.value.start ?? node.start;
  if (node.type === 'ArrowFunctionExpression' || member !== undefined) return node.start;
  return node.id ? skip('trivia', source, node.id.end) : skip('functionHead', source, node.start);
}

function constructorOf(node: Class): MethodDefinition | undefined {
  return node.body.body.find((part) => part.type === 'MethodDefinition' && part.kind === 'constructor') as
    | MethodDefinition
    | undefined;
}

/** What `Function.prototype.toString` gives. */
export function textSpan({ node, member }: FunctionEntry, source: string): Span {
  if (member === undefined) return node;
  const isStatic = member.type === 'MethodDefinition' && member.static;
  const start = isStatic ? skip('trivia', source, member.start + 'static'.length) : member.start;
  return { start, end: member.end };
}

/** An expression that evaluates to the function; its text begins `offset` characters behind the expression's start. */
export interface FunctionExpressionText {
  readonly expression: string;
  readonly offset: number;
}

/** `import.meta` is no name that `eval` could see: it is replaced by one of the same length. */
export const IMPORT_META_NAME = '__import_mt';

export function expressionText(
  entry: FunctionEntry,
  source: string,
  importMetas: readonly Span[],
): FunctionExpressionText {
  const span = textSpan(entry, source);
  const edits = importMetas
    .filter((meta) => isInside(meta, entry.node))
    .map((meta) => ({ span: meta, text: IMPORT_META_NAME }));
  const { member } = entry;
  if (member === undefined) return { expression: edited(source, span, edits), offset: 0 };
  const { key, access } = plainKey(member, source);
  if (key !== undefined) edits.unshift({ span: member.key, text: key });
  // A getter or setter becomes a method: both can be called and cannot be constructed.
  if (member.kind === 'get' || member.kind === 'set')
    edits.unshift({ span: { start: span.start, end: span.start + 3 }, text: '' });
  return { expression: `({${edited(source, span, edits)}})[${access}]`, offset: 2 };
}

/** A key that needs nothing of the surroundings, when the method's own does; and how to get at the method. */
function plainKey(member: MethodDefinition | Property, source: string): { key: string | undefined; access: string } {
  const key: Expression | PrivateIdentifier = member.key;
  if (member.computed) return { key: '0', access: '0' };
  if (key.type === 'PrivateIdentifier') return { key: `_${key.name}`, access: JSON.stringify(`_${key.name}`) };
  if (key.type === 'Identifier') return { key: undefined, access: JSON.stringify(key.name) };
  return { key: undefined, access: source.slice(key.start, key.end) };
}

interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** The text of `span` with `edits` (in order) made; no line behind an edit moves, and no column on its own line. */
function edited(source: string, span: Span, edits: readonly Edit[]): string {
  let result = '';
  let at = span.start;
  for (const { span: place, text } of edits) {
    const replaced = source.slice(place.start, place.end);
    const lineEnds = replaced.slice(0, text.length).replace(/[^\n\r\u2028\u2029]/g, '');
    const rest = replaced.slice(text.length).replace(/[^\n\r\u2028\u2029]/g, ' ');
    result += source.slice(at, place.start) + text + lineEnds + rest;
    at = place.end;
  }
  return result + source.slice(at, span.end);
}
