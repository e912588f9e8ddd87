/**
 * Processes that are stopped, by SIGSTOP, while they hold a guard.
 *
 * Who stops a child by this library sees to it that it holds none (units/process/stop.ts). A SIGSTOP that comes from elsewhere
 * does not ask; whoever then waits for the guard finds its holder stopped, has it go on until it has let go, and stops it again.
 * A SIGCONT that somebody else sends in these some 0.1 ms is lost by that; the other choice is to wait for it, and perhaps to be
 * the one who should send it.
 */

import { kernelState } from '../platform/proc.ts';
import { INSIDE, type Owner, ownerOf, PID, slotOf, slotsOf } from './agents.ts';
import { MAGIC } from './layout.ts';
import { memory } from './memory.ts';

/** After that it is left as it is: going on. */
const PATIENCE_MS = 100;
const PAUSE_MS = 0.02;

/** Whether the agent at `slot` holds a guard. Exact once its thread has stopped; while it runs, what may be over by now. */
export function isInside(slot: number): boolean {
  const { words } = memory();
  const at = Atomics.load(words, slot + INSIDE);
  // It may also still wait for its turn, or have just let go.
  return at !== 0 && Atomics.load(words, at) >>> 1 === ownerOf(words, slot);
}

/** If the process of `owner` is stopped, has it go on until it is outside of all guards. */
export function letRunOn(owner: Owner): void {
  const pid = Atomics.load(memory().words, slotOf(owner) + PID);
  if (pid === process.pid || kernelState(pid) !== 'T') return;
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const inside = slotsOf(pid).find(isInside);
    if (inside === undefined) return;
    if (!signal(pid, 'SIGCONT')) return;
    if (!spin(() => !isInside(inside), deadline)) return;
    if (!signal(pid, 'SIGSTOP')) return;
    spin(() => kernelState(pid) !== 'R' && kernelState(pid) !== 'S', deadline);
  }
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // it has died, or belongs to somebody else by now
  }
}

/** False when the time passed first. Gives the processor away: the other may need it. */
function spin(condition: () => boolean, deadline: number): boolean {
  const { mapping, words } = memory();
  while (!condition()) {
    if (performance.now() >= deadline) return false;
    // Nobody wakes it: only the time counts.
    mapping.waitWhile(MAGIC, Atomics.load(words, MAGIC), PAUSE_MS);
  }
  return true;
}
