/** Waiting for a time at the most. */

import { currentWaiter, orCancelled, throwIfCancelled } from '../arena/waiter.ts';
import { clearTimeout, setTimeout } from '../platform/clock.ts';

/** What `setTimeout` can do; a longer wait has no timer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Resolves true with `ended`, false when `timeoutMs` passes first; without a time it waits for ever.
 *
 * @throws {CancelledError} `ERR_CANCELLED` in a coroutine that is cancelled meanwhile, or was before.
 */
export async function within(ended: Promise<void>, timeoutMs: number | undefined): Promise<boolean> {
  throwIfCancelled();
  if (timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS) return orCancelled(ended).then(() => true);
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, timeoutMs, false);
  if (currentWaiter()?.isDaemon === true) timer.unref();
  try {
    return await orCancelled(Promise.race([ended.then(() => true as const), late]));
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with `ended`; rejects when `signal` is aborted first, and as `within` does. */
export async function untilAborted(ended: Promise<void>, signal: AbortSignal): Promise<void> {
  throwIfCancelled();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  await orCancelled(Promise.race([ended, aborted]));
}
