/**
 * The protocol of a stream: messages in order, from any number of agents to any number of agents.
 *
 * The stream is an object whose BODY is a cell of four lines of 64 bytes, so that those who put and those who take do not
 * wait for each other's caches:
 *
 *   constant       ITEMS_MAX, UNITS_MAX, UNIT_BYTES, its gates, WRITER and READER (the ends of a pipe: address, serial number),
 *                  CLOSED (bits; under the put guard), DONE (items dealt with; CAS)
 *   putting        PUT_GUARD, PUT_COUNT, FIRST, two TAILS      written by who holds the put guard
 *   taking         GET_GUARD, GOT_COUNT, LET_GO, two HEADS     written by who holds the get guard
 *
 * A *place* (TAIL, HEAD) is a segment, an offset in it, and how many units have gone by in all. Of the two places of a side
 * the one at COUNT & 1 holds; the other one is written, and then the count is raised: that single write puts a message, or
 * takes it. So nothing is ever half done, a death before it changes nothing, and there is nothing to repair. What a death can
 * lose: a segment that was made or emptied at that moment, and a reference between being counted and put, or taken out and let go
 * of: its object then stays.
 *
 * Whoever takes a message holds what it refers to first, then takes it, then has the message let go, then sets LET_GO. After a
 * death in between, the next taker finds LET_GO behind, and lets go in its place.
 *
 * All counts are modulo 2^32; units (of 1 byte, or of 16 where there is no limit) as well. A single message counts as less
 * than 2^31 units, whatever its size, and is let in when the stream is empty.
 *
 * A stream is closed for all when CLOSED says so, or when an end of its pipe has no holder: the one who closed it may have
 * died on the way. After CLOSED nothing is put; so who sees CLOSED first and then no message knows that there is none.
 */

import { fault } from '../arena/fault.ts';
import { guarded } from '../arena/guard.ts';
import { allocate, free } from '../arena/heap.ts';
import { memory } from '../arena/memory.ts';
import { kinds, OWN, REFERENCES, SERIAL_NUMBER, STATE } from '../arena/object-words.ts';
import { createPart, drop, isHeld, registerDispose, registerDoubt } from '../arena/objects.ts';
import { ANY_CHANGE, createGate, LOOK, nudgeAll, type Passage, setCondition } from './gate.ts';

const BODY: number = OWN;
const BODY_WORDS = 64;

const ITEMS_MAX = 0;
const UNITS_MAX = 1;
const UNIT_BYTES = 2;
export const GATES = 3;
export const WRITER = 6;
export const READER = 8;
const CLOSED = 10;
const DONE = 11;

export const PUT_GUARD = 16;
export const PUT_COUNT = 17;
export const FIRST = 18;
export const TAILS = 20;
export const GET_GUARD = 32;
export const GOT_COUNT = 33;
/** GOT_COUNT, once what the message before it referred to has been let go. */
export const LET_GO = 34;
export const HEADS = 36;

/** Words of a place. */
export const SEGMENT = 0;
export const OFFSET = 1;
export const PASSED = 2;
const PLACE_WORDS = 4;

export const passages = { get: 0, put: 1, join: 2 } as const;
const NO_WRITER = 1;
const NO_READER = 2;
/** STATE of an end. */
const IN_DOUBT = 1;
const MAX = 2 ** 31 - 1;

export interface Limits {
  readonly maxItems?: number | undefined;
  readonly maxBytes?: number | undefined;
}

const nothingToRepair = (): void => {};

setCondition(mayPass);
registerDispose(kinds.stream, dispose);
registerDispose(kinds.gate, () => {});
// A death in the middle of a close: objects.ts.
registerDoubt(kinds.connection, (end) => Atomics.store(memory().words, end + STATE, IN_DOUBT));

/** Makes a stream, with one reference for whoever stores it. */
export function createStream({ maxItems, maxBytes }: Limits): number {
  const { words } = memory();
  const stream = createPart(kinds.stream);
  const body = allocate(BODY_WORDS);
  Atomics.store(words, body + ITEMS_MAX, maxItems ?? MAX);
  Atomics.store(words, body + UNITS_MAX, Math.min(maxBytes ?? MAX, MAX));
  Atomics.store(words, body + UNIT_BYTES, maxBytes === undefined ? 16 : 1);
  for (const passage of Object.values(passages)) {
    Atomics.store(words, body + GATES + passage, createGate(stream, passage));
  }
  // Last: who frees it must find what belongs to it.
  Atomics.store(words, stream + BODY, body);
  return stream;
}

/** Says which ends of a pipe belong to it: without a holder of either one it is closed. */
export function setEnds(body: number, writer: number, reader: number): void {
  const { words } = memory();
  for (const [word, end] of [
    [WRITER, writer],
    [READER, reader],
  ] as const) {
    Atomics.store(words, body + word + 1, Atomics.load(words, end + SERIAL_NUMBER));
    Atomics.store(words, body + word, end);
  }
}

export function bodyOf(stream: number): number {
  return Atomics.load(memory().words, stream + BODY);
}

/** The gate of `body` for a passage. */
export function gateOf(body: number, passage: Passage): number {
  return Atomics.load(memory().words, body + GATES + passage);
}

/** The place that holds at `count`. */
export function placeAt(body: number, places: number, count: number): number {
  return body + places + (count & 1) * PLACE_WORDS;
}

