/** Errors; `error-write.ts` has the format. No constructor of a user's class runs: the class is put on afterwards. */

import { errorPrototype } from './error-base.ts';
import { TRUE } from './tags.ts';
import { type Decoder, defineOwn } from './value-decoder.ts';

export function readError(decoder: Decoder): Error {
  const number = decoder.reserve();
  const base = decoder.source.string();
  const name = decoder.read();
  const message = decoder.read();
  const code = decoder.read();
  const error = base === 'DOMException' ? new DOMException(text(message), text(name)) : new Error();
  decoder.settle(number, error);
  Object.setPrototypeOf(error, prototypeFor(decoder, base));
  readStack(error, decoder.read());
  readOwnProperties(decoder, error);
  keepVisible(error, { name, message, code });
  return error;
}

function prototypeFor(decoder: Decoder, base: string): object {
  const reference = decoder.read();
  const fallback = errorPrototype(base);
  if (reference === undefined) return fallback;
  try {
    const prototype: unknown = decoder.hooks?.decodeErrorClass?.(reference)?.prototype;
    return prototype instanceof Error || prototype instanceof DOMException ? prototype : fallback;
  } catch {
    // The class cannot be had here, say because its module throws; the error itself must arrive all the same.
    return fallback;
  }
}

function readStack(error: Error, stack: unknown): void {
  if (typeof stack === 'string') defineOwn(error, 'stack', stack, false);
  else Reflect.deleteProperty(error, 'stack');
}

function readOwnProperties(decoder: Decoder, error: Error): void {
  const count = decoder.source.count(3);
  for (let i = 0; i < count; i++) {
    const key = decoder.source.string();
    const isEnumerable = decoder.source.byte() === TRUE;
    defineOwn(error, key, decoder.read(), isEnumerable);
  }
}

/** What the class said at the other end is still said when the class here says something else. */
function keepVisible(error: Error, said: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(said)) {
    if (value !== undefined && inherited(error, key) !== value) defineOwn(error, key, value, false);
  }
}

function inherited(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key];
  } catch {
    // A getter of the class that throws says nothing.
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
