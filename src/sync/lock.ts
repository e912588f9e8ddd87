/** A lock that coroutines, threads and processes share. */

import { type Kind, kinds } from '../arena/object-words.ts';
import type { Handle } from '../arena/objects.ts';
import { giveRecord, type Mode, modes, type Status, statuses, VALUE } from '../arena/records.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { NotOwnerError, TimeoutError } from '../errors.ts';
import type { Lease } from './lease.ts';
import { gifts, isHeldAt, queueAgain, queueUp, release, spin, TURN, TURNS, takeFree, tryTake } from './lock-words.ts';
import { checkName, fromHandle, makeObject, takeObject, titleOf, words } from './shared-object.ts';
import {
  checkWaitOptions,
  deadlineOf,
  throwIfAborted,
  throwIfGivenUp,
  type WaitOptions,
  wait,
  waitSync,
} from './waiting.ts';

export interface LockOptions {
  /** Shown in `waitingFor`, in messages and by `deadlocks()`; up to 60 bytes. */
  readonly name?: string;
}

/** Without it, one of two processes that want a lock all the time got a tenth of it now and then. */
const SPINS_IN_A_ROW = 32;

/**
 * A lock: one holder at a time, be it a coroutine here, a thread there, or another process.
 *
 * Waiters queue in order of arrival, those that await and those that block their thread in one queue. Who finds it free
 * may overtake them, until one has waited for a millisecond: then it is handed over. A holder that dies passes it on, and
 * the next lease says `abandoned`. Anybody may release it. It travels in arguments to processes and threads.
 *
 * ```ts
 * const lock = new Lock({ name: 'accounts' });
 * const lease = await lock.acquire();
 * try {
 *   // alone
 * } finally {
 *   lease.release();
 * }
 * ```
 */
export class Lock {
  #lucky = 0;
  readonly #at: number;

  constructor(options?: LockOptions, kind: Kind = kinds.lock) {
    const handle = (options as { [fromHandle]?: Handle } | undefined)?.[fromHandle];
    const own =
      handle === undefined ? makeObject(this, kind, checkName(options, 'new Lock()')) : takeObject(this, handle);
    this.#at = own.at;
  }

  /**
   * Waits until the lock is this caller's.
   *
   * @throws {TimeoutError} `ERR_TIMEOUT` when `timeoutMs` passed first; the reason of `signal` when it was aborted first.
   */
  async acquire(options?: WaitOptions): Promise<Lease> {
    checkWaitOptions(options, 'acquire()');
    throwIfAborted(options);
    if (takeFree(this.#at)) return this.#lease(false);
    const deadline = deadlineOf(options);
    let record = this.#queue(modes.loop);
    while (typeof record === 'number') {
      const status = await wait(record, `${this}`, deadline, options?.signal);
      record = this.#goOn(record, status, options);
    }
    return record;
  }

  /** As `acquire`, blocking the thread. */
  acquireSync(options?: { readonly timeoutMs?: number }): Lease {
    if (options !== undefined) checkWaitOptions(options, 'acquireSync()');
    if (takeFree(this.#at)) return this.#lease(false);
    const deadline = deadlineOf(options);
    let record = this.#spin() ? this.#lease(false) : this.#queue(modes.thread);
    while (typeof record === 'number') record = this.#goOn(record, waitSync(record, `${this}`, deadline), options);
    return record;
  }

  /** The lock if nobody holds it; never waits. */
  tryAcquire(): Lease | undefined {
    const taken = tryTake(this.#at);
    return taken === undefined ? undefined : this.#lease(taken === 'abandoned');
  }

  /** Lets go of it, whoever holds it. @throws {NotOwnerError} `ERR_NOT_OWNER` when nobody does. */
  release(): void {
    if (!release(this.#at)) throw new NotOwnerError(`${this} cannot be released: nobody holds it.`);
  }

  /** Whether somebody holds it at this moment. */
  get isLocked(): boolean {
    return isHeldAt(this.#at);
  }

  /** Acquires it, runs `body`, and releases it, also when `body` throws. */
  async run<T>(body: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    const lease = await this.acquire(options);
    try {
      return await body();
    } finally {
      lease.release();
    }
  }

  toString(): string {
    return titleOf('lock', this.#at);
  }

  /** Luck is not fair: who got it by spinning some times in a row queues the next time, and so comes to be due. */
  #spin(): boolean {
    if (this.#lucky < SPINS_IN_A_ROW && spin(this.#at)) {
      this.#lucky++;
      return true;
    }
    this.#lucky = 0;
    return false;
  }

  #queue(mode: Mode): Lease | number {
    // A dead holder is found now, not only at the next look around.
    const taken = tryTake(this.#at);
    if (taken !== undefined) return this.#lease(taken === 'abandoned');
    const record = queueUp(this.#at, mode);
    return record === 0 ? this.#lease(false) : record;
  }

  /** What follows a wait: the lock, another wait with the same record, or an error. */
  #goOn(record: number, status: Status, options: WaitOptions | undefined): Lease | number {
    if (status === statuses.nudged) {
      if (!spin(this.#at) && queueAgain(this.#at, record)) return record;
    }
    const gift = Atomics.load(words(), record + VALUE);
    giveRecord(record);
    if (status !== statuses.cancelled) return this.#lease(status === statuses.granted && gift === gifts.abandonedLock);
    throwIfGivenUp(options?.signal);
    throw new TimeoutError(`${this} was not free within ${options?.timeoutMs} ms.`);
  }

  #lease(abandoned: boolean): Lease {
    return new LockLease(this, this.#at, abandoned);
  }
}

sendAsHandle(Lock.prototype);

class LockLease implements Lease {
  readonly abandoned: boolean;
  /** Keeps the object from being collected and freed while it is held. */
  readonly lock: Lock;
  readonly #at: number;
  readonly #turn: number;
  #isReleased = false;

  constructor(lock: Lock, at: number, abandoned: boolean) {
    this.abandoned = abandoned;
    this.lock = lock;
    this.#at = at;
    this.#turn = nextTurn(at);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    // Of another turn: the lock was released past this lease, and is somebody else's by now. It may also be free.
    if (Atomics.load(words(), this.#at + TURN) === this.#turn) release(this.#at);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Only a holder writes them, so a plain write will do: it takes the time of an acquire and a release from 45 ns to 30. */
function nextTurn(at: number): number {
  const shared = words();
  const turn = (Atomics.load(shared, at + TURNS) + 1) | 0;
  shared[at + TURNS] = turn;
  shared[at + TURN] = turn;
  return turn;
}
