/**
 * What is done when an agent has died: its waits leave the queues, what it was granted and had not noticed goes to the next
 * (repair.ts, `reclaim`), what it held passes on, its tables are freed, and its slot may be claimed again. Under one guard for all; whoever dies at it is followed by the next, who begins anew: each
 * step may be done twice.
 */

import { deadSlots, freeSlot, HOLDS, isAlive, liveSlots, RECORDS } from './agents.ts';
import { fault } from './fault.ts';
import { guarded } from './guard.ts';
import { free } from './heap.ts';
import { SWEEP_GUARD, SWEPT_AT } from './layout.ts';
import { memory } from './memory.ts';
import { drop, releaseTable, retainIfThere } from './objects.ts';
import { NEXT_SLAB, nowMs, OBJECT, recordsOf, SLAB_WORDS, STATUS, statuses } from './records.ts';
import { recheck, reclaim } from './repair.ts';

/** Of all who wait one at a time looks for the dead, so often: asking the kernel costs 20 µs for each agent. */
const SWEEP_EVERY_MS = 100;

/** Looks for agents that have died, unless somebody did so a moment ago or does at this moment. */
export function sweep(): void {
  const { words } = memory();
  const seen = Atomics.load(words, SWEPT_AT);
  const now = nowMs();
  if (((now - seen) & 0x7fff_ffff) < SWEEP_EVERY_MS * 0.9) return;
  if (Atomics.compareExchange(words, SWEPT_AT, seen, now) !== seen) return;
  // Not waited for: it may be stopped.
  const holder = Atomics.load(words, SWEEP_GUARD) >>> 1;
  if (holder === 0 || !isAlive(holder)) bury();
}

/** Buries every agent of the tree that has died, and has what they held passed on. */
export function bury(): void {
  const { words } = memory();
  guarded(
    SWEEP_GUARD,
    () => {},
    () => {
      const dead = deadSlots();
      for (const { at } of dead) buryOne(words, at);
      if (dead.length > 0) for (const object of awaitedObjects(words)) recheckHeld(object);
      for (const { at } of dead) freeSlot(at);
    },
  );
}

function buryOne(words: Int32Array, slot: number): void {
  for (let slab = Atomics.load(words, slot + RECORDS); slab !== 0; slab = Atomics.load(words, slot + RECORDS)) {
    // The repair of what it waited for takes it out of the queue. Also of what was granted: a waker that still writes to
    // the record or the slot holds the object's guard.
    for (const object of waitedForAt(words, slab, (status) => status !== statuses.free)) recheck(object);
    for (const record of recordsOf(slab))
      if (Atomics.load(words, record + STATUS) === statuses.granted) reclaim(record);
    Atomics.store(words, slot + RECORDS, Atomics.load(words, slab + NEXT_SLAB));
    if (fault !== undefined) fault('death.slab');
    free(slab, SLAB_WORDS);
  }
  const table = Atomics.exchange(words, slot + HOLDS, 0);
  if (fault !== undefined) fault('death.table');
  releaseTable(table);
}

/** Its waiter may have come back meanwhile and let go: then the object may be gone, and its cell another's. */
function recheckHeld(object: number): void {
  if (!retainIfThere(object)) return;
  if (fault !== undefined) fault('death.retained');
  recheck(object);
  drop(object);
}

/** What the living wait for: some of it may have been held by the dead. */
function awaitedObjects(words: Int32Array): Set<number> {
  const objects = new Set<number>();
  for (const slot of liveSlots()) {
    for (let slab = Atomics.load(words, slot + RECORDS); slab !== 0; slab = Atomics.load(words, slab + NEXT_SLAB)) {
      for (const object of waitedForAt(words, slab, (status) => status === statuses.parked)) objects.add(object);
    }
  }
  return objects;
}

/** What those records of a slab wait for whose status is `wanted`. */
function waitedForAt(words: Int32Array, slab: number, wanted: (status: number) => boolean): number[] {
  return recordsOf(slab)
    .filter((record) => wanted(Atomics.load(words, record + STATUS)))
    .map((record) => Atomics.load(words, record + OBJECT));
}
