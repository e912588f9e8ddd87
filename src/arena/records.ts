/**
 * Waiter records: one for each wait that had to queue. They belong to the waiting agent, which keeps its own in slabs that
 * hang on its slot, so that whoever finds it dead finds its records.
 *
 *   word     who writes it                                meaning
 *   NEXT     holder of the object's guard                 the record behind it in the object's queue
 *   OBJECT   its agent, before it queues                  what it waits for
 *   OWNER    its agent                                    the agent, for good
 *   STATUS   its agent; holder of the guard               below
 *   SINCE    its agent                                    when the wait began, milliseconds of the machine's clock
 *   PUSHED   waker                                        the next record in the agent's stack of granted ones
 *   MODE     its agent                                    whether its thread sleeps on STATUS, or its loop must be rung
 *   VALUE    the waker, before STATUS                     what it got
 *   TURN     its agent, before it queues                  how often the record has been used
 *   ENDLESS  its agent, once it is queued                 1: no time and no signal ends the wait
 *   BEFORE   holder of the object's guard                 the record before it in the queue, or 0; may be out of date: queue.ts
 */

import { agent, RECORDS } from './agents.ts';
import { allocate } from './heap.ts';
import { memory } from './memory.ts';

export const NEXT = 0;
export const OBJECT = 1;
export const OWNER = 2;
export const STATUS = 3;
export const SINCE = 4;
export const PUSHED = 5;
export const MODE = 6;
export const VALUE = 7;
export const TURN = 8;
export const ENDLESS = 9;
export const BEFORE = 10;

const RECORD_WORDS = 16;
export const SLAB_WORDS = 1024;
/** In the place of a slab's first record. */
export const NEXT_SLAB = 0;

/** `granted`: it has what it waited for. `nudged`: it is off the queue and may try again. */
export const statuses = { free: 0, parked: 1, granted: 2, nudged: 3, cancelled: 4 } as const;
export type Status = (typeof statuses)[keyof typeof statuses];
export const modes = { thread: 0, loop: 1 } as const;
export type Mode = (typeof modes)[keyof typeof modes];

let unused: number[] = [];

/** A record of this agent, not queued yet. */
export function takeRecord(object: number, mode: Mode): number {
  const { words } = memory();
  if (unused.length === 0) unused = addSlab(words);
  const record = unused.pop()!;
  Atomics.store(words, record + NEXT, 0);
  Atomics.store(words, record + OBJECT, object);
  Atomics.store(words, record + OWNER, agent().owner);
  Atomics.store(words, record + SINCE, nowMs());
  Atomics.store(words, record + MODE, mode);
  Atomics.store(words, record + VALUE, 0);
  Atomics.store(words, record + ENDLESS, 0);
  Atomics.add(words, record + TURN, 1);
  Atomics.store(words, record + STATUS, statuses.parked);
  return record;
}

/** Gives a record back that stands in no queue and no stack. */
export function giveRecord(record: number): void {
  Atomics.store(memory().words, record + STATUS, statuses.free);
  unused.push(record);
}

/** The machine's monotonic clock, which all processes share, modulo 2^31. */
export function nowMs(): number {
  return Number((process.hrtime.bigint() / 1_000_000n) & 0x7fff_ffffn);
}

/** The records of a slab that begins at `slab`. */
export function recordsOf(slab: number): number[] {
  return Array.from({ length: SLAB_WORDS / RECORD_WORDS - 1 }, (_, i) => slab + (i + 1) * RECORD_WORDS);
}

function addSlab(words: Int32Array): number[] {
  const slab = allocate(SLAB_WORDS);
  const list = agent().at + RECORDS;
  Atomics.store(words, slab + NEXT_SLAB, Atomics.load(words, list));
  // Last: who sweeps after our death walks from here.
  Atomics.store(words, list, slab);
  return recordsOf(slab).reverse();
}
