/** Numbers the threads that this one started. */

import { currentThread } from '../current.ts';

let count = 0;

/** `Thread-1`, `Thread-2`, …; in a thread whose own default name is `Thread-2`, `Thread-2:1`. */
export function nextPath(): string {
  count++;
  const path = currentThread()?.path;
  return path === undefined ? `${count}` : `${path}:${count}`;
}
