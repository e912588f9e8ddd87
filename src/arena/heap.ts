/**
 * Cells of the arena: sizes of 64 bytes times a power of two, a free list for each. A cell is given out zeroed.
 *
 * Under the heap's guard. Each list is changed by a single write of its head, so a death leaves all lists whole; a cell
 * that was taken off a list by an agent that then died, before anybody knew of it, is lost: 64 bytes as a rule.
 */

import { PlatformError } from '../errors.ts';
import { fault } from './fault.ts';
import { guarded } from './guard.ts';
import { FREE_LISTS, HEAP_CURSOR, HEAP_END, HEAP_GUARD, SIZE_CLASSES } from './layout.ts';
import { memory } from './memory.ts';

const SMALLEST_WORDS = 16;
const nothingToRepair = (): void => {};

/** Address of a new cell of at least `wordCount` words, all of them 0. @throws {PlatformError} when the arena is full. */
export function allocate(wordCount: number): number {
  const sizeClass = classOf(wordCount);
  const at = guarded(HEAP_GUARD, nothingToRepair, () => take(sizeClass));
  memory().words.fill(0, at, at + SMALLEST_WORDS * 2 ** sizeClass);
  if (fault !== undefined) fault('heap.allocated');
  return at;
}

/** Gives a cell back; `wordCount` as it was asked for. */
export function free(at: number, wordCount: number): void {
  const { words } = memory();
  const list = FREE_LISTS + classOf(wordCount);
  guarded(HEAP_GUARD, nothingToRepair, () => {
    Atomics.store(words, at, Atomics.load(words, list));
    if (fault !== undefined) fault('heap.free');
    Atomics.store(words, list, at);
  });
}

/** Words that cells occupy at this moment or did: the heap's high-water mark. */
export function heapWords(): number {
  return Atomics.load(memory().words, HEAP_CURSOR);
}

function take(sizeClass: number): number {
  const { words } = memory();
  const list = FREE_LISTS + sizeClass;
  const first = Atomics.load(words, list);
  if (first !== 0) {
    Atomics.store(words, list, Atomics.load(words, first));
    return first;
  }
  const at = Atomics.load(words, HEAP_CURSOR);
  const end = at + SMALLEST_WORDS * 2 ** sizeClass;
  if (end > HEAP_END) throw new PlatformError('The arena is full: 1 GiB of locks, queues and waiters. Close some.');
  Atomics.store(words, HEAP_CURSOR, end);
  return at;
}

function classOf(wordCount: number): number {
  const sizeClass = Math.max(0, Math.ceil(Math.log2(wordCount / SMALLEST_WORDS)));
  if (sizeClass >= SIZE_CLASSES) throw new RangeError(`No cell has ${wordCount} words.`);
  return sizeClass;
}
