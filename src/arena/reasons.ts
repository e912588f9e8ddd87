/** What this process, and each of its coroutines, waits for, by name: seen from outside as `waitingFor`. */

import { currentWaiter, type ShownWait } from './waiter.ts';

/** Whose waits they are; linked, because thousands may end in any order. */
interface Waiting {
  youngestWait: ShownWait | undefined;
}

const ofProcess: Waiting = { youngestWait: undefined };
/** Set by what runs this process as a child. */
let announce: ((reason: string | undefined) => void) | undefined;

export function announceWaits(to: (reason: string | undefined) => void): void {
  announce = to;
}

/**
 * Says that this process, and the coroutine that calls, waits for `reason` until the returned function is called. With several
 * waits at a time, the youngest is shown.
 */
export function beginWait(reason: string): () => void {
  const waiter = currentWaiter();
  const entry = push(ofProcess, reason);
  const own = waiter && push(waiter, reason);
  announce?.(reason);
  return () => {
    if (entry.isOver) return;
    if (waiter !== undefined && own !== undefined) remove(waiter, own);
    if (remove(ofProcess, entry)) announce?.(ofProcess.youngestWait?.text);
  };
}

function push(waiting: Waiting, text: string): ShownWait {
  const entry: ShownWait = { text, older: waiting.youngestWait, younger: undefined, isOver: false };
  if (waiting.youngestWait !== undefined) waiting.youngestWait.younger = entry;
  waiting.youngestWait = entry;
  return entry;
}

/** True when it was the youngest. */
function remove(waiting: Waiting, entry: ShownWait): boolean {
  entry.isOver = true;
  if (entry.older !== undefined) entry.older.younger = entry.younger;
  if (entry.younger !== undefined) {
    entry.younger.older = entry.older;
    return false;
  }
  waiting.youngestWait = entry.older;
  return true;
}
