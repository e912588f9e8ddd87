/** Memory of any size: a cell of the heap when it is short, a run of pages else. A *chunk* is its address, or minus its page. */

import { setTimeout } from '../platform/clock.ts';
import { allocateRun, allocateWarmRun, cool, freeRun, freeWarmRun, offsetOf } from './blocks.ts';
import { allocate, free } from './heap.ts';
import { memory } from './memory.ts';

/** The heap has longer cells, of powers of two; pages waste less. */
const CELL_BYTES_MAX = 8192;
/** Warm memory that was given back goes to the kernel when nobody has given any for so long. */
const COOL_AFTER_MS = 10_000;

/** Never 0. All of its bytes are 0. @throws {PlatformError} when there is no room. */
export function allocateChunk(sizeBytes: number): number {
  return sizeBytes <= CELL_BYTES_MAX ? allocate(wordsOf(sizeBytes)) : -allocateRun(sizeBytes);
}

/** `sizeBytes` as it was asked for. */
export function freeChunk(chunk: number, sizeBytes: number): void {
  if (chunk > 0) free(chunk, wordsOf(sizeBytes));
  else freeRun(-chunk, sizeBytes);
}

/** As `allocateChunk`, for what is written before it is read: its bytes are what they are. */
export function allocateWarmChunk(sizeBytes: number): number {
  return sizeBytes <= CELL_BYTES_MAX ? allocate(wordsOf(sizeBytes)) : -allocateWarmRun(sizeBytes);
}

/** Gives back what `allocateWarmChunk` gave. */
export function freeWarmChunk(chunk: number, sizeBytes: number): void {
  if (chunk > 0) {
    free(chunk, wordsOf(sizeBytes));
    return;
  }
  freeWarmRun(-chunk, sizeBytes);
  timer ??= setTimeout(() => {
    timer = undefined;
    cool();
  }, COOL_AFTER_MS).unref();
  timer.refresh();
}

let timer: NodeJS.Timeout | undefined;

/** Its first byte in the arena, a multiple of 8. */
export function byteOfChunk(chunk: number): number {
  return chunk > 0 ? chunk * 4 : offsetOf(-chunk);
}

/** A view of bytes of the arena, at the cost of an object. To be held no longer than the chunk. */
export function bytesAt(byte: number, sizeBytes: number): Uint8Array {
  return new Uint8Array(memory().mapping.buffer, byte, sizeBytes);
}

/** As `bytesAt`, of 32-bit words. */
export function wordsAt(byte: number, count: number): Int32Array {
  return new Int32Array(memory().mapping.buffer, byte, count);
}

function wordsOf(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / 4));
}
