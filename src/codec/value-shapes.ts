/**
 * The key lists of small objects, so that a message writes each list once, and the next message copies its bytes.
 * A direct-mapped table, with nothing to clear between messages: an entry says in which encoding it got its number.
 */

import type { ByteSink } from './value-sink.ts';

const SLOTS = 256;
/** Objects with more keys are dictionaries as a rule: no two alike. */
export const SHAPE_KEYS_MAX = 48;
/** Longer ones are not remembered: they would stay in memory for good. */
const DEFINITION_MAX_BYTES = 1024;

interface Shape {
  readonly keys: readonly string[];
  /** Count and keys, as they stand in a message. */
  readonly definition: Uint8Array;
  encoding: number;
  index: number;
}

const table: (Shape | undefined)[] = new Array<Shape | undefined>(SLOTS).fill(undefined);
let encodings = 0;

/** What one encoding knows of shapes. */
export class Shapes {
  readonly #encoding = ++encodings;
  count = 0;

  /** The shape with exactly `keys`; its `index` counts only when `isKnown`. `sink` lends room for the work. */
  find(keys: readonly string[], sink: ByteSink): Shape {
    const slot = slotOf(keys);
    let shape = table[slot];
    if (shape === undefined || !sameKeys(shape.keys, keys)) {
      shape = { keys, definition: define(keys, sink), encoding: 0, index: 0 };
      if (shape.definition.length <= DEFINITION_MAX_BYTES) table[slot] = shape;
    }
    return shape;
  }

  isKnown(shape: Shape): boolean {
    return shape.encoding === this.#encoding;
  }

  add(shape: Shape): void {
    shape.encoding = this.#encoding;
    shape.index = this.count++;
  }

  /** Forgets every shape from number `count` on. */
  truncate(count: number): void {
    for (const shape of table) if (shape?.encoding === this.#encoding && shape.index >= count) shape.encoding = 0;
    this.count = count;
  }
}

function slotOf(keys: readonly string[]): number {
  const { length } = keys;
  if (length === 0) return 0;
  const first = keys[0]!;
  const last = keys[length - 1]!;
  const middle = keys[length >> 1]!;
  let hash = length * 31 + first.length;
  hash = hash * 31 + (first.length > 0 ? first.charCodeAt(0) : 0);
  hash = hash * 31 + last.length;
  hash = hash * 31 + (last.length > 0 ? last.charCodeAt(last.length - 1) : 0);
  hash = hash * 31 + middle.length;
  return (hash ^ (hash >>> 8)) & (SLOTS - 1);
}

function sameKeys(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

function define(keys: readonly string[], sink: ByteSink): Uint8Array {
  const start = sink.position;
  sink.varint(keys.length);
  for (const key of keys) sink.string(key);
  const definition = new Uint8Array(sink.bytes.subarray(start, sink.position));
  sink.position = start;
  return definition;
}
