/**
 * One number that all who hold it share.
 *
 *   word     who writes it   meaning
 *   OWN      its maker       its lock: own-lock.ts
 *   TYPE     its maker       which type: scalar.ts
 *   VALUE    everybody       the value, in two words; only ever read and written whole, by Atomics
 */

import { kinds, OWN } from '../arena/object-words.ts';
import { type Handle, registerDispose } from '../arena/objects.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { ValidationError } from '../errors.ts';
import type { RLock } from '../sync/rlock.ts';
import { fromHandle, makeObject, takeObject, words } from '../sync/shared-object.ts';
import { dropLock, lockOf, makeLock } from './own-lock.ts';
import {
  type AnyScalar,
  checkAmount,
  checkScalar,
  type Scalar,
  type ScalarAccess,
  type ScalarType,
  scalars,
} from './scalar.ts';

const TYPE: number = OWN + 1;
/** An even word, so that 64 bits are aligned. */
const VALUE: number = OWN + 2;

registerDispose(kinds.value, dropLock);

/**
 * A number in memory that every unit that holds it reads and writes. Each read and each write is whole, whatever others do
 * at the same moment; `value += 1` is a read and a write, between which others may come: use `add`, or the lock.
 *
 * ```ts
 * const hits = new SharedValue('int32', 0);
 * hits.add(1); // counts right, with any number of units
 * ```
 */
export class SharedValue<K extends ScalarType = ScalarType> {
  readonly #access: ScalarAccess;
  /** The byte at which the value stands. */
  readonly #byte: number;
  readonly #at: number;
  #lock: RLock | undefined;

  /**
   * @param type - `'int8'` to `'uint32'`, `'float32'`, `'float64'` hold numbers; `'int64'` and `'uint64'` bigints.
   * @param initial - default: 0.
   * @throws {ValidationError} `ERR_VALIDATION` for another type, or a value that the type cannot hold.
   */
  constructor(type: K, initial?: Scalar<K>) {
    const handle = (type as { [fromHandle]?: Handle } | undefined)?.[fromHandle];
    if (handle !== undefined) {
      this.#at = takeObject(this, handle).at;
      this.#access = scalars[Atomics.load(words(), this.#at + TYPE)]!;
      this.#byte = (this.#at + VALUE) * 4;
      return;
    }
    const typeNumber = scalars.findIndex(({ name }) => name === type);
    if (typeNumber === -1) {
      const names = scalars.map(({ name }) => `'${name}'`).join(', ');
      throw new ValidationError(`new SharedValue() takes a type, one of ${names}, and got ${String(type)}.`);
    }
    this.#access = scalars[typeNumber]!;
    const first = initial === undefined ? undefined : checkScalar(this.#access, initial, 'The initial value');
    this.#at = makeObject(this, kinds.value, '').at;
    this.#byte = (this.#at + VALUE) * 4;
    Atomics.store(words(), this.#at + TYPE, typeNumber);
    this.#lock = makeLock(this.#at);
    if (first !== undefined) this.#access.store(this.#byte, first);
  }

  /** The type that it was made with. */
  get type(): K {
    return this.#access.name as K;
  }

  /** The value at this moment. Setting what the type cannot hold throws `ValidationError`. */
  get value(): Scalar<K> {
    return this.#access.load(this.#byte) as Scalar<K>;
  }

  set value(value: Scalar<K>) {
    this.#access.store(this.#byte, checkScalar(this.#access, value, 'The value'));
  }

  /** A lock for whoever wants to read and write in one; the same for all who hold the value. */
  get lock(): RLock {
    this.#lock ??= lockOf(this.#at);
    return this.#lock;
  }

  /**
   * Adds at once, without the lock. Beyond the type's bounds it wraps around; a negative amount subtracts.
   *
   * @returns the value before.
   * @throws {ValidationError} `ERR_VALIDATION` for a float, or an amount that is no integer.
   */
  add(amount: Scalar<K>): Scalar<K> {
    const operations = this.#integer('add()');
    return operations.add(this.#byte, checkAmount(this.#access, amount, 'The amount')) as Scalar<K>;
  }

  /**
   * Sets `replacement` if the value is `expected`, at once and without the lock.
   *
   * @returns the value before: `expected` when it was replaced.
   * @throws {ValidationError} `ERR_VALIDATION` for a float, or values that the type cannot hold.
   */
  compareExchange(expected: Scalar<K>, replacement: Scalar<K>): Scalar<K> {
    const operations = this.#integer('compareExchange()');
    const from: AnyScalar = checkScalar(this.#access, expected, 'The expected value');
    const to: AnyScalar = checkScalar(this.#access, replacement, 'The replacement');
    return operations.compareExchange(this.#byte, from, to) as Scalar<K>;
  }

  #integer(call: string): NonNullable<ScalarAccess['integer']> {
    const operations = this.#access.integer;
    if (operations !== undefined) return operations;
    throw new ValidationError(
      `${call} is for integers, and this is a ${this.#access.name}. Change it under the lock: value.lock.run(() => { value.value += 1; }).`,
    );
  }
}

sendAsHandle(SharedValue.prototype);
