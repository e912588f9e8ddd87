/**
 * The scratch memory that values are written to: one growing buffer for the whole thread. An encoding that starts
 * inside another (a hook may do that) writes behind it, and gives the room back when it is done.
 */

import { DOUBLE, INT32, LATIN1, SHORT_STRING, SHORT_STRING_MAX, SMALL_INT, SMALL_INT_MAX, UTF16 } from './tags.ts';

const INITIAL_BYTES = 16 * 1024;
/** Past this the scratch memory itself becomes the message, or is let go. */
const KEPT_BYTES = 1024 * 1024;
/** Small messages share slabs: an ArrayBuffer of their own would cost 0.3 µs more. V8 keeps up to 64 bytes inline. */
const SLAB_BYTES = 16 * 1024;
const SLAB_MESSAGE_MIN_BYTES = 65;
const SLAB_MESSAGE_MAX_BYTES = 2048;
/** Below this, a loop copies faster than `set`. */
const LOOP_COPY_BYTES = 128;
/** At once false for strings that the engine keeps with one byte a character. */
const beyondLatin1 = /[^\0-\xff]/;

export class ByteSink {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  view: DataView = viewOf(this.bytes);
  position = 0;
  #slab = new ArrayBuffer(0);
  #slabUsed = 0;

  /** Makes room for `count` bytes; `bytes` and `view` may be other ones afterwards. */
  reserve(count: number): void {
    if (this.position + count > this.bytes.length) this.#grow(count);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.position++] = rest;
  }

  rawDouble(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  rawBigInt64(value: bigint): void {
    this.reserve(8);
    this.view.setBigInt64(this.position, value, true);
    this.position += 8;
  }

  raw(source: Uint8Array): void {
    this.reserve(source.length);
    if (source.length <= LOOP_COPY_BYTES) {
      for (let i = 0; i < source.length; i++) this.bytes[this.position + i] = source[i]!;
    } else {
      this.bytes.set(source, this.position);
    }
    this.position += source.length;
  }

  /** A number with its tag. */
  number(value: number): void {
    this.reserve(9);
    const integer = value | 0;
    if (integer !== value || (integer === 0 && Object.is(value, -0))) {
      this.bytes[this.position] = DOUBLE;
      this.view.setFloat64(this.position + 1, value, true);
      this.position += 9;
    } else if (integer >= 0 && integer <= SMALL_INT_MAX) {
      this.bytes[this.position++] = SMALL_INT | integer;
    } else {
      this.bytes[this.position] = INT32;
      this.view.setInt32(this.position + 1, integer, true);
      this.position += 5;
    }
  }

  /** A string with its tag. */
  string(text: string): void {
    if (text.length > SHORT_STRING_MAX || !this.#shortString(text)) this.#longString(text);
  }

  /** Copies what was written since `start`, and takes it back. The copy may share its ArrayBuffer with others. */
  take(start: number): Uint8Array {
    const length = this.position - start;
    if (start === 0 && length > KEPT_BYTES) return this.#handOver(length);
    const copy = this.#allocate(length);
    if (length <= LOOP_COPY_BYTES) for (let i = 0; i < length; i++) copy[i] = this.bytes[start + i]!;
    else copy.set(this.bytes.subarray(start, this.position));
    return copy;
  }

  /** Ends the use that began at `start`. */
  release(start: number): void {
    this.position = start;
    if (start === 0 && this.bytes.length > KEPT_BYTES) this.#replace(Buffer.allocUnsafeSlow(INITIAL_BYTES));
  }

  #shortString(text: string): boolean {
    const { length } = text;
    this.reserve(length + 1);
    const { bytes, position } = this;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0xff) return false;
      bytes[position + 1 + i] = code;
    }
    bytes[position] = SHORT_STRING | length;
    this.position = position + 1 + length;
    return true;
  }

  #longString(text: string): void {
    const wide = beyondLatin1.test(text);
    const byteLength = wide ? text.length * 2 : text.length;
    this.byte(wide ? UTF16 : LATIN1);
    this.varint(byteLength);
    this.reserve(byteLength);
    this.position += this.bytes.write(text, this.position, wide ? 'utf16le' : 'latin1');
  }

  #allocate(length: number): Uint8Array {
    if (length < SLAB_MESSAGE_MIN_BYTES || length > SLAB_MESSAGE_MAX_BYTES) return new Uint8Array(length);
    if (this.#slabUsed + length > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      // Transferring one message would take its neighbours' memory away.
      // Not imported: loading it takes 2 ms of the start of a child.
      process.getBuiltinModule('node:worker_threads').markAsUntransferable(this.#slab);
      this.#slabUsed = 0;
    }
    const bytes = new Uint8Array(this.#slab, this.#slabUsed, length);
    this.#slabUsed += length;
    return bytes;
  }

  #handOver(length: number): Uint8Array {
    const whole = this.bytes;
    this.#replace(Buffer.allocUnsafeSlow(INITIAL_BYTES));
    return new Uint8Array(whole.buffer, whole.byteOffset, length);
  }

  #grow(count: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.position + count));
    larger.set(this.bytes.subarray(0, this.position));
    this.#replace(larger);
  }

  #replace(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The scratch memory of this thread. */
export const threadSink: ByteSink = new ByteSink();
