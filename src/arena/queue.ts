/**
 * The queue of waiters of one object: records linked from HEAD to TAIL, in order of arrival. Whoever touches it holds the
 * object's guard; the words stand at fixed places of every object (object.ts).
 *
 * Each change is one write that counts: linking writes the last record's NEXT (or HEAD), unlinking the one before.
 * TAIL may lag behind after a death; `mend` walks the list, drops the records of the dead, and sets it right.
 *
 * BEFORE leads back, so that a wait is withdrawn without a walk past all that came before it. It is believed only if the
 * record that it names leads on to this one. That could be deceived by a record that is out of the queue, whose NEXT stays as it
 * was; so who takes one out writes BEFORE of the one behind first, and who puts one in writes it last: after a death on the way
 * it names one that does not lead here, and is not believed until `mend` has set it right.
 */

import { ARMED, agent, GRANTED, isAlive, slotOf } from './agents.ts';
import { ring } from './doorbell.ts';
import { fault } from './fault.ts';
import { afterwards } from './guard.ts';
import { memory } from './memory.ts';
import { GRANTEE, GRANTEE_TURN, HEAD, TAIL } from './object-words.ts';
import { announceOwnGrant } from './own-grants.ts';
import {
  BEFORE,
  MODE,
  modes,
  NEXT,
  OBJECT,
  OWNER,
  PUSHED,
  STATUS,
  type Status,
  statuses,
  TURN,
  VALUE,
} from './records.ts';

/** The record that has waited longest; 0 when nobody waits. */
export function first(object: number): number {
  return Atomics.load(memory().words, object + HEAD);
}

/** As `first`, but takes out those of the dead on the way: what they were given would be lost. Asks the kernel. */
export function firstLiving(object: number): number {
  for (let head = first(object); head !== 0; head = first(object)) {
    if (isAlive(Atomics.load(memory().words, head + OWNER))) return head;
    unlink(object, head);
  }
  return 0;
}

/** Queues a record behind the others. */
export function append(object: number, record: number): void {
  const { words } = memory();
  const tail = Atomics.load(words, object + TAIL);
  Atomics.store(words, record + BEFORE, tail);
  if (fault !== undefined) fault('queue.append');
  if (tail === 0) Atomics.store(words, object + HEAD, record);
  else Atomics.store(words, tail + NEXT, record);
  if (fault !== undefined) fault('queue.appended');
  Atomics.store(words, object + TAIL, record);
}

/** Queues a record before the others: one that was nudged and came too late keeps its place. */
export function prepend(object: number, record: number): void {
  const { words } = memory();
  const behind = first(object);
  Atomics.store(words, record + NEXT, behind);
  Atomics.store(words, record + BEFORE, 0);
  if (fault !== undefined) fault('queue.prepend');
  Atomics.store(words, object + HEAD, record);
  if (fault !== undefined) fault('queue.prepended');
  if (behind !== 0) Atomics.store(words, behind + BEFORE, record);
  if (Atomics.load(words, object + TAIL) === 0) Atomics.store(words, object + TAIL, record);
}

/** Queues a record behind another one that is in the queue. */
export function insertBehind(object: number, before: number, record: number): void {
  const { words } = memory();
  const behind = Atomics.load(words, before + NEXT);
  Atomics.store(words, record + NEXT, behind);
  Atomics.store(words, record + BEFORE, before);
  if (fault !== undefined) fault('queue.insert');
  Atomics.store(words, before + NEXT, record);
  if (fault !== undefined) fault('queue.inserted');
  if (behind !== 0) Atomics.store(words, behind + BEFORE, record);
  if (Atomics.load(words, object + TAIL) === before) Atomics.store(words, object + TAIL, record);
}

/** Takes a record out, wherever it stands; does nothing when it is not in the queue. */
export function unlink(object: number, record: number): void {
  const { words } = memory();
  const before = predecessor(object, record);
  if (before === undefined) return;
  const behind = Atomics.load(words, record + NEXT);
  if (fault !== undefined) fault('queue.unlink');
  if (behind !== 0) Atomics.store(words, behind + BEFORE, before);
  if (fault !== undefined) fault('queue.unlinking');
  Atomics.store(words, linkBehind(object, before), behind);
  if (fault !== undefined) fault('queue.unlinked');
  if (behind === 0) Atomics.store(words, object + TAIL, before);
}

