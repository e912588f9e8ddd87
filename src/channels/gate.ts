/**
 * A gate: where those stand in line who wait for a stream to let them pass, in order of arrival, coroutines and threads alike.
 * A stream has three: for those who want to take, to put, and to see everything dealt with.
 *
 *   STATE = strict × 2 + parked     parked: somebody may be in the line; strict: nobody may pass who has not stood in it
 *   STREAM, PASSAGE                 whose gate it is, and what must hold to pass: stream-words.ts, `mayPass`
 *   NUDGED                          how many were told to try and have not yet passed or come back: what they are about is not
 *                                   offered to others of the line. 0 again after each death
 *
 *   come      under the guard: set `parked`, then look whether one may pass; if so do not queue. Whoever makes passing possible
 *             changes the stream first and then looks for `parked`: one of the two sees the other.
 *   first     a thread that blocks stands before its own coroutines, for they cannot go on before it does
 *   nudge     under the guard: the first is taken off the line and told to try. It takes nothing by that: it tries as
 *             everybody does, and may come too late.
 *   return    whoever was nudged and came too late goes back to the first place and sets `strict`. It is cleared when that
 *             one has passed or given up.
 *   next      who has passed after a wait nudges the next, if that one may pass as well; so may who gives up or dies.
 *
 * Only nudges are handed out, so a death loses none of what they are about; a nudge that a dead agent did not follow goes to
 * the next when it is buried (`reclaim`). VALUE of a record is what it wants: LOOK to be told and take nothing, `ANY_CHANGE`
 * to be told of the next change as well, else an amount; `mayPass` is asked for all of them.
 */

import { fault } from '../arena/fault.ts';
import { memory } from '../arena/memory.ts';
import { GRANTEE, kinds, OWN, STATE } from '../arena/object-words.ts';
import { createPart } from '../arena/objects.ts';
import { append, endGrant, first, grant, insertBehind, mend, prepend, unfinishedGrant } from '../arena/queue.ts';
import { STATUS, statuses, TURN, VALUE } from '../arena/records.ts';
import { exclusively, registerReclaim, registerRepair } from '../arena/repair.ts';

const PARKED = 1;
const STRICT = 2;
const STREAM: number = OWN;
const PASSAGE: number = OWN + 1;
const NUDGED: number = OWN + 2;

/** What a record may want, besides a number from 1 on. */
export const LOOK = 0;
export const ANY_CHANGE = -1;

/** Which condition a gate stands for. */
export type Passage = 0 | 1 | 2;
/** @param ahead - how many others are about to pass. */
type MayPass = (stream: number, passage: Passage, wanted: number, ahead: number) => boolean;
let mayPass: MayPass = () => false;

registerRepair(kinds.gate, repair, { looksOnArrival: true });
registerReclaim(kinds.gate, (gate) => {
  settleOne(gate);
  passOnGuarded(gate);
});

/** Said by the stream, which imports this file. */
export function setCondition(condition: MayPass): void {
  mayPass = condition;
}

/** Makes a gate of `stream`, with a reference for whoever stores it. */
export function createGate(stream: number, passage: Passage): number {
  const { words } = memory();
  const gate = createPart(kinds.gate);
  Atomics.store(words, gate + STREAM, stream);
  Atomics.store(words, gate + PASSAGE, passage);
  return gate;
}

/** Whether somebody stands there who must not be overtaken. */
export function isStrict(gate: number): boolean {
  return (Atomics.load(memory().words, gate + STATE) & STRICT) !== 0;
}

/**
 * Stands in line with a record of this agent. False when one may pass, and so the record was not queued.
 *
 * @param isBehind - whether somebody of this agent is before it, who will call `passOn`: then it queues in any case.
 */
export function come(gate: number, record: number, wanted: number, isBehind: boolean): boolean {
  Atomics.store(memory().words, record + VALUE, wanted);
  return exclusively(gate, () => stand(gate, record, wanted, isBehind, append));
}

/**
 * Stands before all others with the record of a thread that will block: those of its own that were told to try cannot, and
 * would hold it up for ever. What they are about is offered anew. False as in `come`.
 */
export function comeFirst(gate: number, record: number, wanted: number): boolean {
  const { words } = memory();
  parkAgain(record, wanted);
  return exclusively(gate, () => {
    Atomics.store(words, gate + NUDGED, 0);
    return stand(gate, record, wanted, false, prepend);
  });
}

/**
 * Back to the first place, after a nudge that came too late. False as in `come`.
 *
 * @param older - the record of this agent's one that came before it, and that it must not overtake; 0: there is none.
 */
