/**
 * What an agent says of itself, so that others can tell how it stands with it without asking. In the words of its slot that
 * agents.ts leaves free; all of them are written by the agent alone.
 *
 *   word        meaning
 *   PARENT      the process that started its process; 0 in the main process
 *   REST        how much is known of its rest, below
 *   SINCE       when it came to rest, or its thread was blocked, in milliseconds of the machine's clock
 *   PULSE       counts the moments at which it was seen to run: beginnings and ends of waits, ends of children
 *   CHILDREN    how many processes that this thread started have not ended
 *   JOINING     the process for whose end its thread is blocked, without a limit; 0: none
 *   TITLE       length in bytes, then UTF-8
 */

import { memory } from './memory.ts';

const PARENT = 16;
const REST = 17;
const SINCE = 18;
const PULSE = 19;
const CHILDREN = 20;
const JOINING = 21;
const TITLE = 24;
const END = 64;

/**
 * `none`: it may be running. `apparent`: all it does is to wait for what the arena shows. `certain`: so it has been for as
 * long as a report waits, and it was looked at closely.
 */
export const rests = { none: 0, apparent: 1, certain: 2 } as const;
export type Rest = (typeof rests)[keyof typeof rests];

export interface Introduction {
  /** `process "worker"` */
  readonly title: string;
  /** 0 in the main process. */
  readonly parentPid: number;
}

export interface Profile extends Introduction {
  readonly rest: Rest;
  readonly sinceMs: number;
  readonly pulse: number;
  readonly children: number;
  readonly joining: number;
}

let describe = (): Introduction => ({ title: `process ${process.pid}`, parentPid: 0 });

/** Says who the agents of this process are; asked when one takes its slot. */
export function introduce(as: () => Introduction): void {
  describe = as;
}

/** Writes the profile of an agent that takes the slot at `at`. */
export function writeProfile(at: number): void {
  const { words, bytes } = memory();
  const { title, parentPid } = describe();
  for (const field of [REST, SINCE, PULSE, CHILDREN, JOINING]) Atomics.store(words, at + field, 0);
  Atomics.store(words, at + PARENT, parentPid);
  const { written } = new TextEncoder().encodeInto(title, bytes.subarray((at + TITLE + 1) * 4, (at + END) * 4));
  Atomics.store(words, at + TITLE, written);
}

export function readProfile(at: number): Profile {
  const { words, bytes } = memory();
  const load = (field: number): number => Atomics.load(words, at + field);
  const begin = (at + TITLE + 1) * 4;
  return {
    title: Buffer.from(bytes.slice(begin, begin + load(TITLE))).toString('utf8'),
    parentPid: load(PARENT),
    rest: load(REST) as Rest,
    sinceMs: load(SINCE),
    pulse: load(PULSE),
    children: load(CHILDREN),
    joining: load(JOINING),
  };
}

/** Says that the agent at `at` runs. */
export function noteRunning(at: number): void {
  const { words } = memory();
  // The rest first: who sees the old pulse and the new rest takes it for running, which is never wrong.
  Atomics.store(words, at + REST, rests.none);
  Atomics.add(words, at + PULSE, 1);
}

/** Says that it waits from now on. @param nowMs - of the machine's clock: `nowMs` of records.ts. */
export function noteSince(at: number, nowMs: number): void {
  Atomics.store(memory().words, at + SINCE, nowMs);
}

export function noteRest(at: number, rest: Rest): void {
  Atomics.store(memory().words, at + REST, rest);
}

export function restOf(at: number): Rest {
  return Atomics.load(memory().words, at + REST) as Rest;
}

export function pulseOf(at: number): number {
  return Atomics.load(memory().words, at + PULSE);
}

export function noteChildren(at: number, count: number): void {
  Atomics.store(memory().words, at + CHILDREN, count);
}

/** @param pid - 0: it is over. */
export function noteJoining(at: number, pid: number): void {
  Atomics.store(memory().words, at + JOINING, pid);
}