/** The record before this one, 0 for the first; `undefined` when it is not in the queue. */
function predecessor(object: number, record: number): number | undefined {
  const { words } = memory();
  const noted = Atomics.load(words, record + BEFORE);
  if (Atomics.load(words, linkBehind(object, noted)) === record) return noted;
  let before = 0;
  for (let at = first(object); at !== record; before = at, at = Atomics.load(words, at + NEXT)) {
    if (at === 0) return undefined;
  }
  return before;
}

/** The word that leads from a record on; from 0, to the first one. */
function linkBehind(object: number, before: number): number {
  return before === 0 ? object + HEAD : before + NEXT;
}

/**
 * Takes a record off the queue and tells its agent what became of it. A death on the way is finished by
 * the repair of the object: `unfinishedGrant`.
 */
export function grant(object: number, record: number, status: Status, value = 0): void {
  beginGrant(object, record);
  endGrant(object, record, status, value);
}

/** Marks the record, so that what follows can be finished by others. */
export function beginGrant(object: number, record: number): void {
  const { words } = memory();
  Atomics.store(words, object + GRANTEE_TURN, Atomics.load(words, record + TURN));
  if (fault !== undefined) fault('grant.turn');
  Atomics.store(words, object + GRANTEE, record);
  if (fault !== undefined) fault('grant.begun');
}

export function endGrant(object: number, record: number, status: Status, value: number): void {
  const { words } = memory();
  unlink(object, record);
  Atomics.store(words, record + VALUE, value);
  if (fault !== undefined) fault('grant.unlinked');
  notify(record, status);
  Atomics.store(words, object + GRANTEE, 0);
  if (fault !== undefined) fault('grant.ended');
}

/** The record whose grant a dead agent began and did not end; 0 when there is none. */
export function unfinishedGrant(object: number): number {
  const { words } = memory();
  const record = Atomics.load(words, object + GRANTEE);
  if (record === 0) return 0;
  // The status first: its agent, should it use the record again, changes the turn before it says `parked`.
  if (Atomics.load(words, record + STATUS) !== statuses.parked) return 0;
  const isSame = Atomics.load(words, record + TURN) === Atomics.load(words, object + GRANTEE_TURN);
  return isSame && Atomics.load(words, record + OBJECT) === object ? record : 0;
}

/** Tells the agent of a record that is off the queue what became of it. The last step: the record is no longer ours. */
function notify(record: number, status: Status): void {
  const { words, mapping } = memory();
  const owner = Atomics.load(words, record + OWNER);
  const mode = Atomics.load(words, record + MODE);
  if (mode === modes.loop) push(words, record, slotOf(owner), status);
  else Atomics.store(words, record + STATUS, status);
  if (fault !== undefined) fault('queue.notified');
  if (mode === modes.thread) afterwards(() => mapping.wake(record + STATUS));
  else if (owner === agent().owner) announceOwnGrant();
  else if (Atomics.exchange(words, slotOf(owner) + ARMED, 0) === 1) afterwards(() => ring(owner));
}

/** Its agent takes the whole stack at once, so no record can come back between our load and our exchange. */
function push(words: Int32Array, record: number, slot: number, status: Status): void {
  // The status first: an agent that finds the record in its stack acts on it.
  Atomics.store(words, record + STATUS, status);
  if (fault !== undefined) fault('queue.push');
  for (;;) {
    const top = Atomics.load(words, slot + GRANTED);
    Atomics.store(words, record + PUSHED, top);
    if (Atomics.compareExchange(words, slot + GRANTED, top, record) === top) return;
  }
}

/** Sets the queue right after a death: without the records of the dead, and with its true end. */
export function mend(object: number): void {
  const { words } = memory();
  const alive = new Map<number, boolean>();
  let before = 0;
  for (let at = first(object), behind = 0; at !== 0; at = behind) {
    behind = Atomics.load(words, at + NEXT);
    const owner = Atomics.load(words, at + OWNER);
    if (!alive.has(owner)) alive.set(owner, isAlive(owner));
    if (alive.get(owner) && Atomics.load(words, at + STATUS) === statuses.parked) {
      Atomics.store(words, at + BEFORE, before);
      before = at;
    } else {
      if (behind !== 0) Atomics.store(words, behind + BEFORE, before);
      Atomics.store(words, linkBehind(object, before), behind);
    }
  }
  Atomics.store(words, object + TAIL, before);
}
