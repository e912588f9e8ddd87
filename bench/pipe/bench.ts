/** A small message there and back between two processes on one processor, beside Python's pipe and bare turns in C. */

import { fileURLToPath } from 'node:url';
import { type Connection, pipe as makePipe, Process } from 'manyhands';
import { type Contender, type Measured, measure, ratio } from '../measure.ts';
import { inC, inPython } from '../other-languages.ts';
import { measuredTable } from '../table.ts';
import { ask, askForked, askSync, echo, echoSync, type Job, type Trips } from './targets.ts';

const ROUNDS = 9;
/** So many, until all of the code is compiled: V8 compiles on this processor as well. */
const TRIPS: Trips = { warmUps: 30_000, count: 10_000 };

const names = {
  sync: 'pipe, sendSync and recvSync',
  awaited: 'pipe, await send and recv',
  node: 'process.send, JSON',
  python: 'Python multiprocessing.Pipe',
  futex: 'futex in C, turns without a message',
} as const;

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Across processors a round trip takes one of two times, tenfold apart, as the machine likes: so all stay on this one. */
const affinity = [0];

type Asking = (here: Connection<Job>, trips: Trips) => number | Promise<number>;
type Echoing = (there: Connection<Job>) => void | Promise<void>;

function ours(name: string, asking: Asking, echoing: Echoing): Contender {
  return {
    name,
    async once() {
      const [here, there] = makePipe<Job>();
      const echoer = new Process({ target: echoing, args: [there], affinity });
      const asker = new Process({ target: asking, args: [here, TRIPS], affinity });
      echoer.start();
      asker.start();
      const [perTrip] = await Promise.all([asker.result(), echoer.result()]);
      here.close();
      there.close();
      return perTrip;
    },
  };
}

function sent(): Contender {
  return {
    name: names.node,
    once: () => {
      const asker = new Process({ target: askForked, args: [TRIPS], affinity });
      asker.start();
      return asker.result();
    },
  };
}

/** What the design promises, and what came out. */
function verdict(measured: readonly Measured[]): string {
  const times = (name: string): string => ratio(measured, name, names.python).toFixed(2);
  return `Of Python's time, the pipe takes ${times(names.sync)} when it blocks (goal 0.6), and ${times(names.awaited)} when it awaits.`;
}

export async function pipe(): Promise<string> {
  const contenders = [
    ours(names.sync, askSync, echoSync),
    ours(names.awaited, ask, echo),
    sent(),
    ...inPython(names.python, path('python_pipe.py')),
    ...inC(names.futex, path('futex.c')),
  ];
  const measured = await measure(contenders, ROUNDS);
  return [
    `### A small message there and back, all on one processor, ${ROUNDS} rounds of ${TRIPS.count}\n`,
    measuredTable(measured, 'µs', 1),
    `\n${verdict(measured)}\n`,
  ].join('\n');
}
