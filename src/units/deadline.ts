/** Waiting for a time at the most. */

import { clearTimeout, setTimeout } from '../platform/clock.ts';

/** What `setTimeout` can do; a longer wait has no timer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Resolves true with `ended`, false when `timeoutMs` passes first; without a time it waits for ever. */
export async function within(ended: Promise<void>, timeoutMs: number | undefined): Promise<boolean> {
  if (timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS) return ended.then(() => true);
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, timeoutMs, false);
  try {
    return await Promise.race([ended.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
