/** From `start()` to the first line in the target, beside what else starts a unit of execution. */

import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { keepSpareProcesses, Process, spareProcesses } from 'manyhands';
import { LineServer } from '../line-server.ts';
import { type Contender, type Measured, measure } from '../measure.ts';
import { measuredTable } from '../table.ts';
import * as javascript from './target.js';
import * as typescript from './target.ts';

const ROUNDS = 25;

/** The clock that all processes of a machine share (CLOCK_MONOTONIC), in nanoseconds. */
const clock = process.hrtime.bigint;

function file(name: string): URL {
  return new URL(name, import.meta.url);
}

function since(begun: bigint, reached: bigint): number {
  return Number(reached - begun) / 1e6;
}

const targets = { 'target.ts': typescript.now, 'target.js': javascript.now } as const;

async function firstLine(module: keyof typeof targets): Promise<number> {
  const process = new Process({ target: targets[module] });
  const begun = clock();
  process.start();
  return since(begun, await process.result());
}

function withSpare(module: keyof typeof targets): Contender {
  return {
    name: `Process, spare ready (${module})`,
    async once() {
      keepSpareProcesses(1);
      while (spareProcesses().ready === 0) {
        if (spareProcesses().booting === 0) await firstLine(module);
        await sleep(5);
      }
      await sleep(20); // what came before is over, and the processors are idle
      return firstLine(module);
    },
  };
}

function cold(module: keyof typeof targets): Contender {
  return {
    name: `Process, cold (${module})`,
    async once() {
      keepSpareProcesses(0);
      await sleep(50);
      return firstLine(module);
    },
  };
}

function forked(module: string): Contender {
  return {
    name: `child_process.fork (${module})`,
    async once() {
      await sleep(20);
      const begun = clock();
      const child = fork(file(module));
      const [[reached]] = (await Promise.all([once(child, 'message'), once(child, 'exit')])) as [[string], unknown];
      return since(begun, BigInt(reached));
    },
  };
}

function thread(module: string): Contender {
  return {
    name: `new Worker (${module})`,
    async once() {
      await sleep(20);
      const begun = clock();
      const worker = new Worker(file(module));
      const [[reached]] = (await Promise.all([once(worker, 'message'), once(worker, 'exit')])) as [[bigint], unknown];
      return since(begun, reached);
    },
  };
}

const bareNode: Contender = {
  name: 'node -e 0, from start to end',
  async once() {
    await sleep(20);
    const begun = clock();
    await once(spawn(process.execPath, ['-e', '0']), 'exit');
    return since(begun, clock());
  },
};

function python(method: string): Contender {
  let server: LineServer | undefined;
  return {
    name: `Python multiprocessing, ${method}`,
    async once() {
      server ??= new LineServer('python3', [fileURLToPath(file('python_start.py')), method]);
      await sleep(20);
      return Number(await server.ask(''));
    },
    end: () => server?.end(),
  };
}

function contenders(): Contender[] {
  const pythons = spawnSync('python3', ['--version']).status === 0 ? ['fork', 'forkserver', 'spawn'] : [];
  return [
    withSpare('target.ts'),
    withSpare('target.js'),
    cold('target.ts'),
    cold('target.js'),
    forked('forked.ts'),
    forked('forked.js'),
    thread('thread.ts'),
    thread('thread.js'),
    bareNode,
    ...pythons.map(python),
  ];
}

/** What the design promises, and what came out. */
function verdicts(measured: readonly Measured[]): string {
  const median = (name: string): number => measured.find((one) => one.name.startsWith(name))?.median ?? Number.NaN;
  const ratio = (a: string, b: string): string => (median(a) / median(b)).toFixed(2);
  const spareTs = 'Process, spare ready (target.ts)';
  const spareJs = 'Process, spare ready (target.js)';
  return [
    `With a spare: ${ratio('child_process.fork (forked.ts)', spareTs)} × sooner than fork of a TypeScript file (goal 20), ` +
      `${ratio('child_process.fork (forked.js)', spareJs)} × sooner than fork of a JavaScript file (goal 10).`,
    `Cold: ${ratio('Process, cold (target.js)', 'node -e 0')} × bare Node with JavaScript, ` +
      `${ratio('Process, cold (target.ts)', 'node -e 0')} × with TypeScript (goal 1.3).`,
  ].join('\n');
}

export async function start(): Promise<string> {
  const measured = await measure(contenders(), ROUNDS);
  const title = `### Start to first line, ${ROUNDS} rounds`;
  return `${title}\n\n${measuredTable(measured, 'ms', 2)}\n\n${verdicts(measured)}\n`;
}