export function comeBack(gate: number, record: number, wanted: number, older: number): boolean {
  const { words } = memory();
  parkAgain(record, wanted);
  return exclusively(gate, () => {
    Atomics.or(words, gate + STATE, STRICT);
    settleOne(gate);
    // Not parked: it was nudged as well, and comes back before this one, if it does.
    const isThere = older !== 0 && Atomics.load(words, older + STATUS) === statuses.parked;
    const place = isThere ? (at: number, one: number): void => insertBehind(at, older, one) : prepend;
    return stand(gate, record, wanted, older !== 0, place);
  });
}

/** The status last: whoever finishes a grant of before looks at the turn once it is parked. */
function parkAgain(record: number, wanted: number): void {
  const { words } = memory();
  Atomics.add(words, record + TURN, 1);
  Atomics.store(words, record + VALUE, wanted);
  Atomics.store(words, record + STATUS, statuses.parked);
}

function stand(gate: number, record: number, wanted: number, isBehind: boolean, place: typeof append): boolean {
  const { words } = memory();
  // Set first, then look: the other way round, a change in between would tell nobody.
  Atomics.or(words, gate + STATE, PARKED);
  if (fault !== undefined) fault('gate.parked');
  if (!isBehind && mayPassAt(gate, wanted)) {
    if (first(gate) === 0) Atomics.and(words, gate + STATE, ~PARKED);
    return false;
  }
  place(gate, record);
  return true;
}

/** To be called after each change that may let somebody pass: tells the first of the line, and all who only look. */
export function nudge(gate: number): void {
  if ((Atomics.load(memory().words, gate + STATE) & PARKED) !== 0) exclusively(gate, () => nudgeFirst(gate, true));
}

/** Has everybody try: nothing will be as it was. */
export function nudgeAll(gate: number): void {
  if ((Atomics.load(memory().words, gate + STATE) & PARKED) === 0) return;
  exclusively(gate, () => {
    for (let head = first(gate); head !== 0; head = first(gate)) grant(gate, head, statuses.granted);
    settleFlags(gate);
  });
}

/** Who has passed after a wait, or gives up, lets the others go on. @param wasNudged - and has not come back since. */
export function passOn(gate: number, wasNudged: boolean): void {
  // Before the look for `parked`: whoever sets it now counts without this one.
  if (wasNudged) settleOne(gate);
  if (Atomics.load(memory().words, gate + STATE) !== 0) exclusively(gate, () => passOnGuarded(gate));
}

function passOnGuarded(gate: number): void {
  Atomics.and(memory().words, gate + STATE, ~STRICT);
  nudgeFirst(gate, false);
}

/** @param isChange - whether something has changed just now. */
function nudgeFirst(gate: number, isChange: boolean): void {
  const { words } = memory();
  for (let head = first(gate); head !== 0; head = first(gate)) {
    const wanted = Atomics.load(words, head + VALUE);
    if (!(wanted === ANY_CHANGE && isChange) && !mayPassAt(gate, wanted)) break;
    if (wanted !== LOOK) Atomics.add(words, gate + NUDGED, 1);
    grant(gate, head, statuses.granted);
    if (wanted !== LOOK) break;
  }
  settleFlags(gate);
}

/** One that was told to try has passed, given up or come back. */
function settleOne(gate: number): void {
  const { words } = memory();
  for (;;) {
    const nudged = Atomics.load(words, gate + NUDGED);
    // After a death it begins anew, without those who were on their way.
    if (nudged <= 0 || Atomics.compareExchange(words, gate + NUDGED, nudged, nudged - 1) === nudged) return;
  }
}

function settleFlags(gate: number): void {
  if (first(gate) === 0) Atomics.and(memory().words, gate + STATE, ~PARKED);
}

function mayPassAt(gate: number, wanted: number): boolean {
  const { words } = memory();
  const ahead = wanted === LOOK ? 0 : Atomics.load(words, gate + NUDGED);
  return mayPass(Atomics.load(words, gate + STREAM), Atomics.load(words, gate + PASSAGE) as Passage, wanted, ahead);
}

function repair(gate: number): void {
  const { words } = memory();
  const record = unfinishedGrant(gate);
  if (record !== 0) endGrant(gate, record, statuses.granted, 0);
  Atomics.store(words, gate + GRANTEE, 0);
  mend(gate);
  // Whoever was strict may have died; if not, it sets it again.
  Atomics.and(words, gate + STATE, ~STRICT);
  Atomics.store(words, gate + NUDGED, 0);
  if (first(gate) !== 0) Atomics.or(words, gate + STATE, PARKED);
  nudgeFirst(gate, false);
}
