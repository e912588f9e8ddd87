/**
 * Where the messages of a stream lie: segments, linked in order, each a chunk of the arena.
 *
 * ```
 *   0  NEXT     the next segment (chunk); 0: there is none yet
 *   1  WORDS    how many words this one has
 *   4  messages, one behind the other, each at a multiple of 4 words
 *
 *   message     0  LENGTH   bytes of its body in place; JUMP: the next message is in the next segment
 *               1  FORM     what it is (message.ts), in the low 8 bits; above, how many references it has
 *               2  UNITS    how much of the stream's room it takes
 *               3  BLOCKS   how many of the references are blocks
 *               4  references: addresses of objects that the message holds; 0: let go
 *                  then its body
 * ```
 */

import { allocateWarmChunk, byteOfChunk, bytesAt, freeWarmChunk, wordsAt } from '../arena/chunks.ts';

export const NEXT = 0;
const WORDS = 1;
export const FIRST_MESSAGE = 4;
export const JUMP = -1;

const LENGTH = 0;
const FORM = 1;
const UNITS = 2;
const BLOCKS = 3;
const REFERENCES = 4;
const FORM_BITS = 8;

/** Queues of which little is used are many; those that are full for a moment are few. */
const SMALLEST_WORDS = 256;
const LARGEST_WORDS = 16_384;
/** Up to here, a loop is faster than `set`. */
const LOOP_COPY_BYTES = 128;

/** A segment as this thread sees it. */
export interface Segment {
  readonly chunk: number;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

/** A message on its way in. */
export interface Message {
  readonly form: number;
  /** Where its body is. Nothing of it when it is in a block. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
  /** How many bytes it counts. */
  readonly sizeBytes: number;
  /** Objects that it holds: blocks first. */
  readonly references: readonly number[];
  readonly blockCount: number;
}

export function wordsOf(message: Message): number {
  const wordCount = REFERENCES + message.references.length + ((message.length + 3) >>> 2);
  return (wordCount + 3) & ~3;
}

/** A new segment with room for a message of `wordCount` words, larger than the one `before`. */
export function createSegment(wordCount: number, before: Segment | undefined): Segment {
  const usual = before === undefined ? SMALLEST_WORDS : Math.min(LARGEST_WORDS, before.words.length * 8);
  const total = Math.max(usual, FIRST_MESSAGE + wordCount);
  const chunk = allocateWarmChunk(total * 4);
  const segment = viewOf(chunk, total);
  Atomics.store(segment.words, NEXT, 0);
  Atomics.store(segment.words, WORDS, total);
  return segment;
}

export function freeSegment(segment: Segment): void {
  freeWarmChunk(segment.chunk, segment.words.length * 4);
}

/** The segment that begins at `chunk`. */
export function openSegment(chunk: number): Segment {
  const [, total = 0] = wordsAt(byteOfChunk(chunk), 2);
  return viewOf(chunk, total);
}

/** Whether this is still a view of what begins at its chunk: memory is used again. */
export function isCurrent(segment: Segment): boolean {
  return segment.words[WORDS] === segment.words.length;
}

function viewOf(chunk: number, total: number): Segment {
  const byte = byteOfChunk(chunk);
  return { chunk, words: wordsAt(byte, total), bytes: bytesAt(byte, total * 4) };
}

/** Plain writes: nobody reads them before the stream's count has changed. */
export function writeMessage({ words, bytes }: Segment, at: number, message: Message, units: number): void {
  const { references, length } = message;
  words[at + LENGTH] = length;
  words[at + FORM] = message.form | (references.length << FORM_BITS);
  words[at + UNITS] = units;
  words[at + BLOCKS] = message.blockCount;
  for (let i = 0; i < references.length; i++) words[at + REFERENCES + i] = references[i]!;
  const to = (at + REFERENCES + references.length) * 4;
  const { bytes: source, start } = message;
  if (length > LOOP_COPY_BYTES) bytes.set(source.subarray(start, start + length), to);
  else for (let i = 0; i < length; i++) bytes[to + i] = source[start + i]!;
}

/** A message that lies at word `at`. */
export class StoredMessage {
  readonly segment: Segment;
  readonly at: number;
  readonly form: number;
  readonly units: number;
  readonly length: number;
  readonly blockCount: number;
  readonly referenceCount: number;
  /** Word at which the next message begins. */
  readonly end: number;

  /** Plain reads: whoever looks has seen the count of those that were put. */
  constructor(segment: Segment, at: number) {
    const { words } = segment;
    this.segment = segment;
    this.at = at;
    this.form = words[at + FORM]! & (2 ** FORM_BITS - 1);
    this.units = words[at + UNITS]!;
    this.length = words[at + LENGTH]!;
    this.blockCount = words[at + BLOCKS]!;
    this.referenceCount = words[at + FORM]! >>> FORM_BITS;
    this.end = (at + REFERENCES + this.referenceCount + ((this.length + 3) >>> 2) + 3) & ~3;
  }

  reference(index: number): number {
    return Atomics.load(this.segment.words, this.at + REFERENCES + index);
  }

  /** Takes a reference out: whoever gets it lets go of it. 0 the second time. */
  takeReference(index: number): number {
    return Atomics.exchange(this.segment.words, this.at + REFERENCES + index, 0);
  }

  /** Copies its body to the beginning of `target`. */
  copyTo(target: Uint8Array): void {
    const { bytes } = this.segment;
    const start = (this.at + REFERENCES + this.referenceCount) * 4;
    const { length } = this;
    if (length > LOOP_COPY_BYTES) target.set(bytes.subarray(start, start + length));
    else for (let i = 0; i < length; i++) target[i] = bytes[start + i]!;
  }
}
