/** What stands in a shareable list, as bytes that lose nothing. */

import { ValidationError } from '../errors.ts';

/** What a list holds. Bigints have 64 bits; numbers are floats of 64 bits, as everywhere in JavaScript. */
export type ListItem = bigint | number | boolean | string | Uint8Array | null;

const types = { null: 0, false: 1, true: 2, number: 3, bigint: 4, latin1: 5, utf16: 6, bytes: 7 } as const;
export type ItemType = (typeof types)[keyof typeof types];

export interface PackedItem {
  readonly type: ItemType;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const BYTES_MAX = 2 ** 32 - 1;

/** @param what - the item as messages name it. @throws {ValidationError} `ERR_VALIDATION` for what a list cannot hold. */
export function packItem(item: unknown, what: string): PackedItem {
  switch (typeof item) {
    case 'boolean':
      return { type: item ? types.true : types.false, bytes: NOTHING };
    case 'number':
      return { type: types.number, bytes: new Uint8Array(new Float64Array([item]).buffer) };
    case 'string':
      return packString(item);
    case 'bigint':
      if (BigInt.asIntN(64, item) !== item) {
        throw new ValidationError(`${what} is ${item}n: a list holds bigints from -(2n ** 63n) to 2n ** 63n - 1n.`);
      }
      return { type: types.bigint, bytes: new Uint8Array(new BigInt64Array([item]).buffer) };
  }
  if (item === null) return { type: types.null, bytes: NOTHING };
  if (item instanceof Uint8Array && item.byteLength <= BYTES_MAX) {
    return { type: types.bytes, bytes: new Uint8Array(item.buffer, item.byteOffset, item.byteLength) };
  }
  throw new ValidationError(
    `${what} is ${describe(item)}: a list holds numbers, bigints, booleans, strings, Uint8Arrays and null.`,
  );
}

/** @param bytes - a copy that is the item's own. */
export function unpackItem(type: ItemType, bytes: Uint8Array): ListItem {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (type) {
    case types.null:
      return null;
    case types.false:
      return false;
    case types.true:
      return true;
    case types.number:
      return new DataView(buffer, byteOffset).getFloat64(0, true);
    case types.bigint:
      return new DataView(buffer, byteOffset).getBigInt64(0, true);
    case types.latin1:
      return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
    case types.utf16:
      return Buffer.from(buffer, byteOffset, byteLength).toString('utf16le');
    case types.bytes:
      return bytes;
  }
}

/** Whether they are the same: `===`, and the same bytes. */
export function isSameItem(a: ListItem, b: ListItem): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}

/** UTF-16 as it stands, halves of pairs included; in one byte each where that is enough. */
function packString(text: string): PackedItem {
  return /^[\0-\xff]*$/.test(text)
    ? { type: types.latin1, bytes: Buffer.from(text, 'latin1') }
    : { type: types.utf16, bytes: Buffer.from(text, 'utf16le') };
}

function describe(value: unknown): string {
  if (typeof value === 'function') return `the function "${value.name}"`;
  return typeof value === 'object' ? Object.prototype.toString.call(value) : String(value);
}
