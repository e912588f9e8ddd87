/**
 * A typed array in memory that all who hold it share.
 *
 *   word     who writes it          meaning
 *   OWN      its maker              its lock: own-lock.ts
 *   PAGE     its maker, disposal    the first page of its contents: blocks.ts; 0: it has none
 *   LENGTH   its maker              two words, low and high
 *   TYPE     its maker              which class of typed arrays
 *
 * Its memory is freed with the object, and the object when nobody holds it. A view can outlive the value that it came
 * from, and must not see its memory given to another: so the view's ArrayBuffer keeps the value alive.
 */

import { allocateRun, freeRun, offsetOf } from '../arena/blocks.ts';
import { viewOf } from '../arena/memory.ts';
import { kinds, OWN } from '../arena/object-words.ts';
import { type Handle, registerDispose } from '../arena/objects.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { ValidationError } from '../errors.ts';
import type { RLock } from '../sync/rlock.ts';
import { fromHandle, makeObject, takeObject, words } from '../sync/shared-object.ts';
import { dropLock, lockOf, makeLock } from './own-lock.ts';
import { classOfNumber, numberOfClass, type TypedArrayConstructor } from './typed-array.ts';

const PAGE: number = OWN + 1;
const LENGTH: number = OWN + 2;
const TYPE: number = OWN + 4;

/** As many as an ArrayBuffer can have everywhere. */
const LENGTH_MAX = 2 ** 36;

registerDispose(kinds.array, (at) => {
  dropLock(at);
  const sizeBytes = lengthAt(at) * classAt(at).BYTES_PER_ELEMENT;
  const page = Atomics.exchange(words(), at + PAGE, 0);
  if (page !== 0) freeRun(page, sizeBytes);
});

/** Whoever can reach the memory of an array reaches the array. */
const arrays = new WeakMap<ArrayBufferLike, SharedArray<TypedArrayConstructor>>();

/**
 * A typed array whose elements every unit that holds it reads and writes in place, without a copy. It travels in arguments
 * and results at the cost of a handle, whatever its length; its memory is freed when nobody holds it any more.
 *
 * Single elements are read and written whole, in no order among units unless `Atomics` or the lock gives one.
 *
 * ```ts
 * const squares = new SharedArray(Float64Array, 1_000_000);
 * squares.view[3] = 9; // seen by every process and thread that was given `squares`
 * ```
 */
export class SharedArray<C extends TypedArrayConstructor = TypedArrayConstructor> {
  readonly #at: number;
  #view: InstanceType<C> | undefined;
  #lock: RLock | undefined;

  /**
   * @param type - the class of its view: any class of typed arrays.
   * @param source - a length, 0 included (the elements are 0), or the first values.
   * @throws {ValidationError} `ERR_VALIDATION` for another class, a length that is none, or values that do not convert.
   * @throws {PlatformError} `ERR_OUT_OF_MEMORY` when there is not as much memory.
   */
  constructor(type: C, source: number | ArrayLike<InstanceType<C>[number]>) {
    const handle = (type as { [fromHandle]?: Handle } | undefined)?.[fromHandle];
    if (handle !== undefined) {
      this.#at = takeObject(this, handle).at;
      return;
    }
    const typeNumber = numberOfClass(type, 'new SharedArray()');
    const length = checkedLength(source);
    checkKind(type, source);
    const sizeBytes = length * type.BYTES_PER_ELEMENT;
    // The memory first: when there is none, nothing was made.
    const page = length === 0 ? 0 : allocateRun(sizeBytes);
    const { at } = makeObject(this, kinds.array, '');
    const shared = words();
    Atomics.store(shared, at + LENGTH, length | 0);
    Atomics.store(shared, at + LENGTH + 1, Math.floor(length / 2 ** 32));
    Atomics.store(shared, at + TYPE, typeNumber);
    // After the length: whoever frees it must know how much.
    Atomics.store(shared, at + PAGE, page);
    this.#at = at;
    this.#lock = makeLock(at);
    if (typeof source !== 'number') fill(this.view, source);
  }

  /** The memory itself. Always the same view. Its ArrayBuffer must not be transferred. */
  get view(): InstanceType<C> {
    this.#view ??= this.#map();
    return this.#view;
  }

  /** How many elements it has. */
  get length(): number {
    return lengthAt(this.#at);
  }

  /** A lock for whoever wants to change more than one element at a time; the same for all who hold the array. */
  get lock(): RLock {
    this.#lock ??= lockOf(this.#at);
    return this.#lock;
  }

  /** Mapped at its first use: V8 takes the memory into account, and collects garbage at once when it is much. */
  #map(): InstanceType<C> {
    const arrayClass = classAt(this.#at);
    const page = Atomics.load(words(), this.#at + PAGE);
    const sizeBytes = this.length * arrayClass.BYTES_PER_ELEMENT;
    const buffer = page === 0 ? new ArrayBuffer(0) : viewOf(offsetOf(page), sizeBytes);
    arrays.set(buffer, this as unknown as SharedArray<TypedArrayConstructor>);
    return new arrayClass(buffer) as InstanceType<C>;
  }
}

sendAsHandle(SharedArray.prototype);

function lengthAt(at: number): number {
  const shared = words();
  return (Atomics.load(shared, at + LENGTH) >>> 0) + Atomics.load(shared, at + LENGTH + 1) * 2 ** 32;
}

function classAt(at: number): TypedArrayConstructor {
  return classOfNumber(Atomics.load(words(), at + TYPE));
}

function checkedLength(source: unknown): number {
  const length: unknown =
    typeof source === 'number' ? source : (source as ArrayLike<unknown> | null | undefined)?.length;
  const isLength = Number.isInteger(length) && (length as number) >= 0 && (length as number) <= LENGTH_MAX;
  if (isLength && typeof source !== 'function') return length as number;
  const got = typeof source === 'number' ? String(source) : Object.prototype.toString.call(source);
  throw new ValidationError(
    `new SharedArray() takes a length, an integer from 0 on, or an array of the first values, and got ${got}.`,
  );
}

/** What the class would refuse is refused before memory is taken for it. */
function checkKind(type: TypedArrayConstructor, source: unknown): void {
  if (typeof source === 'number') return;
  const wanted = type.name.startsWith('Big') ? 'bigint' : 'number';
  const values = source as ArrayLike<unknown>;
  // The elements of a typed array are all alike.
  const count = ArrayBuffer.isView(values) ? Math.min(1, values.length) : values.length;
  for (let i = 0; i < count; i++) assertKind(type, wanted, values, i);
}

function assertKind(type: TypedArrayConstructor, wanted: string, values: ArrayLike<unknown>, i: number): void {
  const kind: string = typeof values[i];
  if (kind === wanted) return;
  throw new ValidationError(
    `new SharedArray(${type.name}, values): values must be ${wanted}s, and values[${i}] is ${String(values[i])}.`,
  );
}

function fill(view: object, source: ArrayLike<unknown>): void {
  (view as { set(values: ArrayLike<unknown>): void }).set(source);
}
