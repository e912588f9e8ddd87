/** An encoded value in a file: the sizes of its parts, then the parts. */

import { readSync, writevSync } from 'node:fs';
import type { Encoded } from '../../codec/types.ts';

/** Reads and writes are cut to what one system call moves at the most, 2 GiB less a page. */
const CHUNK_BYTES = 1 << 30;

/** Writes `value` at `position`; returns the position behind it. Throws what the file system throws. */
export function writeParcel(fd: number, position: number, value: Encoded): number {
  const parts = [value.head, ...value.blobs];
  const sizes = new Float64Array([parts.length, ...parts.map((part) => part.byteLength)]);
  let at = position;
  for (const part of [new Uint8Array(sizes.buffer), ...parts]) {
    for (let done = 0; done < part.byteLength; ) {
      const written = writevSync(fd, [part.subarray(done, done + CHUNK_BYTES)], at);
      done += written;
      at += written;
    }
  }
  return at;
}

/** Reads what `writeParcel` wrote at `position`; each part gets memory of its own. */
export function readParcel(fd: number, position: number): { readonly value: Encoded; readonly end: number } {
  const count = readNumbers(fd, position, 1)[0] ?? 0;
  const sizes = readNumbers(fd, position + 8, count);
  let at = position + 8 + sizes.byteLength;
  const parts: Uint8Array[] = [];
  for (const size of sizes) {
    parts.push(readBytes(fd, at, size));
    at += size;
  }
  const [head = new Uint8Array(0), ...blobs] = parts;
  return { value: { head, blobs }, end: at };
}

function readNumbers(fd: number, position: number, count: number): Float64Array {
  const bytes = readBytes(fd, position, count * 8);
  return new Float64Array(bytes.buffer, bytes.byteOffset, count);
}

function readBytes(fd: number, position: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const read = readSync(fd, bytes, done, Math.min(CHUNK_BYTES, size - done), position + done);
    if (read === 0) throw new RangeError(`The message ends after ${done} of ${size} bytes.`);
    done += read;
  }
  return bytes;
}
