/**
 * Runs of pages of the arena, for the contents of shared arrays. A run reads as 0 when it is given out, and its memory
 * goes back to the kernel when it is freed: what is free costs address space only.
 *
 * ```
 *   WORDS_BYTES            BLOCKS_CURSOR                              ARENA_BYTES
 *   |  given out or free   |  never given out, or given back since     |
 * ```
 *
 * Sizes are rounded up to one of four steps for each doubling (4, 5, 6, 7 × 2^n pages), for each of which there is a list
 * of free runs. A free run is told by a node, a cell of the heap: NEXT, FIRST, COUNT. A list holds runs of at least its own
 * size and less than the next one's. A run is taken from the list of its size; else from the cursor; else cut off a run
 * of a longer list. When all that fails, the free runs are merged with their neighbours, and it is tried once more.
 *
 * Under one guard. A list changes by one write of its head, the cursor by one write; the words of a node are written while
 * it stands in no list. So a death, at any step:
 *
 *   taking   between the write that takes a run and the caller's note of it: the run is lost
 *   cutting  before the rest is linked: the rest is lost
 *   freeing  before the head is written: the run is lost; memory that was given back by then is not
 *   merging  begins by emptying the lists and links run by run: those not linked yet are lost, address space only
 *
 * and never is a run in two places. Linked are only runs that the kernel has back, so what is taken reads as 0.
 *
 * What carries messages need not read as 0, and is used again at once: fresh pages cost several times a copy into them. Such
 * runs go to lists of their own, *warm*, up to WARM_PAGES_MAX in all, and from there to the kernel by `cool`. Their count
 * may be too large after a death; `cool` sets it right.
 *
 * Memory is not reserved: a page is paid for at its first touch, which makes an array of many GiB of which little is used
 * cheap, and has the machine kill somebody when it has no more. A request for more than the machine, with its swap, or the
 * limit of the control group has left is therefore refused at the call; what is asked for bit by bit cannot be known.
 */

import { PlatformError } from '../errors.ts';
import { availableBytes } from '../platform/proc.ts';
import { system } from '../platform/system.ts';
import { fault } from './fault.ts';
import { guarded } from './guard.ts';
import { allocate, free } from './heap.ts';
import {
  ARENA_BYTES,
  BLOCKS_CURSOR,
  BLOCKS_FREE,
  BLOCKS_GUARD,
  BLOCKS_WARM,
  BLOCKS_WARM_COUNT,
  RUN_CLASSES,
  WORDS_BYTES,
} from './layout.ts';
import { memory } from './memory.ts';

export const PAGE_BYTES = 4096;
const FIRST_PAGE = WORDS_BYTES / PAGE_BYTES;
const END_PAGE = ARENA_BYTES / PAGE_BYTES;
/** Shorter requests are not worth a look at what the machine has left. */
const CHECKED_BYTES = 16 * 2 ** 20;
/** 256 MiB. */
const WARM_PAGES_MAX = 65_536;

/** Words of a node. */
const NEXT = 0;
const FIRST = 1;
const COUNT = 2;
const NODE_WORDS = 3;

const nothingToRepair = (): void => {};

interface Run {
  readonly first: number;
  readonly count: number;
}

/**
 * The number of the first page of a new run of at least `sizeBytes`, all of it 0.
 *
 * @throws {PlatformError} `ERR_OUT_OF_MEMORY` when the arena has no such run, or the machine not as much memory.
 */
export function allocateRun(sizeBytes: number): number {
  if (pagesOf(sizeBytes) > END_PAGE - FIRST_PAGE) throw full(sizeBytes);
  const sizeClass = classFor(pagesOf(sizeBytes));
  assertAvailableOrCool(sizeBytes);
  const first = guarded(
    BLOCKS_GUARD,
    nothingToRepair,
    () => take(sizeClass) ?? takeMerged(sizeClass) ?? takeAnywhere(pagesOf(sizeBytes)),
  );
  if (fault !== undefined) fault('blocks.allocated');
  if (first !== undefined) return first;
  if (Atomics.load(memory().words, BLOCKS_WARM_COUNT) === 0) throw full(sizeBytes);
  cool();
  return allocateRun(sizeBytes);
}

