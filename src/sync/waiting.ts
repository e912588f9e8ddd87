/** Waiting for a record that is queued, for a time at the most, or until a signal. */

import { memory } from '../arena/memory.ts';
import { beginWait } from '../arena/reasons.ts';
import { ENDLESS, type Status, statuses } from '../arena/records.ts';
import { currentWaiter, throwIfCancelled } from '../arena/waiter.ts';
import { awaitRecord, sleepOn, withdraw } from '../arena/waits.ts';
import { ValidationError } from '../errors.ts';
import { onAbort } from './abort.ts';
import { sleepForEver, stir } from './standstill.ts';

export interface WaitOptions {
  /** How long to wait, in milliseconds. Default: without a limit. */
  readonly timeoutMs?: number | undefined;
  /** Gives up when it is aborted: the wait rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @throws {ValidationError} `ERR_VALIDATION` for a time that is none, or another signal than an AbortSignal. */
export function checkWaitOptions(options: WaitOptions | undefined, call: string): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null) {
    throw new ValidationError(`${call} takes an object, { timeoutMs }, and got ${String(options)}.`);
  }
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw new ValidationError(
      `${call}: timeoutMs must be a number of milliseconds, 0 or more, and is ${String(timeoutMs)}. Leave it out to wait without a limit.`,
    );
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ValidationError(`${call}: signal must be an AbortSignal, and is ${String(signal)}.`);
  }
}

/**
 * To be called before a wait.
 *
 * @throws {CancelledError} `ERR_CANCELLED` in a coroutine that was cancelled. The reason of an aborted signal.
 */
export function throwIfAborted(options: WaitOptions | undefined): void {
  throwIfCancelled();
  options?.signal?.throwIfAborted();
}

/** To be called after a wait that ended as `cancelled`: throws as `throwIfAborted`, unless the time has passed. */
export function throwIfGivenUp(signal: AbortSignal | undefined): void {
  currentWaiter()?.raiseInterrupted();
  signal?.throwIfAborted();
}

/** Lets a coroutine that was cancelled wait for what it must have all the same. */
export async function shielded<T>(body: () => Promise<T>): Promise<T> {
  const unshield = currentWaiter()?.shield();
  try {
    return await body();
  } finally {
    unshield?.();
  }
}

/** The moment, of `performance.now`, at which a wait that begins now ends. */
export function deadlineOf(options: WaitOptions | undefined): number {
  return performance.now() + (options?.timeoutMs ?? Number.POSITIVE_INFINITY);
}

/**
 * What became of the record. `cancelled`: the time has passed, the signal was aborted, or the coroutine that waits was
 * cancelled; `throwIfGivenUp` tells which.
 *
 * @param reason - what `waitingFor` says meanwhile.
 */
export async function wait(record: number, reason: string, deadline: number, signal?: AbortSignal): Promise<Status> {
  const endWait = beginWait(reason);
  const waiter = currentWaiter();
  const settled = awaitRecord(record, waiter?.isDaemon !== true);
  if (deadline === Number.POSITIVE_INFINITY && signal === undefined) markEndless(record);
  stir();
  const left = deadline - performance.now();
  // Node's timers come up to a millisecond early; a wait never does.
  const timer = left >= LONGEST_TIMER_MS ? undefined : setTimeout(withdraw, Math.max(0, Math.ceil(left + 1)), record);
  if (waiter?.isDaemon === true) timer?.unref();
  const endListening = signal && onAbort(signal, () => withdraw(record));
  if (signal?.aborted === true) withdraw(record);
  const forget = waiter?.onCancel(() => withdraw(record));
  try {
    return await settled;
  } finally {
    stir();
    endWait();
    clearTimeout(timer);
    forget?.();
    endListening?.();
  }
}

/** As `wait`, blocking the thread. */
export function waitSync(record: number, reason: string, deadline: number): Status {
  const endWait = beginWait(reason);
  const isEndless = deadline === Number.POSITIVE_INFINITY;
  if (isEndless) markEndless(record);
  try {
    const status = isEndless ? sleepForEver(record) : sleepOn(record, deadline);
    if (status !== statuses.parked) return status;
    // Granted at the last moment: then it has what it waited for.
    return withdraw(record) ? statuses.cancelled : sleepOn(record, Number.POSITIVE_INFINITY);
  } finally {
    stir();
    endWait();
  }
}

/** Lets others count on it that only a grant ends the wait. */
function markEndless(record: number): void {
  Atomics.store(memory().words, record + ENDLESS, 1);
}
