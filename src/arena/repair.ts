/** What is to be done to an object when an agent has died: each kind says it for itself. */

import { guarded } from './guard.ts';
import { memory } from './memory.ts';
import { GUARD, KIND } from './object-words.ts';
import { OBJECT, STATUS, statuses } from './records.ts';

/**
 * Makes an object whole after a death, its guard being held: finishes a grant, mends the queue, passes on what the dead
 * one held. Doing it twice, or without need, changes nothing.
 */
export type Repair = (object: number) => void;

const repairs = new Map<number, Repair>();
const looksOnArrival = new Set<number>();

/** @param options.looksOnArrival - whether each wait sees for itself, when it queues, what a death before left behind. */
export function registerRepair(kind: number, repair: Repair, options?: { readonly looksOnArrival: boolean }): void {
  repairs.set(kind, repair);
  if (options?.looksOnArrival === true) looksOnArrival.add(kind);
}

/** What is to be done with what an agent was granted by an object, and died before it came to take. */
const reclaims = new Map<number, (object: number) => void>();

export function registerReclaim(kind: number, reclaim: (object: number) => void): void {
  reclaims.set(kind, reclaim);
}

/** Gives what the record of a dead agent was granted to the next. At most once: a death on the way loses it. */
export function reclaim(record: number): void {
  const { words } = memory();
  const object = Atomics.load(words, record + OBJECT);
  exclusively(object, () => {
    if (Atomics.load(words, record + STATUS) !== statuses.granted) return;
    Atomics.store(words, record + STATUS, statuses.free);
    reclaims.get(Atomics.load(words, object + KIND))?.(object);
  });
}

/** Runs `body` under the guard of an object. */
export function exclusively<T>(object: number, body: () => T): T {
  return guarded(object + GUARD, () => repair(object), body);
}

/** Looks whether an object needs repair, and repairs it: for waiters, now and then. */
export function recheck(object: number): void {
  exclusively(object, () => repair(object));
}

/** As `recheck`, for one who has just queued. */
export function recheckOnArrival(object: number): void {
  if (!looksOnArrival.has(Atomics.load(memory().words, object + KIND))) recheck(object);
}

function repair(object: number): void {
  repairs.get(Atomics.load(memory().words, object + KIND))?.(object);
}
