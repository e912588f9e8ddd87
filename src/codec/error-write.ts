/**
 * Errors. An error must arrive whatever it carries, so what cannot travel is replaced by a line about it.
 *
 * Behind the tag: the name of the nearest class that both ends know; `name`, `message` and `code`, each `undefined`
 * when it is an own property; the reference to the class itself, or `undefined`; the stack's text, or `undefined`;
 * a varint count; for each own property its key, whether it is enumerable, and its value.
 */

import { errorBaseOf } from './error-base.ts';
import { ERROR, FALSE, TRUE } from './tags.ts';
import type { Encoder } from './value-encoder.ts';
import { summary } from './value-path.ts';

export function writeError(encoder: Encoder, value: object): void {
  const { sink, hooks } = encoder;
  const error = value as Error & Record<string, unknown>;
  const base = errorBaseOf(error);
  sink.byte(ERROR);
  sink.string(base.name);
  for (const key of ['name', 'message', 'code']) encoder.write(inheritedText(error, key), key);
  const { derived } = base;
  const hasReference =
    derived !== undefined &&
    // Also when the hook throws: then the error arrives as its base.
    encoder.attempt(() => encoder.write(hooks?.encodeErrorClass?.(derived), 'constructor'));
  if (!hasReference) encoder.write(undefined, 'constructor');
  const stack = stackText(error);
  encoder.write(stack, 'stack');
  writeOwnProperties(encoder, error, stack !== undefined);
}

function writeOwnProperties(encoder: Encoder, error: Record<string, unknown>, hasStack: boolean): void {
  const { sink } = encoder;
  const keys = Object.getOwnPropertyNames(error).filter((key) => key !== 'stack' || !hasStack);
  sink.varint(keys.length);
  for (const key of keys) {
    sink.string(key);
    sink.byte(Object.prototype.propertyIsEnumerable.call(error, key) ? TRUE : FALSE);
    if (!encoder.attempt(() => encoder.write(error[key], key))) encoder.write(replacement(error, key), key);
  }
}

function replacement(error: Record<string, unknown>, key: string): string {
  try {
    return `[cannot travel: ${summary(error[key])}]`;
  } catch (reason) {
    return `[cannot travel: its getter threw ${summary(reason)}]`;
  }
}

/** What `key` says when it comes from the class: the class may be missing at the other end. */
function inheritedText(error: Record<string, unknown>, key: string): string | number | undefined {
  if (Object.hasOwn(error, key)) return undefined;
  try {
    const value = error[key];
    return typeof value === 'string' || typeof value === 'number' ? value : undefined;
  } catch {
    // A getter of the class that throws: the rest of the error matters more.
    return undefined;
  }
}

/** The stack as text; anything else that a program put there travels as a property. */
function stackText(error: Record<string, unknown>): string | undefined {
  try {
    return typeof error.stack === 'string' ? error.stack : undefined;
  } catch {
    // The user's own Error.prepareStackTrace threw: the rest of the error matters more.
    return undefined;
  }
}
