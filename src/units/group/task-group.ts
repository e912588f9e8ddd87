/**
 * Units that succeed together or fail together.
 *
 *   open      members may be added, also by members; `join` waits for all of them
 *   ending    a member failed, or it was cancelled, aborted, timed out or disposed: every member is told to end, none is added
 *   closed    all have ended and somebody has waited for that: none is added
 */

import { beginWait } from '../../arena/reasons.ts';
import { currentWaiter, throwIfCancelled } from '../../arena/waiter.ts';
import { CancelledError, StateError, TimeoutError } from '../../errors.ts';
import { clearTimeout, setTimeout } from '../../platform/clock.ts';
import { Coroutine } from '../coroutine/coroutine.ts';
import { Process } from '../process/process.ts';
import { Thread } from '../thread/thread.ts';
import type { Unit } from '../unit.ts';
import { Member, membersError } from './member.ts';
import { checkGroupOptions, type TaskGroupOptions } from './options.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Why a group ends early: what `join` rejects with, unless members failed of themselves. */
type Ending = { readonly by: 'failure' } | { readonly by: 'outside'; readonly reason: unknown };

type Life =
  | { readonly phase: 'open' }
  | { readonly phase: 'ending'; readonly why: Ending }
  | { readonly phase: 'closed'; readonly why: Ending | undefined };

let count = 0;

/**
 * A group of processes, threads and coroutines of which all succeed, or all are ended.
 *
 * Members start at once. When one fails, the others are cancelled: coroutines by `cancel()`, processes by SIGTERM and after a
 * second by SIGKILL, threads at once. `join` waits until every member has ended, whatever becomes of it, and so does the disposal: nothing
 * that a group started outlives it. A coroutine that does not let itself be cancelled is waited for.
 *
 * A group that is joined in a coroutine is cancelled with it: so groups can be nested.
 *
 * ```ts
 * const group = new TaskGroup();
 * group.coroutine(async () => 1);
 * group.coroutine(async (n: number) => n + 1, 1);
 * console.log(await group.join()); // [ 1, 2 ]
 * ```
 */
export class TaskGroup implements AsyncDisposable {
  readonly name: string;
  readonly #members: Member[] = [];
  readonly #ended = Promise.withResolvers<void>();
  /** Aborting it ends the processes and threads. */
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #life: Life = { phase: 'open' };
  #living = 0;
  #isJoined = false;

