/** Arrays: of numbers alone, dense, with holes, with properties besides the elements. */

import { inspect } from 'node:util';
import { ARRAY, ARRAY_DOUBLE, ARRAY_INT32, ARRAY_NAMED, HOLE, SPARSE } from './tags.ts';
import type { Encoder } from './value-encoder.ts';
import { unreadable } from './value-refusal.ts';
import { RUN_IN_HEAD_BYTES, writeRun } from './value-write-memory.ts';
import { writePairs } from './value-write-object.ts';

/** From this length on, a look for numbers only pays. */
const PACKED_MIN_LENGTH = 12;
/** From this length on, listing the keys costs more than asking `inspect` for those that are no index (0.7 µs). */
const KEYS_LENGTH = 24;
/** With so many elements to come, a hole makes it worth listing those that exist. */
const SPARSE_MIN_LENGTH = 64;

export function writeArray(encoder: Encoder, array: readonly unknown[]): void {
  const { sink } = encoder;
  const names = namesOf(array);
  if (names.length === 0 && array.length >= PACKED_MIN_LENGTH && writePacked(encoder, array)) return;
  sink.byte(names.length === 0 ? ARRAY : ARRAY_NAMED);
  writeElements(encoder, array);
  if (names.length > 0) writePairs(encoder, array, names, false);
}

function writeElements(encoder: Encoder, array: readonly unknown[]): void {
  const { length } = array;
  encoder.sink.varint(length);
  for (let i = 0; i < length; i++) {
    let element: unknown;
    try {
      // Not by `encoder.get`: a place in the code that only sees arrays is several times faster.
      element = array[i];
    } catch (error) {
      throw unreadable(encoder.path(i), error);
    }
    if (element !== undefined || Object.hasOwn(array, i)) encoder.write(element, i);
    else if (length - i < SPARSE_MIN_LENGTH) encoder.sink.byte(HOLE);
    else {
      writeSparse(encoder, array, i, length);
      return;
    }
  }
}

/** The elements from `start` on, without the time and the room that the holes would take. */
function writeSparse(encoder: Encoder, array: readonly unknown[], start: number, length: number): void {
  const { sink } = encoder;
  const indexes: number[] = [];
  for (const key of Object.keys(array))
    if (isIndex(key) && Number(key) >= start && Number(key) < length) indexes.push(Number(key));
  sink.byte(SPARSE);
  sink.varint(indexes.length);
  for (const index of indexes) {
    sink.rawDouble(index);
    encoder.writeProperty(array, index, encoder.get(array, index), false);
  }
}

function writePacked(encoder: Encoder, array: readonly unknown[]): boolean {
  const kind = numberKind(array);
  if (kind === undefined) return false;
  const { sink } = encoder;
  const numbers = array as readonly number[];
  const { length } = numbers;
  sink.byte(kind === 'int32' ? ARRAY_INT32 : ARRAY_DOUBLE);
  sink.varint(length);
  const byteLength = length * (kind === 'int32' ? 4 : 8);
  if (byteLength >= RUN_IN_HEAD_BYTES) {
    const values = kind === 'int32' ? new Int32Array(length) : new Float64Array(length);
    for (let i = 0; i < length; i++) values[i] = numbers[i]!;
    writeRun(encoder, new Uint8Array(values.buffer));
    return true;
  }
  sink.varint(byteLength * 2);
  sink.reserve(byteLength);
  const { position } = sink;
  sink.position += byteLength;
  if (kind === 'int32') for (let i = 0; i < length; i++) sink.view.setInt32(position + i * 4, numbers[i]!, true);
  else for (let i = 0; i < length; i++) sink.view.setFloat64(position + i * 8, numbers[i]!, true);
  return true;
}

function numberKind(array: readonly unknown[]): 'int32' | 'double' | undefined {
  let kind: 'int32' | 'double' = 'int32';
  try {
    if (typeof array[array.length - 1] !== 'number') return undefined;
    for (let i = 0; i < array.length; i++) {
      const element = array[i];
      if (typeof element !== 'number') return undefined;
      if ((element | 0) !== element || (element === 0 && 1 / element < 0)) kind = 'double';
    }
    return kind;
  } catch {
    // A getter among the elements: it will throw again where its path is known.
    return undefined;
  }
}

/** The keys that are no index. */
function namesOf(array: readonly unknown[]): string[] {
  const { length } = array;
  if (length > KEYS_LENGTH) {
    // The only way to ask without listing a million indexes, which takes 0.15 s. Any other answer: look for oneself.
    const text = inspect(array, {
      maxArrayLength: 0,
      depth: 0,
      customInspect: false,
      showHidden: false,
      colors: false,
    });
    if (text === `[ ... ${length} more items ]`) return [];
  }
  const keys = Object.keys(array);
  let start = keys.length;
  while (start > 0 && !isIndex(keys[start - 1]!)) start--;
  return keys.slice(start);
}

function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return index !== 0xffff_ffff && String(index) === key;
}
