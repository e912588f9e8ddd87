/** A lock taken and released: alone, and by several processes at once, beside Python's and a mutex in C. */

import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Lock, Process } from 'manyhands';
import { LineServer } from '../line-server.ts';
import { type Contender, measure } from '../measure.ts';
import { inC } from '../other-languages.ts';
import { markdownTable, measuredTable } from '../table.ts';
import { hammer } from './targets.ts';

const ROUNDS = 9;
const PAIRS = 1_000_000;
const SECONDS = 1;

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function alone(): Contender {
  const lock = new Lock();
  return {
    name: 'Lock, acquireSync and release',
    async once() {
      const begun = performance.now();
      for (let i = 0; i < PAIRS; i++) lock.acquireSync().release();
      return ((performance.now() - begun) / PAIRS) * 1e6;
    },
  };
}

function asked(name: string, server: LineServer): Contender {
  return { name, once: async () => Number(await server.ask('1 0')), end: () => server.end() };
}

interface Shares {
  readonly perSecond: number;
  /** The least of them, in parts of the even share. */
  readonly least: number;
}

function sharesOf(counts: readonly number[]): Shares {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return { perSecond: total / SECONDS, least: Math.min(...counts) / (total / counts.length) };
}

async function together(count: number): Promise<Shares> {
  const lock = new Lock();
  const begin = process.hrtime.bigint() + 300_000_000n;
  const args = [lock, begin, begin + BigInt(SECONDS * 1e9)] as [Lock, bigint, bigint];
  const processes = Array.from({ length: count }, () => new Process({ target: hammer, args }));
  for (const one of processes) one.start();
  return sharesOf(await Promise.all(processes.map((one) => one.result())));
}

async function pythonTogether(server: LineServer, count: number): Promise<Shares> {
  return sharesOf((await server.ask(`${count} ${SECONDS}`)).split(' ').map(Number));
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function contended(name: string, rounds: number, once: () => Promise<Shares>): Promise<string[]> {
  const shares: Shares[] = [];
  for (let i = 0; i < rounds; i++) {
    shares.push(await once());
    await sleep(50);
  }
  const perSecond = shares.map((share) => share.perSecond / 1e6);
  const spread = `${Math.min(...perSecond).toFixed(2)} to ${Math.max(...perSecond).toFixed(2)}`;
  return [name, middle(perSecond).toFixed(2), spread, middle(shares.map((share) => share.least)).toFixed(2)];
}

export async function lock(): Promise<string> {
  const hasPython = spawnSync('python3', ['--version']).status === 0;
  const python = (): LineServer => new LineServer('python3', [path('python_lock.py')]);
  const contenders = [
    alone(),
    ...(hasPython ? [asked('Python multiprocessing.Lock', python())] : []),
    ...inC('mutex in C, shared by processes', path('mutex.c')),
  ];
  const measured = await measure(contenders, ROUNDS);
  const crowd: string[][] = [];
  const server = hasPython ? python() : undefined;
  for (const count of [2, 4]) {
    crowd.push(await contended(`Lock, ${count} processes`, 5, () => together(count)));
    if (server !== undefined)
      crowd.push(await contended(`Python Lock, ${count} processes`, 5, () => pythonTogether(server, count)));
  }
  server?.end();
  return [
    `### A lock, taken and released by one process, ${ROUNDS} rounds\n`,
    measuredTable(measured, 'ns', 0),
    '\n### A lock that several processes want all the time, 5 rounds of 1 s\n',
    markdownTable(['what', 'median, M/s', 'least to most', 'least share of the even one'], crowd),
    '',
  ].join('\n');
}