  /** @throws {ValidationError} `ERR_VALIDATION` for an unknown option or a value that makes no sense; an aborted signal's reason. */
  constructor(options: TaskGroupOptions = {}) {
    checkGroupOptions(options);
    const { name, signal, timeoutMs } = options;
    signal?.throwIfAborted();
    this.name = name ?? `TaskGroup-${++count}`;
    this.#signal = signal;
    this.#onAbort = () => this.#end({ by: 'outside', reason: signal?.reason });
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS) return;
    const reason = new TimeoutError(`${this} did not end within ${timeoutMs} ms.`);
    // Its members keep the program alive, if they shall.
    this.#timer = setTimeout(() => this.#end({ by: 'outside', reason }), timeoutMs).unref();
  }

  /** Starts a process. @throws {StateError} `ERR_STATE` once the group has ended or is being ended; what `start()` throws. */
  process<A extends readonly unknown[], R>(target: (...args: A) => R, ...args: A): Process<A, R> {
    this.#assertOpen('process');
    const member = new Process<A, R>({ target, args, signal: this.#ending.signal });
    member.start();
    this.#add(member, () => {}); // the signal ends it
    return member;
  }

  /** Starts a thread. @throws {StateError} `ERR_STATE` once the group has ended or is being ended; what `start()` throws. */
  thread<A extends readonly unknown[], R>(target: (...args: A) => R, ...args: A): Thread<A, R> {
    this.#assertOpen('thread');
    const member = new Thread<A, R>({ target, args, signal: this.#ending.signal });
    member.start();
    this.#add(member, () => {}); // the signal ends it
    return member;
  }

  /** Starts a coroutine. @throws {StateError} `ERR_STATE` once the group has ended or is being ended. */
  coroutine<A extends readonly unknown[], R>(target: (...args: A) => R, ...args: A): Coroutine<A, R> {
    this.#assertOpen('coroutine');
    const member = new Coroutine<A, R>({ target, args });
    member.start();
    this.#add(member, (reason) => member.cancel(reason));
    return member;
  }

  /**
   * Waits until all members have ended, also those that are added meanwhile.
   *
   * @returns their values, in the order in which they were added.
   * @throws {AggregateError} when a member failed: `errors` has the first failure, then what became of the other members that
   * gave no value; each names its member, and has what was thrown as its `cause`.
   * @throws {CancelledError} `ERR_CANCELLED` after `cancel()`, with the reason as its `cause`. @throws {TimeoutError}
   * `ERR_TIMEOUT` after `timeoutMs`. The reason of an aborted signal.
   */
  async join(): Promise<unknown[]> {
    this.#isJoined = true;
    throwIfCancelled();
    await this.#allEnded(true);
    this.#close();
    const why = this.#life.phase === 'closed' ? this.#life.why : undefined;
    const failures = this.#members.filter(({ failed }) => failed !== undefined);
    if (failures.length > 0) throw membersError(`${this}`, this.#members, why?.by === 'outside' ? why : undefined);
    if (why?.by === 'outside') throw why.reason;
    return this.#members.map(({ value }) => value);
  }

  /** Ends all members; `join` then rejects with `CancelledError`. Does nothing once the group has ended or is being ended. */
  cancel(reason?: unknown): void {
    const cause = reason === undefined ? {} : { cause: reason };
    this.#end({ by: 'outside', reason: new CancelledError(`${this} was cancelled.`, cause) });
  }

  /**
   * Ends the members that still run, and waits for their end.
   *
   * @throws {AggregateError} when a member failed and nobody has called `join`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#living > 0) this.cancel('it was disposed');
    await this.#allEnded(false);
    this.#close();
    const hasFailed = this.#members.some(({ failed }) => failed !== undefined);
    if (hasFailed && !this.#isJoined) throw membersError(`${this}`, this.#members, undefined);
  }

  toString(): string {
    return `TaskGroup "${this.name}"`;
  }

  #assertOpen(call: string): void {
    if (this.#life.phase === 'open') return;
    const why = this.#life.phase === 'closed' ? 'has ended' : 'is being ended';
    throw new StateError(`${this} ${why}: ${call}() cannot add a member. Make a new TaskGroup.`);
  }

  #add(unit: Unit<unknown>, cancel: (reason: unknown) => void): void {
    const member = new Member(unit, cancel);
    this.#members.push(member);
    this.#living++;
    // Its getters may have aborted the signal.
    if (this.#life.phase !== 'open') cancel(this.#ending.signal.reason);
    void member.ended.then(() => {
      this.#living--;
      if (member.error !== undefined && this.#life.phase === 'open') member.failed = 'first';
      else if (member.hasThrown) member.failed = 'later';
      if (member.failed !== undefined) this.#end({ by: 'failure' });
      if (this.#living === 0) this.#ended.resolve();
    });
  }

  #end(why: Ending): void {
    if (this.#life.phase !== 'open') return;
    this.#life = { phase: 'ending', why };
    const reason = why.by === 'outside' ? why.reason : new CancelledError(`${this} ends: a member failed.`);
    this.#ending.abort(reason);
    for (const member of this.#members) member.cancel(reason);
  }

  /** @param isCancellable - whether the group is ended when the coroutine that waits is cancelled; that waits on, and then rejects. */
  async #allEnded(isCancellable: boolean): Promise<void> {
    const waiter = currentWaiter();
    const endWait = beginWait(`task group "${this.name}"`);
    let isInterrupted = false;
    const forget = waiter?.onCancel(() => {
      if (!isCancellable) return false;
      isInterrupted = true;
      this.#end({ by: 'outside', reason: waiter.cancelledError() });
      return true;
    });
    try {
      while (this.#living > 0) await this.#members.find((member) => !member.isOver)?.ended;
    } finally {
      forget?.();
      endWait();
    }
    if (!isInterrupted) return;
    this.#close();
    waiter?.raiseInterrupted();
  }

  #close(): void {
    if (this.#life.phase === 'closed') return;
    this.#life = { phase: 'closed', why: this.#life.phase === 'ending' ? this.#life.why : undefined };
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
