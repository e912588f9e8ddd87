/**
 * The protocol of a lock.
 *
 *   STATE = owner × 2 + parked     owner: the agent that holds it, 0 when it is free; parked: somebody is queued
 *   TURN                           the number of this turn at holding it; a lease remembers its own
 *   COUNT                          of a reentrant lock: how often its holder has it; 0 while it is free or just granted
 *   TURNS                          the number of the latest turn. TURN falls behind it when a wait on a condition ends:
 *                                  the lease from before the wait is good again
 *
 *   take     CAS free → mine, whoever is queued (overtaking keeps a contended lock fast), else spin, else queue
 *   release  nobody queued: CAS mine → free
 *            under the guard, the first of the queue having waited
 *              less than FAIR_MS: the lock becomes free and the first is nudged, to try again from the first place
 *              longer: it is handed over, and nobody can overtake
 *
 * STATE may be changed without the guard only where `parked` is 0 or the owner is 0. Under the guard, with somebody queued
 * and an owner, nobody else writes it. The steps of a release: mark the first (GRANTEE), write STATE, take it off the queue
 * and tell it. A death in between is finished by `repair`: STATE tells how far it came. A dead owner's lock goes to the
 * first of the queue, or to whoever comes next, and the lease says `abandoned`.
 */

import { agent, isAlive, type Owner } from '../arena/agents.ts';
import { fault } from '../arena/fault.ts';
import { memory } from '../arena/memory.ts';
import { GRANTEE, kinds, OWN, STATE } from '../arena/object-words.ts';
import { append, beginGrant, endGrant, first, mend, prepend, unfinishedGrant } from '../arena/queue.ts';
import {
  giveRecord,
  type Mode,
  NEXT,
  nowMs,
  OWNER,
  TURN as RECORD_TURN,
  SINCE,
  STATUS,
  statuses,
  takeRecord,
  VALUE,
} from '../arena/records.ts';
import { exclusively, registerRepair } from '../arena/repair.ts';

export const TURN: number = OWN;
export const COUNT: number = OWN + 1;
export const TURNS: number = OWN + 2;
/** Some 5 µs: about what a hand-over between processes takes. */
const SPINS = 150;
const FAIR_MS = 1;

registerRepair(kinds.lock, repair);
registerRepair(kinds.rlock, repair);

/** What a take got: the lock as it should be, or as its last holder left it by dying. */
export type Taken = 'taken' | 'abandoned';

/** Takes the lock at `at` if that can be done at once. */
export function tryTake(at: number): Taken | undefined {
  if (takeFree(at)) return 'taken';
  const { words } = memory();
  const owner = Atomics.load(words, at + STATE) >>> 1;
  if (owner === 0) return takeFree(at) ? 'taken' : undefined;
  return isAlive(owner) ? undefined : inherit(at, owner);
}

/** Whether a living agent holds it. */
export function isHeldAt(at: number): boolean {
  const owner = Atomics.load(memory().words, at + STATE) >>> 1;
  return owner !== 0 && isAlive(owner);
}

/** One compare-and-exchange or two. */
export function takeFree(at: number): boolean {
  const { words } = memory();
  const mine = agent().owner * 2;
  const seen = Atomics.compareExchange(words, at + STATE, 0, mine);
  return seen === 0 || (seen === 1 && Atomics.compareExchange(words, at + STATE, 1, mine + 1) === 1);
}

/** Tries for a few microseconds. */
export function spin(at: number): boolean {
  const { words } = memory();
  if (handedOver === at) {
    handedOver = 0;
    return false;
  }
  for (let i = 0; i < SPINS; i++) if (Atomics.load(words, at + STATE) <= 1 && takeFree(at)) return true;
  return false;
}

/** Queues, unless the lock can be had: then 0. */
export function queueUp(at: number, mode: Mode): number {
  const record = takeRecord(at, mode);
  const isQueued = exclusively(at, () => stand(at, record, append));
  if (!isQueued) giveRecord(record);
  return isQueued ? record : 0;
}

/** Queues again, at the first place, with a record that was nudged. False when the lock could be had. */
export function queueAgain(at: number, record: number): boolean {
  const { words } = memory();
  Atomics.add(words, record + RECORD_TURN, 1);
  Atomics.store(words, record + STATUS, statuses.parked);
  return exclusively(at, () => stand(at, record, prepend));
}

function stand(at: number, record: number, place: typeof append): boolean {
  const { words } = memory();
  for (;;) {
    const seen = Atomics.load(words, at + STATE);
    if (seen <= 1) {
      if (takeFree(at)) return false;
    } else if ((seen & 1) === 1 || Atomics.compareExchange(words, at + STATE, seen, seen + 1) === seen) {
      if (fault !== undefined) fault('lock.parked');
      place(at, record);
      return true;
    }
  }
}

