/**
 * A list of fixed length, whose items all who hold it read and replace.
 *
 *   word     who writes it             meaning
 *   LENGTH   its maker                 how many items
 *   TABLE    its maker, disposal       the chunk with one word for each item: the chunk of its record
 *
 * A record has the item's type, the length of its bytes, and the bytes. It never changes: `set` makes another one, of
 * whatever length, puts it into the table under the list's guard by a single write, and frees the old one. A reader copies
 * the bytes under the guard. So nobody sees half an item, a death leaves the old item or the new one, and loses at most
 * one record.
 */

import { allocateChunk, byteOfChunk, bytesAt, freeChunk, wordsAt } from '../arena/chunks.ts';
import { fault } from '../arena/fault.ts';
import { kinds, OWN } from '../arena/object-words.ts';
import { type Handle, registerDispose } from '../arena/objects.ts';
import { exclusively } from '../arena/repair.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { ValidationError } from '../errors.ts';
import { fromHandle, makeObject, takeObject, words } from '../sync/shared-object.ts';
import { type ItemType, isSameItem, type ListItem, type PackedItem, packItem, unpackItem } from './list-item.ts';

const LENGTH: number = OWN;
const TABLE: number = OWN + 1;

/** Of a record, in bytes. */
const HEAD_BYTES = 8;

registerDispose(kinds.list, (at) => {
  const table = Atomics.exchange(words(), at + TABLE, 0);
  // 0: its maker died before it came to that.
  if (table === 0) return;
  const length = Atomics.load(words(), at + LENGTH);
  for (const record of tableAt(table, length)) if (record !== 0) freeRecord(record);
  freeChunk(table, length * 4);
});

/**
 * A list of fixed length of numbers, bigints, booleans, strings, `Uint8Array`s and null, shared by every unit that holds
 * it. An item may be replaced by one of another type and length. What was put in comes out exactly: every character,
 * every byte, -0 and NaN.
 *
 * ```ts
 * const list = new ShareableList(['naïve\0', 2n ** 40n, null]);
 * list.set(-1, 'as long as it likes to be');
 * ```
 */
export class ShareableList<T extends ListItem[] = ListItem[]> implements Iterable<T[number]> {
  /** Fixed. */
  readonly length: number;
  readonly #at: number;
  /** One word for each item. */
  readonly #table: Int32Array;

  /** @throws {ValidationError} `ERR_VALIDATION` for values that are no list, or one that a list cannot hold. */
  constructor(values: readonly [...T]) {
    const handle = (values as { [fromHandle]?: Handle } | undefined)?.[fromHandle];
    if (handle !== undefined) {
      this.#at = takeObject(this, handle).at;
      this.length = Atomics.load(words(), this.#at + LENGTH);
      this.#table = tableAt(Atomics.load(words(), this.#at + TABLE), this.length);
      return;
    }
    if (!Array.isArray(values)) {
      throw new ValidationError(`new ShareableList() takes an array of the first items, and got ${String(values)}.`);
    }
    // By index: a hole is told as the undefined that it would be.
    const packed = Array.from(values as readonly unknown[], (value, i) => packItem(value, `values[${i}]`));
    this.length = packed.length;
    const table = allocateChunk(this.length * 4);
    this.#at = makeObject(this, kinds.list, '').at;
    Atomics.store(words(), this.#at + LENGTH, this.length);
    // After the length: whoever frees the table must know how long it is.
    Atomics.store(words(), this.#at + TABLE, table);
    this.#table = tableAt(table, this.length);
    for (const [i, item] of packed.entries()) Atomics.store(this.#table, i, makeRecord(item));
  }

  /**
   * @param index - from 0; from the end when negative: -1 is the last item.
   * @returns the item; of bytes a copy.
   * @throws {ValidationError} `ERR_VALIDATION` when there is no such item.
   */
  get(index: number): T[number] {
    const slot = this.#slot(index, 'get()');
    const { type, bytes } = exclusively(this.#at, () => readRecord(Atomics.load(this.#table, slot)));
    return unpackItem(type, bytes);
  }

  /**
   * Replaces an item, by one of any type and length. Whoever reads gets the old one or the new one.
   *
   * @param index - as in `get`.
   * @throws {ValidationError} `ERR_VALIDATION` when there is no such item, or for a value that a list cannot hold.
   */
  set(index: number, value: T[number]): void {
    const slot = this.#slot(index, 'set()');
    const record = makeRecord(packItem(value, 'The value'));
    if (fault !== undefined) fault('list.written');
    const old = exclusively(this.#at, () => {
      const before = Atomics.load(this.#table, slot);
      Atomics.store(this.#table, slot, record);
      return before;
    });
    if (fault !== undefined) fault('list.set');
    if (old !== 0) freeRecord(old);
  }

  /** Where the first item stands that is `value` (`===`; of bytes the same ones); -1 when there is none. */
  indexOf(value: T[number]): number {
    for (let i = 0; i < this.length; i++) if (isSameItem(this.get(i), value)) return i;
    return -1;
  }

  /** The items, each as it is when it is asked for. */
  *[Symbol.iterator](): Iterator<T[number]> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }

  #slot(index: unknown, call: string): number {
    const isIndex = Number.isInteger(index) && (index as number) < this.length && (index as number) >= -this.length;
    if (isIndex) return (index as number) < 0 ? (index as number) + this.length : (index as number);
    throw new ValidationError(
      `ShareableList.${call}: there is no item ${String(index)} in a list of ${this.length}. Its length is fixed.`,
    );
  }
}

sendAsHandle(ShareableList.prototype);

function tableAt(table: number, length: number): Int32Array {
  return wordsAt(byteOfChunk(table), length);
}

function makeRecord({ type, bytes }: PackedItem): number {
  const record = allocateChunk(HEAD_BYTES + bytes.byteLength);
  const byte = byteOfChunk(record);
  wordsAt(byte, 2).set([type, bytes.byteLength | 0]);
  bytesAt(byte + HEAD_BYTES, bytes.byteLength).set(bytes);
  return record;
}

/** A copy of what stands in a record. */
function readRecord(record: number): PackedItem {
  // 0: its maker died, or is not done yet.
  if (record === 0) return packItem(null, '');
  const byte = byteOfChunk(record);
  const head = wordsAt(byte, 2);
  return { type: head[0] as ItemType, bytes: bytesAt(byte + HEAD_BYTES, head[1]! >>> 0).slice() };
}

function freeRecord(record: number): void {
  freeChunk(record, HEAD_BYTES + (wordsAt(byteOfChunk(record), 2)[1]! >>> 0));
}
