/** What is to be done to an object when an agent has died: each kind says it for itself. */

import { guarded } from './guard.ts';
import { memory } from './memory.ts';
import { GUARD, KIND } from './object-words.ts';

/**
 * Makes an object whole after a death, its guard being held: finishes a grant, mends the queue, passes on what the dead
 * one held. Doing it twice, or without need, changes nothing.
 */
export type Repair = (object: number) => void;

const repairs = new Map<number, Repair>();

export function registerRepair(kind: number, repair: Repair): void {
  repairs.set(kind, repair);
}

/** Runs `body` under the guard of an object. */
export function exclusively<T>(object: number, body: () => T): T {
  return guarded(object + GUARD, () => repair(object), body);
}

/** Looks whether an object needs repair, and repairs it: for waiters, now and then. */
export function recheck(object: number): void {
  exclusively(object, () => repair(object));
}

function repair(object: number): void {
  repairs.get(Atomics.load(memory().words, object + KIND))?.(object);
}
