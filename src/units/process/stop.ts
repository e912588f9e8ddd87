/**
 * Stops a child where it holds nothing that others spin on.
 *
 *   SIGSTOP; until all its threads have stopped: wait
 *   while one of them is inside a guard: SIGCONT; until that one is outside: wait; SIGSTOP; until all have stopped: wait
 *
 * Guards are held for less than a microsecond at a time, so one or two rounds are the rule, of some 50 µs each. Stopped from
 * outside, by a SIGSTOP that somebody else sends, a child may hold a guard; whoever needs it has it run on: arena/stopped.ts.
 */

import { PID, slotsOf } from '../../arena/agents.ts';
import { isUsed, memory } from '../../arena/memory.ts';
import { isInside } from '../../arena/stopped.ts';
import { nowMs } from '../../platform/clock.ts';
import { system } from '../../platform/system.ts';

/** After that it stays stopped where it is: no child may keep this thread, least of all one that gets no processor. */
const PATIENCE_MS = 100;
/** Looks in a row, of a microsecond each; between later ones the thread sleeps, for the child may need its processor. */
const LOOKS = 20;
const SLEEP_MS = 0.02;

/** @param signal - sends one to the child; false when there is none any more, or it may not be signalled. */
export function stop(pid: number, signal: (name: 'SIGSTOP' | 'SIGCONT') => boolean): void {
  if (!signal('SIGSTOP') || !isUsed()) return;
  // Who has no slot by now holds no guard, and is not waited for. To get one, its main thread must call the kernel, and does
  // not come back: the signal is there. (Only a worker thread that is about to use the arena as the first of its process could.)
  const [slot] = slotsOf(pid);
  if (slot === undefined) return;
  const deadline = nowMs() + PATIENCE_MS;
  while (waitUntil(() => system().peekStop(pid) !== 'running', slot, deadline)) {
    const inside = slotsOf(pid).find(isInside);
    if (inside === undefined || nowMs() >= deadline || system().peekStop(pid) === 'ended') return;
    signal('SIGCONT');
    waitUntil(() => !isInside(inside), slot, deadline);
    signal('SIGSTOP');
  }
}

/** Blocks the thread until `condition` holds; false when the time passed first. @param slot - of the child. */
function waitUntil(condition: () => boolean, slot: number, deadline: number): boolean {
  const { words, mapping } = memory();
  for (let look = 0; !condition(); look++) {
    if (look < LOOKS) continue;
    if (nowMs() >= deadline) return false;
    // Nobody wakes it: only the time counts.
    mapping.waitWhile(slot + PID, Atomics.load(words, slot + PID), SLEEP_MS);
  }
  return true;
}
