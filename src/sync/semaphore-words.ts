/**
 * The protocol of a semaphore.
 *
 *   STATE = value × 4 + granting × 2 + parked     value: permits that are left; parked: somebody is queued
 *
 *   take     CAS value → value − 1 while nobody is queued, else queue
 *   give     CAS value → value + n while nobody is queued, else under the guard, and then, while there are permits and
 *            somebody is queued: one CAS takes a permit and sets `granting`; the first is told; `granting` is cleared
 *
 * A permit that a dead agent was granted and had not noticed goes back when the agent is buried: `reclaim`. One that it had
 * taken is lost with it.
 *
 * A death with `granting` set has taken a permit for GRANTEE: `repair` gives it to that one.
 */

import { isAlive } from '../arena/agents.ts';
import { fault } from '../arena/fault.ts';
import { memory } from '../arena/memory.ts';
import { GRANTEE, kinds, STATE } from '../arena/object-words.ts';
import { append, beginGrant, endGrant, first, firstLiving, mend, unfinishedGrant } from '../arena/queue.ts';
import { giveRecord, type Mode, OWNER, statuses, takeRecord } from '../arena/records.ts';
import { exclusively, recheck, registerReclaim, registerRepair } from '../arena/repair.ts';

const PARKED = 1;
const GRANTING = 2;
const ONE = 4;
/** The largest number of permits. */
export const VALUE_MAX: number = 2 ** 28 - 1;

registerRepair(kinds.semaphore, repair);
registerRepair(kinds.boundedSemaphore, repair);
registerReclaim(kinds.semaphore, reclaim);
registerReclaim(kinds.boundedSemaphore, reclaim);

export function initialise(at: number, value: number): void {
  Atomics.store(memory().words, at + STATE, value * ONE);
}

export function permitsLeft(at: number): number {
  return Atomics.load(memory().words, at + STATE) >>> 2;
}

/** Takes a permit if that can be done at once; not past somebody who queues. */
export function take(at: number): boolean {
  const { words } = memory();
  for (;;) {
    const seen = Atomics.load(words, at + STATE);
    if (seen < ONE || (seen & PARKED) !== 0) return false;
    if (Atomics.compareExchange(words, at + STATE, seen, seen - ONE) === seen) return true;
  }
}

/** As `take`, but where there is a permit and it is said that somebody queues, it looks whether that is so. */
export function tryTake(at: number): boolean {
  const { words } = memory();
  if (take(at)) return true;
  if (Atomics.load(words, at + STATE) < ONE) return false;
  // A giver hands it out at this moment, or died before it did.
  recheck(at);
  return take(at);
}

/** Queues, unless a permit can be had: then 0. */
export function queueUp(at: number, mode: Mode): number {
  const record = takeRecord(at, mode);
  const isQueued = exclusively(at, () => {
    const { words } = memory();
    for (;;) {
      const seen = Atomics.load(words, at + STATE);
      if (take(at)) return false;
      if ((seen & PARKED) === 0 && seen >= ONE) continue;
      if ((seen & PARKED) === 0 && Atomics.compareExchange(words, at + STATE, seen, seen | PARKED) !== seen) continue;
      if (fault !== undefined) fault('semaphore.parked');
      append(at, record);
      return true;
    }
  });
  if (!isQueued) giveRecord(record);
  return isQueued ? record : 0;
}

/** Adds `n` permits, unless there would be more than `bound`: then false. */
export function give(at: number, n: number, bound: number): boolean {
  const { words } = memory();
  for (;;) {
    const seen = Atomics.load(words, at + STATE);
    if ((seen >>> 2) + n > bound) return false;
    if ((seen & PARKED) !== 0) return exclusively(at, () => giveGuarded(at, n, bound));
    if (Atomics.compareExchange(words, at + STATE, seen, seen + n * ONE) === seen) return true;
  }
}

function giveGuarded(at: number, n: number, bound: number): boolean {
  const { words } = memory();
  for (;;) {
    const seen = Atomics.load(words, at + STATE);
    if ((seen >>> 2) + n > bound) return false;
    if (Atomics.compareExchange(words, at + STATE, seen, seen + n * ONE) === seen) break;
  }
  if (fault !== undefined) fault('semaphore.given');
  serve(at);
  return true;
}

/** Gives what there is to those who queue. */
function serve(at: number): void {
  const { words } = memory();
  for (let head = firstLiving(at); head !== 0; head = firstLiving(at)) {
    beginGrant(at, head);
    if (!change(at, (seen) => (seen < ONE ? undefined : (seen - ONE) | GRANTING))) {
      Atomics.store(words, at + GRANTEE, 0);
      break;
    }
    if (fault !== undefined) fault('semaphore.granting');
    complete(at, head);
  }
  change(at, (seen) => (first(at) === 0 ? seen & ~PARKED : seen | PARKED));
}

/** A permit has been taken for `record`. */
function complete(at: number, record: number): void {
  endGrant(at, record, statuses.granted, 0);
  change(at, (seen) => seen & ~GRANTING);
  if (fault !== undefined) fault('semaphore.granted');
}

/** The permit of one that died before it noticed that it had one. */
function reclaim(at: number): void {
  change(at, (seen) => seen + ONE);
  serve(at);
}

function change(at: number, next: (seen: number) => number | undefined): boolean {
  const { words } = memory();
  for (;;) {
    const seen = Atomics.load(words, at + STATE);
    const wanted = next(seen);
    if (wanted === undefined) return false;
    if (Atomics.compareExchange(words, at + STATE, seen, wanted) === seen) return true;
  }
}

function repair(at: number): void {
  const { words } = memory();
  if ((Atomics.load(words, at + STATE) & GRANTING) !== 0) {
    const record = unfinishedGrant(at);
    if (record === 0) change(at, (seen) => seen & ~GRANTING);
    else if (isAlive(Atomics.load(words, record + OWNER))) complete(at, record);
    // Dead before it was told: the permit goes back.
    else change(at, (seen) => (seen & ~GRANTING) + ONE);
  }
  Atomics.store(words, at + GRANTEE, 0);
  mend(at);
  serve(at);
}
