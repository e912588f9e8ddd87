/** A number of permits that coroutines, threads and processes share. */

import { type Kind, kinds, OWN } from '../arena/object-words.ts';
import type { Handle } from '../arena/objects.ts';
import { giveRecord, modes, type Status, statuses } from '../arena/records.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { TimeoutError, ValidationError } from '../errors.ts';
import type { Lease } from './lease.ts';
import { give, initialise, permitsLeft, queueUp, take, tryTake, VALUE_MAX } from './semaphore-words.ts';
import { atOf, checkName, fromHandle, makeObject, takeObject, titleOf, words } from './shared-object.ts';
import {
  checkWaitOptions,
  deadlineOf,
  throwIfAborted,
  throwIfGivenUp,
  type WaitOptions,
  wait,
  waitSync,
} from './waiting.ts';

export interface SemaphoreOptions {
  /** Shown in `waitingFor` and in messages; up to 60 bytes. */
  readonly name?: string;
}

/** The largest value that it may have; of a bounded one its first value. */
const BOUND: number = OWN;

/**
 * A semaphore: `acquire` takes one of its permits or waits for one, `release` gives some back, whoever took them. Permits go
 * to waiters in order of arrival. Permits of a unit that died are not given back: nobody knows whose they are.
 */
export class Semaphore {
  /** @param value - how many permits there are at first: an integer from 0 to 2^28 − 1. Default: 1. */
  constructor(value?: number, options?: SemaphoreOptions, kind: Kind = kinds.semaphore) {
    const handle = (value as unknown as { [fromHandle]?: Handle } | undefined)?.[fromHandle];
    if (handle !== undefined) {
      takeObject(this, handle);
      return;
    }
    const first = checkCount(value ?? 1, 0, 'new Semaphore(): value');
    const { at } = makeObject(this, kind, checkName(options, 'new Semaphore()'));
    words()[at + BOUND] = kind === kinds.boundedSemaphore ? first : VALUE_MAX;
    initialise(at, first);
  }

  /**
   * Waits for a permit.
   *
   * @throws {TimeoutError} `ERR_TIMEOUT` when `timeoutMs` passed first; the reason of `signal` when it was aborted first.
   */
  async acquire(options?: WaitOptions): Promise<Lease> {
    checkWaitOptions(options, 'acquire()');
    throwIfAborted(options);
    const at = atOf(this);
    if (take(at)) return new Permit(this);
    const deadline = deadlineOf(options);
    const record = queueUp(at, modes.loop);
    if (record === 0) return new Permit(this);
    return this.#got(record, await wait(record, `${this}`, deadline, options?.signal), options);
  }

  /** As `acquire`, blocking the thread. */
  acquireSync(options?: { readonly timeoutMs?: number }): Lease {
    checkWaitOptions(options, 'acquireSync()');
    const at = atOf(this);
    if (take(at)) return new Permit(this);
    const deadline = deadlineOf(options);
    const record = queueUp(at, modes.thread);
    return record === 0 ? new Permit(this) : this.#got(record, waitSync(record, `${this}`, deadline), options);
  }

  /** A permit if there is one and nobody waits for it; never waits. */
  tryAcquire(): Lease | undefined {
    return tryTake(atOf(this)) ? new Permit(this) : undefined;
  }

  /**
   * Gives permits back.
   *
   * @param n - how many. Default: 1.
   * @throws {ValidationError} `ERR_VALIDATION` when there would be too many, of a bounded one more than at first.
   */
  release(n = 1): void {
    checkCount(n, 1, 'release(): n');
    const at = atOf(this);
    const bound = Atomics.load(words(), at + BOUND);
    if (give(at, n, bound)) return;
    throw new ValidationError(`${this} cannot have more than ${bound} permits: release() was called too often.`);
  }

  /** How many permits are left at this moment. */
  get value(): number {
    return permitsLeft(atOf(this));
  }

  toString(): string {
    return titleOf('semaphore', atOf(this));
  }

  #got(record: number, status: Status, options: WaitOptions | undefined): Lease {
    giveRecord(record);
    if (status === statuses.granted) return new Permit(this);
    throwIfGivenUp(options?.signal);
    throw new TimeoutError(`${this} had no permit within ${options?.timeoutMs} ms.`);
  }
}

/** A `Semaphore` that never has more permits than at first: a release too many is a `ValidationError`. */
export class BoundedSemaphore extends Semaphore {
  constructor(value?: number, options?: SemaphoreOptions) {
    super(value, options, kinds.boundedSemaphore);
  }
}

sendAsHandle(Semaphore.prototype);

class Permit implements Lease {
  /** Nobody knows who holds a permit, so nobody can be said to have left it behind. */
  readonly abandoned = false;
  #semaphore: Semaphore | undefined;

  constructor(semaphore: Semaphore) {
    this.#semaphore = semaphore;
  }

  release(): void {
    const semaphore = this.#semaphore;
    this.#semaphore = undefined;
    semaphore?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function checkCount(value: unknown, least: number, what: string): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= VALUE_MAX) return value as number;
  throw new ValidationError(`${what} must be an integer from ${least} to ${VALUE_MAX}, and is ${String(value)}.`);
}
