/** Waiting for whichever comes first of several objects. */

import { currentWaiter } from '../arena/waiter.ts';
import { ValidationError } from '../errors.ts';
import { clearTimeout, setTimeout } from '../platform/clock.ts';
import { type Readiness, readinessOf } from '../sync/waitable.ts';
import { checkWaitOptions, deadlineOf, throwIfAborted, type WaitOptions } from '../sync/waiting.ts';

/** What `wait` can wait for: a Connection, a Queue, an Event or a unit. Which it is, is checked at the call. */
export type Waitable = object;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits until at least one of `objects` is ready: a connection or queue from which something can be got, or that is closed; an
 * event that is set; a process or thread that has ended. Takes nothing: by the time of a `get`, another one may have been faster.
 *
 * @returns those that are ready, in the order given; none when `timeoutMs` passed first (0 only looks).
 * @throws {ValidationError} `ERR_VALIDATION` for what cannot be waited for. The reason of an aborted `signal`.
 */
export async function wait<W extends Waitable>(objects: readonly W[], options?: WaitOptions): Promise<W[]> {
  const sources = checkedSources(objects);
  checkWaitOptions(options, 'wait()');
  throwIfAborted(options);
  const deadline = deadlineOf(options);
  for (;;) {
    const ready = objects.filter((_, i) => sources[i]!.isReady());
    if (ready.length > 0 || performance.now() >= deadline) return ready;
    await firstOf(sources, deadline, options?.signal);
    options?.signal?.throwIfAborted();
  }
}

/** Resolves when one of them may be ready, the time has passed, or the signal was aborted. */
async function firstOf(
  sources: readonly Readiness[],
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const others = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    const left = deadline - performance.now();
    // Node's timers come up to a millisecond early.
    if (left < LONGEST_TIMER_MS) timer = setTimeout(resolve, Math.ceil(left + 1));
    if (currentWaiter()?.isDaemon === true) timer?.unref();
    signal?.addEventListener('abort', () => resolve(), { once: true, signal: others.signal });
  });
  const waits = sources.map((source) => source.whenReady(others.signal));
  // Withdrawn below: those that lost are told so, and nobody else minds.
  const ends = Promise.allSettled(waits);
  try {
    await Promise.race([over, ...waits]);
  } finally {
    clearTimeout(timer);
    others.abort();
    await ends;
  }
}

function checkedSources(objects: unknown): Readiness[] {
  if (!Array.isArray(objects)) {
    throw new ValidationError(`wait() takes an array of objects to wait for, and got ${String(objects)}.`);
  }
  return objects.map((object: unknown, i) => {
    const source = readinessOf(object);
    if (source !== undefined) return source;
    throw new ValidationError(
      `wait(): element ${i} is ${String(object)}. It waits for connections, queues, events and units.`,
    );
  });
}
