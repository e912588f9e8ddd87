/** Bounds of the V8 heap that go with a bound of the process's memory. */

const MIB = 2 ** 20;
/** Node's own, on most machines; a larger one would be no bound. */
const USUAL_SEMI_SPACE_MIB = 16;

/**
 * Options of Node that make V8 give up a little below `memoryLimitBytes`. To a V8 that knows no bound and is refused
 * memory by the kernel it may happen that it tries again for every object that it moves: on Node 22 we saw it spin for
 * 27 s before it gave up.
 */
export function heapBounds(memoryLimitBytes: number): string[] {
  const limit = memoryLimitBytes / MIB;
  const semiSpace = Math.min(USUAL_SEMI_SPACE_MIB, Math.max(1, Math.floor(limit / 16)));
  // Three semi-spaces are the young generation.
  return [`--max-old-space-size=${Math.floor((limit * 3) / 4)}`, `--max-semi-space-size=${semiSpace}`];
}
