/** The walk over a message: what is frequent is read here, the rest by the reader of its tag. */

import * as tags from './tags.ts';
import type { DecodeHooks, Encoded } from './types.ts';
import { damaged } from './value-damage.ts';
import { type Definition, readDefinition } from './value-definitions.ts';
import { ByteSource } from './value-source.ts';

/** Reads what follows a tag. */
export type Reader = (decoder: Decoder) => unknown;
/** The readers of all tags that `Decoder` leaves to others. */
export type Readers = Readonly<Record<number, Reader | undefined>>;

/** In the place of a value: there is none. */
export const ABSENT: unique symbol = Symbol('absent');
/** In the place of an element: the remaining ones follow with their indexes. */
export const SPARSE_FOLLOWS: unique symbol = Symbol('sparse');

/** One decoding. */
export class Decoder {
  readonly source: ByteSource;
  readonly hooks: DecodeHooks | undefined;
  readonly #readers: Readers;
  readonly #blobs: readonly Uint8Array[];
  #blobsUsed = 0;
  readonly #objects: unknown[] = [];
  readonly #definitions: Definition[] = [];

  constructor(encoded: Encoded, readers: Readers, hooks: DecodeHooks | undefined) {
    this.source = new ByteSource(encoded.head);
    this.#blobs = encoded.blobs;
    this.#readers = readers;
    this.hooks = hooks;
  }

  /** The next value, of any kind. */
  read(): unknown {
    const value = this.readSlot();
    if (typeof value === 'symbol') throw damaged('a hole stands where a value must be');
    return value;
  }

  /** The next value, or `ABSENT` or `SPARSE_FOLLOWS`. */
  readSlot(): unknown {
    const { source } = this;
    const tag = source.byte();
    if (tag >= tags.SMALL_INT) return tag & tags.SMALL_INT_MAX;
    if (tag >= tags.SHORT_STRING) return source.latin1(tag & tags.SHORT_STRING_MAX);
    switch (tag) {
      case tags.UNDEFINED:
        return undefined;
      case tags.NULL:
        return null;
      case tags.FALSE:
        return false;
      case tags.TRUE:
        return true;
      case tags.INT32:
        return source.int32();
      case tags.DOUBLE:
        return source.double();
      case tags.OBJECT:
        return this.#readObject(this.#define());
      case tags.OBJECT_AGAIN:
        return this.#readObject(this.#definitions[source.varint()]);
      case tags.ARRAY:
        return this.#readArray();
      case tags.LATIN1:
      case tags.UTF16:
        return source.longString(tag);
      case tags.HOLE:
        return ABSENT;
      case tags.SPARSE:
        return SPARSE_FOLLOWS;
      case tags.REFERENCE:
        return this.#readReference();
    }
    const reader = this.#readers[tag];
    if (reader === undefined) throw damaged(`nothing is called ${tag}, at byte ${source.position - 1}`);
    return reader(this);
  }

  /** Numbers the object whose tag was read last. */
  register<T>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  /** A number for an object that can be made only from what follows; give it with `settle`. */
  reserve(): number {
    return this.#objects.push(ABSENT) - 1;
  }

  settle<T>(number: number, object: T): T {
    this.#objects[number] = object;
    return object;
  }

  /** A run of bytes: in the message, or a blob, whole. */
  readRun(): { readonly bytes: Uint8Array; readonly isBlob: boolean } {
    const length = this.source.varint();
    if (length % 2 === 0) return { bytes: this.source.view(length / 2), isBlob: false };
    const blob = this.#blobs[this.#blobsUsed++];
    if (blob?.byteLength !== (length - 1) / 2)
      throw damaged(`blob ${this.#blobsUsed - 1} is missing or has another length`);
    return { bytes: blob, isBlob: true };
  }

  /** Throws unless everything was read. */
  finish(): void {
    const { position, end } = this.source;
    if (position !== end) throw damaged(`${end - position} bytes are left over`);
  }

  #define(): Definition {
    const definition = readDefinition(this.source);
    this.#definitions.push(definition);
    return definition;
  }

  #readObject(definition: Definition | undefined): object {
    if (definition === undefined) throw damaged('a list of keys is not there');
    const { keys, hasProto } = definition;
    const object: Record<string, unknown> = {};
    this.#objects.push(object);
    for (let i = 0; i < keys.length; i++) {
      const value = this.readSlot();
      if (typeof value === 'symbol') continue;
      if (hasProto) defineOwn(object, keys[i]!, value);
      else object[keys[i]!] = value;
    }
    return object;
  }

  #readArray(): unknown[] {
    const array: unknown[] = [];
    this.#objects.push(array);
    this.readElements(array);
    return array;
  }

  /** Length and elements. */
  readElements(array: unknown[]): void {
    const length = this.source.varint();
    for (let i = 0; i < length; i++) {
      const value = this.readSlot();
      if (typeof value !== 'symbol') array.push(value);
      else if (value === ABSENT) array.length = i + 1;
      else {
        this.#readSparse(array, length);
        return;
      }
    }
  }

  #readSparse(array: unknown[], length: number): void {
    if (length > 0xffff_ffff) throw damaged(`an array of ${length} elements`);
    const count = this.source.count(9);
    // Makes the engine keep the elements in a hash table, whose size does not follow the length.
    if (length > SPARSE_TABLE_LENGTH) array[0xffff_fffe] = undefined;
    array.length = length;
    for (let i = 0; i < count; i++) {
      const index = this.source.double();
      const value = this.readSlot();
      if (!(index >= 0 && index < length && Number.isInteger(index)))
        throw damaged(`an element at ${index} of ${length}`);
      if (typeof value !== 'symbol') array[index] = value;
    }
  }

  #readReference(): unknown {
    const number = this.source.varint();
    const object = number < this.#objects.length ? this.#objects[number] : ABSENT;
    if (object === ABSENT) throw damaged(`object ${number} is not there`);
    return object;
  }
}

/** Longer arrays with many holes do without memory for them. */
const SPARSE_TABLE_LENGTH = 512;

/** Gives `object` an own property even where assigning would call a setter. */
export function defineOwn(object: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
}
