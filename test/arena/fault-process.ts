/** Processes of the fault tests: they share the arena of the test, and one of them is killed at a numbered step. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { arenaFd } from '../../src/arena/memory.ts';
import { root } from '../support/program.ts';

/** A step that is passed more often, as in a loop, is not killed at each passing. For a longer walk, say how often. */
const PASSINGS_MAX = Number(process.env.MANYHANDS_FAULT_PASSINGS ?? 2);
/** A call that is lost is found within a tenth of a second; the rest is for a busy machine. */
const SERVED_WITHIN_MS = 20_000;

/** A program of this folder's tests, joined into one file, as its processes load it many times. */
export class Program {
  readonly folder: string = mkdtempSync(join(root, 'test/fixtures/.tmp-faults-'));
  readonly path: string = join(this.folder, 'actor.mjs');

  async build(entry: string): Promise<void> {
    const entryPoints = [join(root, entry)];
    await build({
      entryPoints,
      outfile: this.path,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['koffi'],
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Another process, of the same arena, that obeys orders and reports when it has. */
export class Actor<Order extends object> {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  hasEnded = false;

  constructor(program: Program, faultWanted?: string) {
    this.child = spawn(process.execPath, [program.path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', arenaFd()],
      env: { ...process.env, NODE_OPTIONS: undefined, NODE_TEST_CONTEXT: undefined, MANYHANDS_FAULT: faultWanted },
    });
    this.ended = once(this.child, 'exit').then(() => {
      this.hasEnded = true;
    });
  }

  /** Resolves with its report, or once it is dead. */
  async order(order: Order): Promise<Report | undefined> {
    if (this.hasEnded) return undefined;
    const answer = new Promise<Report>((resolve) => this.child.once('message', resolve));
    this.child.send(order, () => {}); // it may be dead
    const report = (await Promise.race([answer, this.ended])) as Report | undefined;
    if (report?.kind === 'error') throw new Error(report.text);
    return report;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

export type Report =
  | { readonly kind: 'ready' | 'done'; readonly got?: unknown }
  | { readonly kind: 'error'; readonly text: string };

/** `STEP:N` for each passing behind the mark `go`, of the steps that a process told one by one. */
export function faultsOf(passed: readonly string[], covered: Set<string>): string[] {
  const go = passed.indexOf('go');
  const counts = new Map<string, number>();
  const faults: string[] = [];
  passed.forEach((step, i) => {
    const count = (counts.get(step) ?? 0) + 1;
    counts.set(step, count);
    const isEarly = passed.slice(go).filter((other) => other === step).length <= PASSINGS_MAX;
    const countSinceGo = passed.slice(go, i + 1).filter((other) => other === step).length;
    if (i > go && (isEarly || countSinceGo <= PASSINGS_MAX)) faults.push(`${step}:${count}`);
  });
  for (const fault of faults) covered.add(fault.slice(0, fault.lastIndexOf(':')));
  return faults;
}

export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${SERVED_WITHIN_MS} ms`)), SERVED_WITHIN_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
