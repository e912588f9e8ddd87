/**
 * Blocks: the long parts of messages, copied once into memory that is used again, and read in place by the receiver.
 *
 * A block is an object of the arena. Its sender holds it until the message does; the receiver as long as it needs the
 * bytes, in the last resort until its ArrayBuffer is collected. That comes late in a thread that does not return to its
 * event loop, so a thread that has much in place copies what comes further.
 */

import { allocateWarmChunk, byteOfChunk, bytesAt, freeWarmChunk } from '../arena/chunks.ts';
import { memory, viewOf } from '../arena/memory.ts';
import { kinds, OWN } from '../arena/object-words.ts';
import { create, registerDispose, release } from '../arena/objects.ts';

const CHUNK: number = OWN;
/** Two words. */
const SIZE: number = OWN + 1;
/** Shorter ones are copied out: a view costs some microseconds, and lives until it is collected. */
const IN_PLACE_MIN_BYTES = 256 * 1024;
const IN_PLACE_MAX_BYTES = 512 * 2 ** 20;

registerDispose(kinds.block, dispose);

/** Makes a block that this thread holds, with a copy of `bytes`. @throws {PlatformError} `ERR_OUT_OF_MEMORY` */
export function createBlock(bytes: Uint8Array): number {
  const { words } = memory();
  // The memory first: when there is none, nothing was made.
  const chunk = allocateWarmChunk(bytes.length);
  const { at } = create(kinds.block, '');
  Atomics.store(words, at + SIZE, bytes.length | 0);
  Atomics.store(words, at + SIZE + 1, Math.floor(bytes.length / 2 ** 32));
  // After the size: whoever frees it must know how much.
  Atomics.store(words, at + CHUNK, chunk);
  // Last, for it may take long: a death in the middle of it leaves a block that is found and freed.
  bytesOf(at).set(bytes);
  return at;
}

/** The bytes of a block that is held, in place: not to be used after it is released. */
export function bytesOf(block: number): Uint8Array {
  return bytesAt(byteOfChunk(Atomics.load(memory().words, block + CHUNK)), sizeOf(block));
}

/** Memory of the program's own with the bytes of a block, whose hold it takes over. All of its ArrayBuffer. */
export function takeBytes(block: number): Uint8Array {
  const size = sizeOf(block);
  if (size >= IN_PLACE_MIN_BYTES && inPlaceBytes + size <= IN_PLACE_MAX_BYTES) return readInPlace(block, size);
  const copy = Buffer.allocUnsafeSlow(size);
  copy.set(bytesOf(block));
  release(block);
  return new Uint8Array(copy.buffer);
}

let inPlaceBytes = 0;

const collected = new FinalizationRegistry<{ readonly block: number; readonly size: number }>(({ block, size }) => {
  inPlaceBytes -= size;
  release(block);
});

function readInPlace(block: number, size: number): Uint8Array {
  const buffer = viewOf(byteOfChunk(Atomics.load(memory().words, block + CHUNK)), size);
  guardMemory(buffer);
  inPlaceBytes += size;
  collected.register(buffer, { block, size });
  return new Uint8Array(buffer);
}

/** Memory that moved to another ArrayBuffer would be given back with this one: it is copied. `postMessage` refuses by itself. */
function guardMemory(buffer: ArrayBuffer): void {
  for (const name of ['transfer', 'transferToFixedLength']) {
    Object.defineProperty(buffer, name, {
      value: (length = buffer.byteLength) => {
        const moved = new Uint8Array(length);
        moved.set(new Uint8Array(buffer, 0, Math.min(length, buffer.byteLength)));
        return moved.buffer;
      },
    });
  }
}

function sizeOf(block: number): number {
  const { words } = memory();
  return (Atomics.load(words, block + SIZE) >>> 0) + Atomics.load(words, block + SIZE + 1) * 2 ** 32;
}

function dispose(block: number): void {
  const chunk = Atomics.exchange(memory().words, block + CHUNK, 0);
  if (chunk !== 0) freeWarmChunk(chunk, sizeOf(block));
}
