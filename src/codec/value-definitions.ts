/** The key lists that messages brought lately: the same bytes need not be made into strings again. */

import { damaged } from './value-damage.ts';
import { ByteSource } from './value-source.ts';

const SLOTS = 256;
/** Longer ones are not remembered: they would stay in memory for good. */
const REMEMBERED_BYTES = 1024;

export interface Definition {
  readonly keys: readonly string[];
  /** Whether plain assignment would miss: one of the keys is `__proto__`. */
  readonly hasProto: boolean;
}

interface Entry extends Definition {
  readonly bytes: Uint8Array;
}

const table: (Entry | undefined)[] = new Array<Entry | undefined>(SLOTS).fill(undefined);

/** Reads a shape: varint bytes, then varint count and the keys. */
export function readDefinition(source: ByteSource): Definition {
  const length = source.varint();
  const start = source.skip(length);
  if (length > REMEMBERED_BYTES) return parse(source.bytes.subarray(start, start + length));
  const slot = hash(source.bytes, start, length) & (SLOTS - 1);
  let entry = table[slot];
  if (entry === undefined || !sameBytes(entry.bytes, source.bytes, start, length)) {
    entry = parse(source.bytes.slice(start, start + length));
    table[slot] = entry;
  }
  return entry;
}

function parse(bytes: Uint8Array): Entry {
  const source = new ByteSource(bytes);
  const count = source.count();
  const keys: string[] = [];
  for (let i = 0; i < count; i++) keys.push(source.string());
  if (source.position !== source.end) throw damaged('a list of keys has the wrong length');
  return { bytes, keys, hasProto: keys.includes('__proto__') };
}

/** FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(bytes: Uint8Array, start: number, length: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < start + length; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return value ^ (value >>> 15);
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