/** Gives a run and its memory back; `sizeBytes` as it was asked for. */
export function freeRun(first: number, sizeBytes: number): void {
  const count = Math.min(pagesIn(classFor(pagesOf(sizeBytes))), END_PAGE - first);
  system().punchHole(memory().fd, first * PAGE_BYTES, count * PAGE_BYTES);
  if (fault !== undefined) fault('blocks.punched');
  guarded(BLOCKS_GUARD, nothingToRepair, () => give({ first, count }));
}

/** As `allocateRun`, but its bytes are what they are. */
export function allocateWarmRun(sizeBytes: number): number {
  const { words } = memory();
  if (pagesOf(sizeBytes) > END_PAGE - FIRST_PAGE) throw full(sizeBytes);
  const sizeClass = classFor(pagesOf(sizeBytes));
  if (Atomics.load(words, BLOCKS_WARM + sizeClass) !== 0) {
    const first = guarded(BLOCKS_GUARD, nothingToRepair, () => takeWarm(sizeClass));
    if (fault !== undefined) fault('blocks.warmed');
    if (first !== undefined) return first;
  }
  return allocateRun(sizeBytes);
}

/** Gives a run back whose bytes nobody minds. It keeps its memory, if that is not too much already. */
export function freeWarmRun(first: number, sizeBytes: number): void {
  const sizeClass = classFor(pagesOf(sizeBytes));
  const count = pagesIn(sizeClass);
  if (Atomics.load(memory().words, BLOCKS_WARM_COUNT) + count > WARM_PAGES_MAX || first + count > END_PAGE) {
    freeRun(first, sizeBytes);
    return;
  }
  guarded(BLOCKS_GUARD, nothingToRepair, () => {
    // Counted first: a death in between makes the count too large, not too small.
    Atomics.add(memory().words, BLOCKS_WARM_COUNT, count);
    link(BLOCKS_WARM + sizeClass, { first, count });
  });
}

/** Gives the memory of all warm runs back to the kernel. */
export function cool(): void {
  const { words } = memory();
  if (Atomics.load(words, BLOCKS_WARM_COUNT) === 0) return;
  for (let sizeClass = 0; sizeClass < RUN_CLASSES; sizeClass++) {
    for (;;) {
      if (Atomics.load(words, BLOCKS_WARM + sizeClass) === 0) break;
      const first = guarded(BLOCKS_GUARD, nothingToRepair, () => takeWarm(sizeClass));
      if (first !== undefined) freeRun(first, pagesIn(sizeClass) * PAGE_BYTES);
    }
  }
  guarded(BLOCKS_GUARD, nothingToRepair, () => {
    if (isCool()) Atomics.store(words, BLOCKS_WARM_COUNT, 0);
  });
}

function isCool(): boolean {
  const { words } = memory();
  return Array.from({ length: RUN_CLASSES }, (_, i) => BLOCKS_WARM + i).every(
    (list) => Atomics.load(words, list) === 0,
  );
}

function takeWarm(sizeClass: number): number | undefined {
  const run = pop(BLOCKS_WARM + sizeClass);
  if (run !== undefined) Atomics.sub(memory().words, BLOCKS_WARM_COUNT, run.count);
  return run?.first;
}

/** Bytes between the first page and the cursor: how far the arena was ever used, less what was given back at its end. */
export function blockBytes(): number {
  return (cursor() - FIRST_PAGE) * PAGE_BYTES;
}

/** The byte of the arena at which a page begins. */
export function offsetOf(page: number): number {
  return page * PAGE_BYTES;
}

/** @throws {PlatformError} `ERR_OUT_OF_MEMORY` when the machine, as far as it tells, has less memory than that left. */
export function assertAvailable(sizeBytes: number): void {
  if (sizeBytes < CHECKED_BYTES) return;
  const available = availableBytes();
  if (available === undefined || sizeBytes <= available) return;
  throw new PlatformError(
    `There is not enough memory for ${sizeBytes} shared bytes: this machine has ${Math.max(0, available)} left.`,
    { code: 'ERR_OUT_OF_MEMORY' },
  );
}

/** What is kept warm is given up for it. */
function assertAvailableOrCool(sizeBytes: number): void {
  try {
    assertAvailable(sizeBytes);
  } catch {
    cool();
    assertAvailable(sizeBytes);
  }
}

