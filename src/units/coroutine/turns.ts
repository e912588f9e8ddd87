/**
 * Who may go on: the coroutines of this thread that gave way, in the order in which they did.
 *
 * A time slice is common to all of them. While it lasts nobody has to give way to the event loop; when it is over, each goes
 * into the line at its next checkpoint. Then the loop has its turn (timers, I/O), and a new slice begins in which those of the
 * line go on one after the other, as many as it has time for. Between two of them there is one microtask: in it the one before
 * runs up to its next await. So from one turn of the loop to the next pass two slices at the most, and one step of a coroutine.
 */

import { nowMs, setImmediate, setTimeout } from '../../platform/clock.ts';

/** Short beside what people and networks notice, long beside a turn of the loop (some 5 µs). */
const SLICE_MS = 2;

interface Turn {
  readonly go: () => void;
  readonly isDaemon: boolean;
}

let line: Turn[] = [];
/** How many of `line` have gone. */
let gone = 0;
/** How many in the line keep the program alive. */
let keeping = 0;
let sliceEndMs = 0;
let plan: 'none' | 'unreferenced' | 'referenced' | 'running' = 'none';

export function isSliceOver(): boolean {
  return nowMs() >= sliceEndMs;
}

/** Resolves when it is this one's turn. @param isDaemon - whether the program may end without it. */
export function nextTurn(isDaemon: boolean): Promise<void> {
  return new Promise((go) => queueUp(go, isDaemon));
}

/** So many begin in one turn; each must look whether the slice is over by then. */
const BATCH = 64;

/** Those that wait for their first turn, together: a promise for each of many would leave twice the memory that they take. */
interface Batch {
  readonly turn: Promise<void>;
  left: number;
}

let open: { keeping?: Batch | undefined; daemons?: Batch | undefined } = {};

/** As `nextTurn`, for one that has just been started. */
export function firstTurn(isDaemon: boolean): Promise<void> {
  const kind = isDaemon ? 'daemons' : 'keeping';
  const batch = open[kind] ?? { turn: nextBatch(isDaemon), left: BATCH };
  open[kind] = --batch.left === 0 ? undefined : batch;
  return batch.turn;
}

function nextBatch(isDaemon: boolean): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      open = {}; // a promise that has resolved is nothing to wait for
      resolve();
    };
    queueUp(go, isDaemon);
  });
}

function queueUp(go: () => void, isDaemon: boolean): void {
  line.push({ go, isDaemon });
  if (!isDaemon) keeping++;
  makePlan();
}

function makePlan(): void {
  if (plan === 'running' || plan === 'referenced' || gone === line.length) return;
  if (keeping > 0) {
    plan = 'referenced';
    setImmediate(run);
  } else if (plan === 'none') {
    plan = 'unreferenced';
    // Not an unreferenced immediate: the loop would sleep until something else happens.
    setTimeout(run, 1).unref();
  }
}

function run(): void {
  // The timer of daemons, after an immediate has overtaken it.
  if (plan !== 'none' && plan !== 'running') void goOn();
}

async function goOn(): Promise<void> {
  plan = 'running';
  sliceEndMs = nowMs() + SLICE_MS;
  do {
    const turn = line[gone++]!;
    if (!turn.isDaemon) keeping--;
    turn.go();
    await undefined;
  } while (gone < line.length && !isSliceOver());
  // Copied once for many that went.
  if (gone * 2 >= line.length) {
    line = line.slice(gone);
    gone = 0;
  }
  plan = 'none';
  makePlan();
}
