/** A stream as this thread uses it: puts messages in and takes them out. The protocol is in stream-words.ts. */

import { assertAvailable } from '../arena/blocks.ts';
import { fault } from '../arena/fault.ts';
import { enter, guarded, leave } from '../arena/guard.ts';
import { memory } from '../arena/memory.ts';
import { drop, hold, retain } from '../arena/objects.ts';
import { nudge } from './gate.ts';
import {
  createSegment,
  FIRST_MESSAGE,
  freeSegment,
  isCurrent,
  JUMP,
  type Message,
  NEXT,
  openSegment,
  type Segment,
  StoredMessage,
  wordsOf,
  writeMessage,
} from './segment.ts';
import {
  backlogOf,
  bodyOf,
  FIRST,
  GET_GUARD,
  GOT_COUNT,
  gateOf,
  HEADS,
  hasRoom,
  isBounded,
  isEnded,
  isShut,
  LET_GO,
  OFFSET,
  PASSED,
  PUT_COUNT,
  PUT_GUARD,
  passages,
  placeAt,
  SEGMENT,
  TAILS,
  unitBytesOf,
  unitsIn,
  whenDisposed,
} from './stream-words.ts';

/** Beyond so much in it, a stream looks whether so much memory is left before it takes more. */
const BACKLOG_FREE_BYTES = 64 * 2 ** 20;
const RESERVE_BYTES = 256 * 2 ** 20;

/** What is read of a message while the get guard is held. */
export type Read<T> = (message: StoredMessage) => T;

whenDisposed((body) => new Stream(body).discardAll(true));

export class Stream {
  readonly body: number;
  readonly getGate: number;
  readonly putGate: number;
  readonly #isBounded: boolean;
  readonly #unitBytes: number;
  /** Those that this thread used last. */
  #tail: Segment | undefined;
  #head: Segment | undefined;
  /** PUT_COUNT, as it was at some time. */
  #seenPut = 0;
  /** GOT_COUNT after this thread's last take. */
  #nextGot = 0;

  constructor(body: number) {
    this.body = body;
    this.getGate = gateOf(body, passages.get);
    this.putGate = gateOf(body, passages.put);
    this.#isBounded = isBounded(body);
    this.#unitBytes = unitBytesOf(body);
  }

  static of(stream: number): Stream {
    return new Stream(bodyOf(stream));
  }

