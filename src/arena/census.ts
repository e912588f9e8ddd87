/**
 * All agents of the tree, and what each of them waits for at this moment. Read while they run: who needs more than a guess
 * reads it twice and compares (`waitGraph` of sync/ does).
 */

import { GRANTED, isAlive, liveSlots, type Owner, ownerOf, PID, RECORDS, TID } from './agents.ts';
import { memory } from './memory.ts';
import { type Profile, readProfile, rests } from './profile.ts';
import { ENDLESS, MODE, modes, NEXT_SLAB, OBJECT, recordsOf, STATUS, statuses, TURN } from './records.ts';

export interface Wait {
  readonly record: number;
  /** Which use of the record it is. */
  readonly turn: number;
  readonly object: number;
  readonly isBlocking: boolean;
  /** Without a time at which it ends by itself, and without a signal that could end it. */
  readonly isEndless: boolean;
}

export interface Member extends Profile {
  readonly owner: Owner;
  readonly pid: number;
  /** Whether it is the first thread of its process, with which the process ends. */
  readonly isMainThread: boolean;
  /**
   * `blocked`: its thread sleeps until one thing happens. `resting`: its event loop has nothing to do until one of several
   * things happens. In both cases without a limit; all others count as `running`.
   */
  readonly doing: 'running' | 'blocked' | 'resting';
  /** What can set it going: of a blocked one the only wait, else all. */
  readonly waits: readonly Wait[];
}

export function census(): Member[] {
  const { words } = memory();
  return liveSlots()
    .filter((at) => isAlive(ownerOf(words, at)))
    .map((at) => memberAt(words, at));
}

function memberAt(words: Int32Array, at: number): Member {
  const profile = readProfile(at);
  const all = waitsAt(words, at);
  const blocking = all.filter(({ isBlocking }) => isBlocking);
  const pid = Atomics.load(words, at + PID);
  const member = {
    ...profile,
    owner: ownerOf(words, at),
    pid,
    isMainThread: pid === Atomics.load(words, at + TID),
  };
  if (profile.joining !== 0) return { ...member, doing: 'blocked', waits: [] };
  if (blocking.length > 0) {
    return { ...member, doing: blocking.every(({ isEndless }) => isEndless) ? 'blocked' : 'running', waits: blocking };
  }
  const isResting = profile.rest !== rests.none && !hasNews(words, at) && all.every(({ isEndless }) => isEndless);
  return { ...member, doing: isResting ? 'resting' : 'running', waits: all };
}

/** What the agent whose slot is at `at` waits for. */
export function waitsAt(words: Int32Array, at: number): Wait[] {
  return recordsAt(words, at)
    .filter((record) => Atomics.load(words, record + STATUS) === statuses.parked)
    .map((record) => ({
      record,
      turn: Atomics.load(words, record + TURN),
      object: Atomics.load(words, record + OBJECT),
      isBlocking: Atomics.load(words, record + MODE) === modes.thread,
      isEndless: Atomics.load(words, record + ENDLESS) === 1,
    }));
}

/** Whether it was granted something that it has not come to use: a record is given back only after that. */
function hasNews(words: Int32Array, at: number): boolean {
  const quiet: readonly number[] = [statuses.free, statuses.parked];
  return (
    Atomics.load(words, at + GRANTED) !== 0 ||
    recordsAt(words, at).some((record) => !quiet.includes(Atomics.load(words, record + STATUS)))
  );
}

function recordsAt(words: Int32Array, at: number): number[] {
  const records: number[] = [];
  for (let slab = Atomics.load(words, at + RECORDS); slab !== 0; slab = Atomics.load(words, slab + NEXT_SLAB)) {
    records.push(...recordsOf(slab));
  }
  return records;
}