function take(sizeClass: number): number | undefined {
  const count = pagesIn(sizeClass);
  const exact = pop(BLOCKS_FREE + sizeClass);
  if (exact !== undefined) return cut(exact, count);
  const first = cursor();
  if (first + count <= END_PAGE) {
    setCursor(first + count);
    return first;
  }
  for (let longer = sizeClass + 1; longer < RUN_CLASSES; longer++) {
    const run = pop(BLOCKS_FREE + longer);
    if (run !== undefined) return cut(run, count);
  }
  return undefined;
}

function takeMerged(sizeClass: number): number | undefined {
  mergeAll();
  return take(sizeClass);
}

/** The last resort, for a request that its rounding makes longer than what is left at the end of the arena. */
function takeAnywhere(count: number): number | undefined {
  const first = cursor();
  if (first + count > END_PAGE) return undefined;
  setCursor(END_PAGE);
  return first;
}

/** What is left of a run is free again. */
function cut(run: Run, count: number): number {
  if (run.count > count) {
    if (fault !== undefined) fault('blocks.cut');
    give({ first: run.first + count, count: run.count - count });
  }
  return run.first;
}

function give(run: Run): void {
  if (run.first + run.count === cursor()) {
    setCursor(run.first);
    return;
  }
  link(BLOCKS_FREE + classWithin(run.count), run);
}

function link(list: number, run: Run): void {
  const { words } = memory();
  const node = allocate(NODE_WORDS);
  Atomics.store(words, node + FIRST, run.first);
  Atomics.store(words, node + COUNT, run.count);
  Atomics.store(words, node + NEXT, Atomics.load(words, list));
  if (fault !== undefined) fault('blocks.give');
  // Last: from here on it may be taken.
  Atomics.store(words, list, node);
}

function pop(list: number): Run | undefined {
  const { words } = memory();
  const node = Atomics.load(words, list);
  if (node === 0) return undefined;
  const run = { first: Atomics.load(words, node + FIRST), count: Atomics.load(words, node + COUNT) };
  Atomics.store(words, list, Atomics.load(words, node + NEXT));
  if (fault !== undefined) fault('blocks.popped');
  free(node, NODE_WORDS);
  return run;
}

function mergeAll(): void {
  const runs: Run[] = [];
  for (let sizeClass = 0; sizeClass < RUN_CLASSES; sizeClass++) {
    const list = BLOCKS_FREE + sizeClass;
    for (let run = pop(list); run !== undefined; run = pop(list)) runs.push(run);
  }
  if (fault !== undefined) fault('blocks.merge');
  for (const run of merged(runs.sort((a, b) => a.first - b.first))) give(run);
}

function merged(sorted: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const run of sorted) {
    const last = result.at(-1);
    if (last !== undefined && last.first + last.count === run.first) {
      result[result.length - 1] = { first: last.first, count: last.count + run.count };
    } else {
      result.push(run);
    }
  }
  return result;
}

function cursor(): number {
  return Atomics.load(memory().words, BLOCKS_CURSOR) || FIRST_PAGE;
}

function setCursor(page: number): void {
  Atomics.store(memory().words, BLOCKS_CURSOR, page);
  if (fault !== undefined) fault('blocks.cursor');
}

function pagesOf(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / PAGE_BYTES));
}

/** Pages of the runs of a class: 1, 2, 3, then 4, 5, 6, 7 × 2^n. */
function pagesIn(sizeClass: number): number {
  if (sizeClass < 3) return sizeClass + 1;
  return (4 + ((sizeClass - 3) & 3)) * 2 ** ((sizeClass - 3) >> 2);
}

/** The longest class that fits into `count` pages. */
function classWithin(count: number): number {
  if (count < 4) return count - 1;
  const doublings = 29 - Math.clz32(count);
  return 3 + doublings * 4 + (Math.floor(count / 2 ** doublings) - 4);
}

/** The shortest class into which `count` pages fit. */
function classFor(count: number): number {
  const sizeClass = classWithin(count);
  return pagesIn(sizeClass) === count ? sizeClass : sizeClass + 1;
}

function full(sizeBytes: number): PlatformError {
  return new PlatformError(
    `The arena is full: it has no ${sizeBytes} bytes in a row left of its ${(ARENA_BYTES - WORDS_BYTES) / 2 ** 30} GiB ` +
      'for shared arrays. Let go of some.',
    { code: 'ERR_OUT_OF_MEMORY' },
  );
}
