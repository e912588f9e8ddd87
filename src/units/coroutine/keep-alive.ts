/** Keeps the program alive for those who wait for a daemon: it does not do so itself. */

import { setTimeout } from '../../platform/clock.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/** Until the returned function is called. */
export function keepAlive(): () => void {
  holders++;
  // 24 days; nobody minds when it has passed, but the wait would end.
  timer ??= setTimeout(() => timer?.refresh(), LONGEST_TIMER_MS).unref();
  timer.ref();
  return () => {
    holders--;
    if (holders === 0) timer?.unref();
  };
}
