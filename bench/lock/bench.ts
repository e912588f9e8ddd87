/** A lock taken and released: alone, and by several processes at once, beside Python's and a mutex in C. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Lock, Process } from 'manyhands';
import { LineServer } from '../line-server.ts';
import { type Contender, measure } from '../measure.ts';
import { markdownTable } from '../table.ts';
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

/** Compiled for this run alone; `undefined` without a compiler. */
function mutex(folder: string): Contender | undefined {
  const program = join(folder, 'mutex');
  const { status } = spawnSync('gcc', ['-O2', '-pthread', '-o', program, path('mutex.c')]);
  return status === 0 ? asked('mutex in C, shared by processes', new LineServer(program, [])) : undefined;
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
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-bench-'));
  const hasPython = spawnSync('python3', ['--version']).status === 0;
  const python = (): LineServer => new LineServer('python3', [path('python_lock.py')]);
  try {
    const contenders = [alone(), ...(hasPython ? [asked('Python multiprocessing.Lock', python())] : []), mutex(folder)];
    const measured = await measure(
      contenders.filter((one) => one !== undefined),
      ROUNDS,
    );
    const rows = measured.map(({ name, median, low, high }) => [
      name,
      median.toFixed(0),
      `${low.toFixed(0)} to ${high.toFixed(0)}`,
    ]);
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
      markdownTable(['what', 'median, ns', 'middle half'], rows),
      '\n### A lock that several processes want all the time, 5 rounds of 1 s\n',
      markdownTable(['what', 'median, M/s', 'least to most', 'least share of the even one'], crowd),
      '',
    ].join('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
