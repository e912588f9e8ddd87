/** A condition: waiting, with a lock let go, for what others will announce. */

import { agent } from '../arena/agents.ts';
import { memory } from '../arena/memory.ts';
import { GRANTEE, kinds, OWN, SERIAL_NUMBER, STATE } from '../arena/object-words.ts';
import { drop, type Handle, registerDispose, retain } from '../arena/objects.ts';
import { append, endGrant, firstLiving, grant, mend, unfinishedGrant } from '../arena/queue.ts';
import { giveRecord, type Mode, modes, statuses, takeRecord } from '../arena/records.ts';
import { exclusively, registerReclaim, registerRepair } from '../arena/repair.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { NotOwnerError, ValidationError } from '../errors.ts';
import type { Lease } from './lease.ts';
import { Lock } from './lock.ts';
import { COUNT, TURN } from './lock-words.ts';
import { RLock, resumeHolds, suspendHolds } from './rlock.ts';
import {
  atOf,
  checkName,
  fromHandle,
  handleOf,
  makeObject,
  takeObject,
  titleOf,
  travelsWith,
} from './shared-object.ts';
import {
  checkWaitOptions,
  deadlineOf,
  shielded,
  throwIfAborted,
  throwIfGivenUp,
  type WaitOptions,
  wait,
  waitSync,
} from './waiting.ts';

export interface ConditionOptions {
  /** Shown in `waitingFor` and in messages; up to 60 bytes. */
  readonly name?: string;
}

/** The lock's address and kind; the condition holds a reference to it. */
const LOCK: number = OWN;
const LOCK_KIND: number = OWN + 1;

registerRepair(kinds.condition, repair);
// Who was notified and died before it noticed: the next one is notified in its place.
registerReclaim(kinds.condition, (at) => {
  const next = firstLiving(at);
  if (next !== 0) grant(at, next, statuses.granted);
});
registerDispose(kinds.condition, (at) => {
  const lock = Atomics.load(memory().words, at + LOCK);
  // 0: its maker died before it came to that.
  if (lock !== 0) drop(lock);
});

/**
 * A condition over a lock. `wait` lets go of the lock and waits for a `notify`; it holds the lock again when it returns, so
 * what it waits for must be looked at once more: `waitFor` does. Notified are those who wait, in order of arrival; a
 * `notify` that finds nobody is lost.
 */
export class Condition {
  /** The lock that is let go while waiting. */
  readonly lock: Lock;

  /**
   * @param lock - default: a `Lock` of its own. Not an `RLock` as in Python: coroutines of one thread hold an `RLock` together,
   * and one that waits would let go what another holds.
   */
  constructor(lock?: Lock, options?: ConditionOptions) {
    const handle = (lock as { [fromHandle]?: Handle & { readonly lock?: unknown } } | undefined)?.[fromHandle];
    if (handle !== undefined) {
      const { at } = takeObject(this, handle);
      this.lock = handle.lock instanceof Lock ? handle.lock : lockOf(at);
      return;
    }
    if (lock !== undefined && !(lock instanceof Lock)) {
      throw new ValidationError(`new Condition() takes a Lock or an RLock, and got ${String(lock)}.`);
    }
    this.lock = lock ?? new Lock();
    const { at } = makeObject(this, kinds.condition, checkName(options, 'new Condition()'));
    const own = handleOf(this.lock)!;
    retain(own.at);
    const { words } = memory();
    Atomics.store(words, at + LOCK, own.at);
    Atomics.store(words, at + LOCK_KIND, own.kind);
  }

  /** Acquires the lock. */
  acquire(options?: WaitOptions): Promise<Lease> {
    return this.lock.acquire(options);
  }

  /** Releases the lock. */
  release(): void {
    this.lock.release();
  }