/** How many messages are there. */
export function sizeOf(body: number): number {
  const { words } = memory();
  for (;;) {
    const put = Atomics.load(words, body + PUT_COUNT);
    const got = Atomics.load(words, body + GOT_COUNT);
    if (Atomics.load(words, body + PUT_COUNT) === put) return (put - got) >>> 0;
  }
}

/** Whether nothing more will come, though there may be messages left. */
export function isEnded(body: number): boolean {
  return Atomics.load(memory().words, body + CLOSED) !== 0 || isGone(body + WRITER);
}

/** Whether nothing can be put any more. */
export function isShut(body: number): boolean {
  return Atomics.load(memory().words, body + CLOSED) !== 0 || isGone(body + READER);
}

/** Whether there is room for a message of so many units, beside what is there, and `ahead` messages that are about to come. */
export function hasRoom(body: number, units: number, ahead = 0): boolean {
  const { words } = memory();
  const size = sizeOf(body) + ahead;
  if (size === 0) return true;
  if (size >= Atomics.load(words, body + ITEMS_MAX)) return false;
  return isUnmetered(body) || unitsOf(body) + units <= Atomics.load(words, body + UNITS_MAX);
}

/** Whether it has a limit at all. */
export function isBounded(body: number): boolean {
  return Atomics.load(memory().words, body + ITEMS_MAX) !== MAX || !isUnmetered(body);
}

/** How many bytes are in it. */
export function backlogOf(body: number): number {
  return unitsOf(body) * unitBytesOf(body);
}

/** How much is in it, in units. */
function unitsOf(body: number): number {
  const { words } = memory();
  const put = Atomics.load(words, placeAt(body, TAILS, Atomics.load(words, body + PUT_COUNT)) + PASSED);
  const got = Atomics.load(words, placeAt(body, HEADS, Atomics.load(words, body + GOT_COUNT)) + PASSED);
  // Of two counts at different moments the second may be ahead.
  return Math.max(0, (put - got) | 0);
}

export function unitBytesOf(body: number): number {
  return Atomics.load(memory().words, body + UNIT_BYTES);
}

/** How many units a message of so many bytes is. */
export function unitsIn(sizeBytes: number, unitBytes: number): number {
  return Math.max(1, Math.min(MAX, Math.ceil(sizeBytes / unitBytes)));
}

/** Marks one more item as dealt with; false when there is none that was taken and not yet marked. */
export function markDone(body: number): boolean {
  const { words } = memory();
  for (;;) {
    const done = Atomics.load(words, body + DONE);
    if (done === Atomics.load(words, body + GOT_COUNT)) return false;
    if (Atomics.compareExchange(words, body + DONE, done, (done + 1) | 0) !== done) continue;
    if (fault !== undefined) fault('stream.done');
    if (isAllDone(body)) nudgeAll(gateOf(body, passages.join));
    return true;
  }
}

/** Whether every message that was put has been dealt with. */
export function isAllDone(body: number): boolean {
  const { words } = memory();
  return Atomics.load(words, body + DONE) === Atomics.load(words, body + PUT_COUNT);
}

/** Nothing more is put; what is there can be taken. Does nothing the second time. */
export function closeStream(body: number, by: 'writer' | 'reader'): void {
  const { words } = memory();
  // Under the guard of those who put: when this returns, none of them is still at it.
  guarded(body + PUT_GUARD, nothingToRepair, () => {
    Atomics.or(words, body + CLOSED, by === 'writer' ? NO_WRITER : NO_READER);
  });
  if (fault !== undefined) fault('stream.closed');
  for (const passage of [passages.get, passages.put]) nudgeAll(gateOf(body, passage));
}

/** The condition of each gate. A look costs nothing; what it wants, to put or take, is checked again under a guard. */
function mayPass(stream: number, passage: Passage, wanted: number, ahead: number): boolean {
  const body = bodyOf(stream);
  if (passage === passages.join) return isAllDone(body);
  if (passage === passages.get) return isEnded(body) || sizeOf(body) > ahead;
  if (isShut(body)) return true;
  // Empty: nobody will take anything, so there will be no change to be told of.
  if (wanted === ANY_CHANGE) return sizeOf(body) === 0;
  return wanted !== LOOK && hasRoom(body, wanted, ahead);
}

function isUnmetered(body: number): boolean {
  return Atomics.load(memory().words, body + UNIT_BYTES) !== 1;
}

/** Whether nobody holds an end of a pipe any more: its address and serial number at `word`. */
function isGone(word: number): boolean {
  const { words } = memory();
  const end = Atomics.load(words, word);
  if (end === 0) return false;
  if (Atomics.load(words, end + SERIAL_NUMBER) !== Atomics.load(words, word + 1)) return true;
  if (Atomics.load(words, end + REFERENCES) <= 0) return true;
  // Counted or not, when nobody holds it nobody will use it.
  return Atomics.load(words, end + STATE) === IN_DOUBT && !isHeld(end);
}

let empty: (body: number) => void = () => {};

/** Said by stream.ts, which knows how messages are taken. */
export function whenDisposed(discard: (body: number) => void): void {
  empty = discard;
}

function dispose(stream: number): void {
  const { words } = memory();
  const body = Atomics.exchange(words, stream + BODY, 0);
  if (body === 0) return; // its maker died
  empty(body);
  for (const passage of Object.values(passages)) drop(Atomics.exchange(words, body + GATES + passage, 0));
  free(body, BODY_WORDS);
}
