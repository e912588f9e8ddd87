/** Large arrays from one process to another, beside Node's own channel and bare copies in C; and a shared one as a handle. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Process, Queue, SharedArray } from 'manyhands';
import { type Contender, type Measured, measure, ratio } from '../measure.ts';
import { inC, inPython } from '../other-languages.ts';
import { measuredTable } from '../table.ts';
import { consume, look, type Receipt, sumOfPages } from './targets.ts';

const ROUNDS = 7;
/** Arrays in a row: one measurement. */
const COUNT = 8;
const SIZE_BYTES = 64 * 2 ** 20;
const SHARED_BYTES = 2 ** 30;

const names = {
  queue: 'Queue',
  node: 'process.send, advanced',
  python: 'Python multiprocessing.Queue, array',
  warm: 'memcpy in C, into warm pages',
  fresh: 'memcpy in C, into fresh pages',
  shared: 'SharedArray, from put to one number read',
} as const;

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function source(): Float64Array {
  return Float64Array.from({ length: SIZE_BYTES / Float64Array.BYTES_PER_ELEMENT }, (_, i) => i % 1000);
}

/** MB a second; an array that came damaged is worth nothing. */
function rate(array: Float64Array, begunNs: bigint, { sum, timeNs }: Receipt): number {
  if (sum !== COUNT * sumOfPages(array)) throw new Error('The arrays did not arrive as they were sent.');
  return (COUNT * SIZE_BYTES * 1e3) / Number(timeNs - begunNs);
}

function queued(): Contender {
  const array = source();
  // Two under way are enough to keep both sides busy, and memory small.
  const arrays = new Queue<Float64Array>({ maxItems: 2 });
  const receipts = new Queue<Receipt>();
  new Process({ target: consume, args: [arrays, receipts, COUNT] }).start();
  return {
    name: names.queue,
    async once() {
      const begunNs = process.hrtime.bigint();
      for (let i = 0; i < COUNT; i++) await arrays.put(array);
      return rate(array, begunNs, await receipts.get());
    },
    end: () => arrays.close(),
  };
}

function sent(): Contender {
  const array = source();
  const child = fork(path('forked.ts'), [String(COUNT)], { serialization: 'advanced' });
  return {
    name: names.node,
    async once() {
      const reply = once(child, 'message') as Promise<[Receipt]>;
      const begunNs = process.hrtime.bigint();
      // One at a time: with all of them under way it was slower.
      for (let i = 0; i < COUNT; i++) await new Promise((resolve) => child.send(array, resolve));
      const [receipt] = await reply;
      return rate(array, begunNs, receipt);
    },
    end: () => child.disconnect(),
  };
}

function shared(): Contender {
  const arrays = new Queue<SharedArray<Float64ArrayConstructor>>();
  const receipts = new Queue<Receipt>();
  new Process({ target: look, args: [arrays, receipts] }).start();
  let round = 0;
  return {
    name: names.shared,
    async once() {
      const array = new SharedArray(Float64Array, SHARED_BYTES / Float64Array.BYTES_PER_ELEMENT);
      array.view[1] = ++round;
      const begunNs = process.hrtime.bigint();
      await arrays.put(array);
      const { sum, timeNs } = await receipts.get();
      if (sum !== round) throw new Error(`The receiver read ${sum} in the place of ${round}.`);
      return Number(timeNs - begunNs) / 1e6;
    },
    end: () => arrays.close(),
  };
}

/** What the design promises, and what came out. */
function verdicts(copied: readonly Measured[], handed: readonly Measured[]): string {
  const times = (base: string): string => ratio(copied, names.queue, base).toFixed(2);
  return [
    `The queue moves ${times(names.node)} × what process.send does (goal 10), and ${times(names.warm)} × what one copy into warm pages does.`,
    `A shared array of 1 GiB is handed over in ${handed[0]?.median.toFixed(2)} ms (goal 1).`,
  ].join('\n');
}

export async function array(): Promise<string> {
  const copied = await measure(
    [
      queued(),
      sent(),
      ...inPython(names.python, path('python_array.py')),
      ...inC(names.warm, path('copy.c'), ['warm']),
      ...inC(names.fresh, path('copy.c'), ['fresh']),
    ],
    ROUNDS,
  );
  const handed = await measure([shared()], ROUNDS);
  return [
    `### Arrays of 64 MiB from one process to another, ${ROUNDS} rounds of ${COUNT}\n`,
    measuredTable(copied, 'MB/s', 0),
    `\n### A shared array of 1 GiB handed over, ${ROUNDS} rounds\n`,
    measuredTable(handed, 'ms', 2),
    `\n${verdicts(copied, handed)}\n`,
  ].join('\n');
}