  /**
   * Waits to be notified.
   *
   * @returns false when `timeoutMs` passed first. The lock is held again in either case, also when it rejects with the
   * reason of an aborted signal.
   * @throws {NotOwnerError} `ERR_NOT_OWNER` without the lock.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    checkWaitOptions(options, 'wait()');
    throwIfAborted(options);
    const deadline = deadlineOf(options);
    const { record, count, resume } = this.#letGo(modes.loop);
    const isNotified = (await wait(record, `${this}`, deadline, options?.signal)) === statuses.granted;
    giveRecord(record);
    await shielded(async () => {
      for (let i = 0; i < count; i++) await this.lock.acquire();
    });
    resume();
    if (!isNotified) throwIfGivenUp(options?.signal);
    return isNotified;
  }

  /** As `wait`, blocking the thread. */
  waitSync(options?: { readonly timeoutMs?: number }): boolean {
    checkWaitOptions(options, 'waitSync()');
    const deadline = deadlineOf(options);
    const { record, count, resume } = this.#letGo(modes.thread);
    const isNotified = waitSync(record, `${this}`, deadline) === statuses.granted;
    giveRecord(record);
    for (let i = 0; i < count; i++) this.lock.acquireSync();
    resume();
    return isNotified;
  }

  /** Waits until `predicate`, called with the lock held, is true. @returns its last value: false when the time passed. */
  async waitFor(predicate: () => boolean, options?: WaitOptions): Promise<boolean> {
    if (typeof predicate !== 'function')
      throw new ValidationError(`waitFor() takes a function, and got ${String(predicate)}.`);
    checkWaitOptions(options, 'waitFor()');
    const deadline = deadlineOf(options);
    while (!predicate()) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await this.wait({ signal: options?.signal, ...(options?.timeoutMs === undefined ? {} : { timeoutMs: left }) });
    }
    return true;
  }

  /** Lets go up to `n` of those who wait. Default: 1. @throws {NotOwnerError} `ERR_NOT_OWNER` without the lock. */
  notify(n = 1): void {
    if (!Number.isInteger(n) || n < 0)
      throw new ValidationError(`notify() takes a number of waiters, and got ${String(n)}.`);
    this.#notify(n, 'notify()');
  }

  /** Lets go all who wait. @throws {NotOwnerError} `ERR_NOT_OWNER` without the lock. */
  notifyAll(): void {
    this.#notify(Number.POSITIVE_INFINITY, 'notifyAll()');
  }

  toString(): string {
    return titleOf('condition', atOf(this));
  }

  #notify(n: number, call: string): void {
    this.#assertHeld(call);
    const at = atOf(this);
    exclusively(at, () => {
      for (let left = n, head = firstLiving(at); left > 0 && head !== 0; left--, head = firstLiving(at))
        grant(at, head, statuses.granted);
    });
  }

  /**
   * Queues, then lets go of the lock, as often as it is held: a notify in between finds the record. `resume`, once it is
   * held again, makes the leases from before good again.
   */
  #letGo(mode: Mode): { readonly record: number; readonly count: number; readonly resume: () => void } {
    this.#assertHeld('wait()');
    const at = atOf(this);
    const record = takeRecord(at, mode);
    exclusively(at, () => append(at, record));
    const { words } = memory();
    const lock = atOf(this.lock);
    if (!(this.lock instanceof RLock)) {
      const turn = Atomics.load(words, lock + TURN);
      this.lock.release();
      return { record, count: 1, resume: () => Atomics.store(words, lock + TURN, turn) };
    }
    // Counted before: once it is let go, another coroutine of this thread may hold it.
    const count = Atomics.load(words, lock + COUNT);
    const holds = suspendHolds(lock);
    for (let i = 0; i < count; i++) this.lock.release();
    return { record, count, resume: () => resumeHolds(lock, holds) };
  }

  get #isHeld(): boolean {
    return Atomics.load(memory().words, atOf(this.lock) + STATE) >>> 1 === agent().owner;
  }

  #assertHeld(call: string): void {
    if (!this.#isHeld) throw new NotOwnerError(`${this}: ${call} needs its lock, ${this.lock}. Acquire it first.`);
  }
}

sendAsHandle(Condition.prototype);
// So that it arrives as the lock that it is in the rest of the message.
travelsWith(Condition, ({ lock }) => ({ lock }));

function lockOf(at: number): Lock {
  const { words } = memory();
  const lockAt = Atomics.load(words, at + LOCK);
  const kind = Atomics.load(words, at + LOCK_KIND);
  const handle = { kind, at: lockAt, serial: Atomics.load(words, lockAt + SERIAL_NUMBER) };
  const options = { [fromHandle]: handle } as object;
  return kind === kinds.rlock ? new RLock(options) : new Lock(options);
}

function repair(at: number): void {
  const record = unfinishedGrant(at);
  if (record !== 0) endGrant(at, record, statuses.granted, 0);
  Atomics.store(memory().words, at + GRANTEE, 0);
  mend(at);
}