/** Releases the lock, whoever holds it. False when nobody does. */
export function release(at: number): boolean {
  const { words } = memory();
  const mine = agent().owner * 2;
  const seen = Atomics.compareExchange(words, at + STATE, mine, 0);
  if (seen === mine) return true;
  return seen > 1 && exclusively(at, () => releaseGuarded(at));
}

/**
 * The lock that this thread has handed over last. It queues for it without a try of luck: else it would take it back at
 * once, from a processor that has it in its cache, and the other would have got it for one turn.
 */
let handedOver = 0;

function releaseGuarded(at: number): boolean {
  const { words } = memory();
  for (;;) {
    const seen = Atomics.load(words, at + STATE);
    if (seen <= 1) return false;
    const head = first(at);
    if (head !== 0) {
      const isHandedOver = isDue(head);
      if (isHandedOver) handedOver = at;
      passOn(at, head, isHandedOver ? gifts.lock : gifts.nudge);
      return true;
    }
    if (Atomics.compareExchange(words, at + STATE, seen, 0) === seen) return true;
  }
}

function isDue(record: number): boolean {
  return ((nowMs() - Atomics.load(memory().words, record + SINCE)) & 0x7fff_ffff) > FAIR_MS;
}

/** What a record is told, in its VALUE: from before the deed on, so that a repair knows what was meant. */
export const gifts = { nudge: 0, lock: 1, abandonedLock: 2 } as const;
type Gift = (typeof gifts)[keyof typeof gifts];

/** The lock, held by somebody whom nobody can overtake, leaves its holder; `head` is the first of the queue. */
function passOn(at: number, head: number, gift: Gift): void {
  const { words } = memory();
  Atomics.store(words, head + VALUE, gift);
  beginGrant(at, head);
  if (gift === gifts.abandonedLock) Atomics.store(words, at + COUNT, 0);
  const parked = Atomics.load(words, head + NEXT) === 0 ? 0 : 1;
  const owner = gift === gifts.nudge ? 0 : Atomics.load(words, head + OWNER);
  Atomics.store(words, at + STATE, owner * 2 + parked);
  if (fault !== undefined) fault('lock.passed');
  endGrant(at, head, gift === gifts.nudge ? statuses.nudged : statuses.granted, gift);
}

/** Has the first of the queue try: the lock is free, and anybody may take it meanwhile. */
function nudge(at: number, head: number): void {
  const { words } = memory();
  Atomics.store(words, head + VALUE, gifts.nudge);
  beginGrant(at, head);
  setParked(at, Atomics.load(words, head + NEXT) !== 0);
  endGrant(at, head, statuses.nudged, gifts.nudge);
}

function setParked(at: number, isParked: boolean): void {
  const { words } = memory();
  const parked = isParked ? 1 : 0;
  for (;;) {
    const seen = Atomics.load(words, at + STATE);
    if ((seen & 1) === parked || Atomics.compareExchange(words, at + STATE, seen, (seen & ~1) | parked) === seen)
      return;
  }
}

/** Takes the lock of an owner that has died. */
function inherit(at: number, owner: Owner): Taken | undefined {
  const { words } = memory();
  return exclusively(at, () => {
    // To the first of those who queue and live, if there are any.
    repair(at);
    const seen = Atomics.load(words, at + STATE);
    if (seen >>> 1 !== owner || first(at) !== 0) return undefined; // somebody else was faster, or comes first
    Atomics.store(words, at + COUNT, 0);
    const isMine = Atomics.compareExchange(words, at + STATE, seen, agent().owner * 2) === seen;
    return isMine ? 'abandoned' : undefined;
  });
}

function repair(at: number): void {
  const { words } = memory();
  finish(at);
  mend(at);
  const head = first(at);
  setParked(at, head !== 0);
  if (head === 0) return;
  const owner = Atomics.load(words, at + STATE) >>> 1;
  // A free lock with somebody queued: whoever was nudged has died, or sleeps. The next one may try.
  if (owner === 0) nudge(at, head);
  else if (!isAlive(owner)) passOn(at, head, gifts.abandonedLock);
}

/** Ends what a dead agent began: STATE tells whether it had come to the deed. */
function finish(at: number): void {
  const { words } = memory();
  const record = unfinishedGrant(at);
  if (record !== 0) {
    const owner = Atomics.load(words, at + STATE) >>> 1;
    const gift = Atomics.load(words, record + VALUE);
    if (gift === gifts.nudge) endGrant(at, record, statuses.nudged, gift);
    // The lock was held until then, so only the deed itself can have made this agent its owner.
    else if (owner === Atomics.load(words, record + OWNER)) endGrant(at, record, statuses.granted, gift);
  }
  Atomics.store(words, at + GRANTEE, 0);
}
