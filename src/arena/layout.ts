/**
 * The arena's map. All of it is one sparse memfd that every process of a tree inherits and every thread of them maps;
 * pages cost nothing until they are touched. An *address* is a number of a 32-bit word.
 *
 * ```
 *        0  header      magic, the heap's guard, cursor and free lists, the serial number
 *   AGENTS  agent slots AGENT_COUNT of AGENT_WORDS each: agents.ts
 *     HEAP  cells       objects, waiter records, tables: heap.ts
 *    BLOCKS pages       contents of shared arrays: blocks.ts
 * ```
 */

/** As much as is mapped. The kernel keeps only what was touched. */
export const ARENA_BYTES: number = 64 * 2 ** 30;
/** The part that is addressed by words: everything but the contents of shared arrays. */
export const WORDS_BYTES: number = 2 ** 30;

export const MAGIC_VALUE = 0x6d68_3031;
export const MAGIC = 0;
export const HEAP_GUARD = 1;
/** The first word of the heap that was never given out. */
export const HEAP_CURSOR = 2;
/** Source of serial numbers; each object has one that no other ever had. */
export const SERIAL = 3;
/** When somebody last looked for agents that have died, and the guard of burials. */
export const SWEPT_AT = 10;
export const SWEEP_GUARD: number = 2 ** 9;
/** Heads of the free lists, one for each size class. */
export const FREE_LISTS = 16;
export const SIZE_CLASSES = 12;
/** After how long a standstill is reported, + 1; 0: as the environment says. And the mark of the one reported last. */
export const REPORT_MS = 12;
export const REPORTED = 13;
/** The blocks' guard, and the first page never given out (number of a page; 0: none was yet). */
export const BLOCKS_GUARD = 8;
export const BLOCKS_CURSOR = 9;
/** Heads of the lists of free runs, one for each size class of runs. */
export const BLOCKS_FREE = 128;
export const RUN_CLASSES = 96;
/** How many pages are kept warm, and heads of the lists of warm runs. */
export const BLOCKS_WARM_COUNT = 11;
export const BLOCKS_WARM = 256;

export const AGENTS = 1024;
export const AGENT_COUNT = 1023;
export const AGENT_WORDS = 64;

export const HEAP: number = 128 * 1024;
export const HEAP_END: number = WORDS_BYTES / 4;
