/** Reads the bytes of a message; never past their end. */

import { LATIN1, SHORT_STRING, SHORT_STRING_MAX, SMALL_INT, UTF16 } from './tags.ts';
import { damaged } from './value-damage.ts';

/** Up to here, joining characters is faster than asking the Buffer. */
const JOINED_LENGTH = 12;
const fromCodes = String.fromCharCode;

const word = new Uint8Array(8);
const asDouble = new Float64Array(word.buffer);
const asBigInt64 = new BigInt64Array(word.buffer);

export class ByteSource {
  readonly bytes: Uint8Array;
  position = 0;
  readonly end: number;
  #buffer: Buffer | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  byte(): number {
    if (this.position >= this.end) throw this.cut(1);
    return this.bytes[this.position++]!;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw damaged(`a length at byte ${this.position} is too large`);
  }

  /** How many values follow; each of them takes `bytesEach` at the least, so that no damaged count runs for ever. */
  count(bytesEach = 1): number {
    const count = this.varint();
    if (count > (this.end - this.position) / bytesEach) throw this.cut(count * bytesEach);
    return count;
  }

  int32(): number {
    const start = this.skip(4);
    const { bytes } = this;
    return bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 24);
  }

  double(): number {
    this.#word();
    return asDouble[0]!;
  }

  bigInt64(): bigint {
    this.#word();
    return asBigInt64[0]!;
  }

  /** The next `length` bytes, still in the message. */
  view(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** A string with its tag. */
  string(): string {
    const tag = this.byte();
    if (tag < SHORT_STRING || tag >= SMALL_INT) return this.longString(tag);
    return this.latin1(tag & SHORT_STRING_MAX);
  }

  longString(tag: number): string {
    const length = this.varint();
    if (tag === LATIN1) return this.latin1(length);
    if (tag !== UTF16 || length % 2 !== 0) throw damaged(`no string at byte ${this.position}`);
    const start = this.skip(length);
    return this.#asBuffer().toString('utf16le', start, start + length);
  }

  latin1(length: number): string {
    const start = this.skip(length);
    if (length > JOINED_LENGTH) return this.#asBuffer().toString('latin1', start, start + length);
    const { bytes } = this;
    const end = start + length;
    let text = '';
    let at = start;
    // By fours: half the time of one by one.
    for (; at + 4 <= end; at += 4) text += fromCodes(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
    if (end - at === 3) return text + fromCodes(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!);
    if (end - at === 2) return text + fromCodes(bytes[at]!, bytes[at + 1]!);
    return end === at ? text : text + fromCodes(bytes[at]!);
  }

  /** Steps over `length` bytes; returns where they begin. */
  skip(length: number): number {
    const start = this.position;
    if (length > this.end - start) throw this.cut(length);
    this.position = start + length;
    return start;
  }

  cut(needed: number): Error {
    return damaged(`${needed} bytes are needed at byte ${this.position} of ${this.end}`);
  }

  #word(): void {
    const start = this.skip(8);
    for (let i = 0; i < 8; i++) word[i] = this.bytes[start + i]!;
  }

  #asBuffer(): Buffer {
    const { bytes } = this;
    this.#buffer ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#buffer;
  }
}