  /** How many units a message of so many bytes is. */
  unitsFor(sizeBytes: number): number {
    return unitsIn(sizeBytes, this.#unitBytes);
  }

  /** Puts a message in; never waits. What it refers to must be held, and is then held by the message as well. */
  put(message: Message): 'put' | 'full' | 'closed' {
    const { body } = this;
    const units = this.unitsFor(message.sizeBytes);
    // Nothing is ever half put.
    enter(body + PUT_GUARD);
    try {
      if (isShut(body)) return 'closed';
      if (this.#isBounded && !hasRoom(body, units)) return 'full';
      this.#append(message, units);
    } finally {
      leave(body + PUT_GUARD);
    }
    nudge(this.getGate);
    return 'put';
  }

  /**
   * Takes the oldest message out, after `read` has had a look at it. What it refers to is then held by this thread, once
   * for each reference: `read` must remember what to release.
   *
   * @param accepts - whether the message may be taken; else it stays where it is.
   */
  take<T>(read: Read<T>, accepts?: Read<boolean>): T | 'empty' | 'closed' | 'refused' {
    const { body } = this;
    // First: what is closed by now has all its messages.
    const isOver = isEnded(body);
    if (this.#size() === 0) return isOver ? 'closed' : 'empty';
    let result: T | undefined;
    const isInherited = enter(body + GET_GUARD);
    try {
      if (isInherited) this.#repair();
      if (this.#size() === 0) return isOver ? 'closed' : 'empty';
      if (accepts !== undefined && !accepts(this.#first())) return 'refused';
      result = this.#takeFirst(read);
    } finally {
      leave(body + GET_GUARD);
    }
    nudge(this.putGate);
    return result as T;
  }

  /** Lets go of all that nobody took. @param isLast - whether nobody has the stream any more: its memory goes as well. */
  discardAll(isLast: boolean): void {
    const { words } = memory();
    guarded(this.body + GET_GUARD, this.#repair, () => {
      while (this.#size() > 0) this.#takeFirst(undefined);
      if (!isLast) return;
      const place = placeAt(this.body, HEADS, Atomics.load(words, this.body + GOT_COUNT));
      const chunk = Atomics.load(words, place + SEGMENT) || Atomics.load(words, this.body + FIRST);
      if (chunk !== 0) freeSegment(openSegment(chunk));
    });
  }

  /** How many messages are there at the least; 0 only when there are none. */
  #size(): number {
    const { words } = memory();
    const got = Atomics.load(words, this.body + GOT_COUNT);
    // It only grows. Looked at for each message, its cache line would go to and fro between those who put and those who take.
    // What others took meanwhile may be more than these numbers can tell.
    const isKnown = got === this.#nextGot && ((this.#seenPut - got) | 0) > 0;
    if (!isKnown) this.#seenPut = Atomics.load(words, this.body + PUT_COUNT);
    return (this.#seenPut - got) | 0;
  }

  #append(message: Message, units: number): void {
    const { words } = memory();
    const { body } = this;
    const count = Atomics.load(words, body + PUT_COUNT);
    const tail = placeAt(body, TAILS, count);
    const wordCount = wordsOf(message);
    let segment = this.#segmentAt(this.#tail, Atomics.load(words, tail + SEGMENT));
    let offset = Atomics.load(words, tail + OFFSET);
    if (segment === undefined || offset + wordCount > segment.words.length) {
      if (backlogOf(body) > BACKLOG_FREE_BYTES) assertAvailable(RESERVE_BYTES);
      const next = createSegment(wordCount, segment);
      if (fault !== undefined) fault('stream.segment');
      if (segment === undefined) {
        Atomics.store(words, body + FIRST, next.chunk);
      } else {
        Atomics.store(segment.words, NEXT, next.chunk);
        if (offset < segment.words.length) segment.words[offset] = JUMP;
      }
      segment = next;
      offset = FIRST_MESSAGE;
    }
    this.#tail = segment;
    for (let i = 0; i < message.references.length; i++) retain(message.references[i]!);
    writeMessage(segment, offset, message, units);
    const place = placeAt(body, TAILS, count + 1);
    // Plain writes, a third of the time of such a put: nobody reads them before the count is raised.
    words[place + SEGMENT] = segment.chunk;
    words[place + OFFSET] = offset + wordCount;
    words[place + PASSED] = words[tail + PASSED]! + units;
    if (fault !== undefined) fault('stream.written');
    // Here it is put.
    Atomics.store(words, body + PUT_COUNT, (count + 1) | 0);
    if (fault !== undefined) fault('stream.put');
  }

  #takeFirst<T>(read: Read<T> | undefined): T | undefined {
    const { words } = memory();
    const { body } = this;
    const count = Atomics.load(words, body + GOT_COUNT);
    const head = placeAt(body, HEADS, count);
    const before = this.#head;
    const message = this.#first();
    const { segment } = message;
    if (read !== undefined) for (let i = 0; i < message.referenceCount; i++) hold(message.reference(i));
    const result = read?.(message);
    const place = placeAt(body, HEADS, count + 1);
    words[place + SEGMENT] = segment.chunk;
    words[place + OFFSET] = message.end;
    words[place + PASSED] = words[head + PASSED]! + message.units;
    if (fault !== undefined) fault('stream.read');
    const left = Atomics.load(words, head + SEGMENT);
    // Here it is taken.
    Atomics.store(words, body + GOT_COUNT, (count + 1) | 0);
    this.#nextGot = (count + 1) | 0;
    if (fault !== undefined) fault('stream.got');
    letGoOf(message);
    Atomics.store(words, body + LET_GO, (count + 1) | 0);
    if (left !== 0 && left !== segment.chunk)
      freeSegment(before !== undefined && before.chunk === left ? before : openSegment(left));
    return result;
  }

  /** The oldest message; there must be one. */
  #first(): StoredMessage {
    const { words } = memory();
    const { body } = this;
    const head = placeAt(body, HEADS, Atomics.load(words, body + GOT_COUNT));
    const chunk = Atomics.load(words, head + SEGMENT);
    let segment = this.#segmentAt(this.#head, chunk || Atomics.load(words, body + FIRST))!;
    let offset = chunk === 0 ? FIRST_MESSAGE : Atomics.load(words, head + OFFSET);
    if (offset >= segment.words.length || segment.words[offset] === JUMP) {
      segment = openSegment(Atomics.load(segment.words, NEXT));
      offset = FIRST_MESSAGE;
    }
    this.#head = segment;
    return new StoredMessage(segment, offset);
  }

  /** The segment at `chunk`, as it was used last if it is that one. */
  #segmentAt(last: Segment | undefined, chunk: number): Segment | undefined {
    if (last !== undefined && last.chunk === chunk && isCurrent(last)) return last;
    return chunk === 0 ? undefined : openSegment(chunk);
  }

  /** After the death of one who took: its message may still hold what it referred to. */
  readonly #repair = (): void => {
    const { words } = memory();
    const { body } = this;
    const count = Atomics.load(words, body + GOT_COUNT);
    // Else a death before it was taken: then the place before this one may have been overwritten.
    if (((count - 1) | 0) !== Atomics.load(words, body + LET_GO)) return;
    const segment = openSegment(Atomics.load(words, placeAt(body, HEADS, count) + SEGMENT));
    const before = placeAt(body, HEADS, count - 1);
    // It was the first of its segment, unless the place before it was in the same.
    const isSame = Atomics.load(words, before + SEGMENT) === segment.chunk;
    letGoOf(new StoredMessage(segment, isSame ? Atomics.load(words, before + OFFSET) : FIRST_MESSAGE));
    Atomics.store(words, body + LET_GO, count);
  };
}

function letGoOf(message: StoredMessage): void {
  for (let i = 0; i < message.referenceCount; i++) {
    const object = message.takeReference(i);
    if (object !== 0) drop(object);
  }
}
