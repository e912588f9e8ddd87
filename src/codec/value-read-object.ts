/** The rarer forms of objects and arrays. */

import { damaged } from './value-damage.ts';
import { type Decoder, defineOwn } from './value-decoder.ts';

const TABLE_LENGTH = 30_000_000;

export function readDictionary(decoder: Decoder): object {
  const object = decoder.register<Record<string, unknown>>({});
  readPairs(decoder, object);
  return object;
}

export function readNamedArray(decoder: Decoder): unknown[] {
  const array = decoder.register<unknown[]>([]);
  decoder.readElements(array);
  readPairs(decoder, array);
  return array;
}

export function readInt32Array(decoder: Decoder): number[] {
  return readNumbers(decoder, Int32Array);
}

export function readDoubleArray(decoder: Decoder): number[] {
  return readNumbers(decoder, Float64Array);
}

function readNumbers(decoder: Decoder, Numbers: typeof Int32Array | typeof Float64Array): number[] {
  const array = decoder.register<number[]>([]);
  const length = decoder.source.varint();
  const { bytes } = decoder.readRun();
  if (bytes.byteLength !== length * Numbers.BYTES_PER_ELEMENT)
    throw damaged(`no ${length} numbers in ${bytes.byteLength} bytes`);
  // A copy, for typed arrays must be aligned and the message need not be.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const numbers = new Numbers(aligned.buffer as ArrayBuffer, aligned.byteOffset, length);
  // At once as long as it will be: five times faster than growing. Past this length it would become a hash table.
  if (length <= TABLE_LENGTH) array.length = length;
  for (let i = 0; i < length; i++) array[i] = numbers[i]!;
  return array;
}

function readPairs(decoder: Decoder, object: object): void {
  const count = decoder.source.count(2);
  for (let i = 0; i < count; i++) {
    const key = decoder.source.string();
    const value = decoder.readSlot();
    if (typeof value === 'symbol') continue;
    if (key === '__proto__' || (key === 'length' && Array.isArray(object))) defineOwn(object, key, value);
    else (object as Record<string, unknown>)[key] = value;
  }
}
