/** Small messages from one process to another, beside Node's own channel and Python's queue. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Process, Queue } from 'manyhands';
import { type Contender, type Measured, measure, ratio } from '../measure.ts';
import { inPython } from '../other-languages.ts';
import { measuredTable } from '../table.ts';
import { consume, consumeSync, type Job } from './targets.ts';

const ROUNDS = 9;
const COUNT = 100_000;

const names = {
  queue: 'Queue, await put and for await',
  sync: 'Queue, putSync and getSync',
  node: 'process.send, JSON',
  python: 'Python multiprocessing.Queue',
} as const;

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function job(id: number): Job {
  return { id, name: 'job', done: false };
}

/** Thousands a second, from the first message's sending to the last one's arrival. */
function rate(begunNs: bigint, endedNs: bigint): number {
  return (COUNT / Number(endedNs - begunNs)) * 1e6;
}

function awaited(): Contender {
  const jobs = new Queue<Job>();
  const times = new Queue<bigint>();
  new Process({ target: consume, args: [jobs, times, COUNT] }).start();
  return {
    name: names.queue,
    async once() {
      const begunNs = process.hrtime.bigint();
      for (let i = 0; i < COUNT; i++) await jobs.put(job(i));
      return rate(begunNs, await times.get());
    },
    end: () => jobs.close(),
  };
}

function blocking(): Contender {
  const jobs = new Queue<Job>();
  const times = new Queue<bigint>();
  new Process({ target: consumeSync, args: [jobs, times, COUNT] }).start();
  return {
    name: names.sync,
    async once() {
      const begunNs = process.hrtime.bigint();
      for (let i = 0; i < COUNT; i++) jobs.putSync(job(i));
      return rate(begunNs, times.getSync());
    },
    end: () => jobs.putSync({ ...job(COUNT), done: true }),
  };
}

/** How many messages wait for one callback. One at a time Node sends a quarter fewer; 10, 100, 1000 and all are alike. */
const WAVE = 100;

function sent(): Contender {
  const child = fork(path('forked.ts'), [String(COUNT)], { serialization: 'json' });
  return {
    name: names.node,
    async once() {
      const reply = once(child, 'message') as Promise<[string]>;
      const begunNs = process.hrtime.bigint();
      for (let i = 1; i <= COUNT; i++) {
        if (i % WAVE === 0) await new Promise((resolve) => child.send(job(i), resolve));
        else child.send(job(i));
      }
      const [time] = await reply;
      return rate(begunNs, BigInt(time));
    },
    end: () => child.disconnect(),
  };
}

/** What the design promises, and what came out. */
function verdicts(measured: readonly Measured[]): string {
  const times = (base: string): string => ratio(measured, names.queue, base).toFixed(2);
  return `The queue carries ${times(names.node)} × what process.send does (goal 3), and ${times(names.python)} × what Python's does (goal 6).`;
}

export async function queue(): Promise<string> {
  const contenders = [awaited(), blocking(), sent(), ...inPython(names.python, path('python_queue.py'))];
  const measured = await measure(contenders, ROUNDS);
  return [
    `### Small messages from one process to another, ${ROUNDS} rounds of ${COUNT}\n`,
    measuredTable(measured, 'k/s', 0),
    `\n${verdicts(measured)}\n`,
  ].join('\n');
}
