/** Processes that the tests of sync/ start, and what is seen of them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Process } from 'manyhands';
import { until } from '../support/program.ts';

const living: Process[] = [];

/** A process that runs `target`; `endAll` ends it. */
export function start<A extends readonly unknown[], R>(target: (...args: [...A]) => R, ...args: A): Process<A, R> {
  const child = new Process<A, R>({ target, args });
  child.start();
  living.push(child as unknown as Process);
  return child;
}

/** What `target` gives in a process of its own. */
export function inChild<A extends readonly unknown[], R>(
  target: (...args: [...A]) => R,
  ...args: A
): Promise<Awaited<R>> {
  return start(target, ...args).result();
}

/** Kills what a test left running; for `afterEach`. */
export async function endAll(): Promise<void> {
  for (const child of living.splice(0)) {
    child.kill();
    await child.join();
  }
}

/** Resolves once a child is blocked, or awaits, for what `reason` names. */
export function waitsFor(child: Pick<Process, 'waitingFor'>, reason: string): Promise<void> {
  return until(() => child.waitingFor === reason);
}

/** Kills a child, and waits until its parent has noticed. */
export async function killed(child: Pick<Process, 'kill' | 'join'>): Promise<void> {
  child.kill();
  await child.join();
}

/** The processor time that a process has used, in ticks of 10 ms. */
function processorTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Whether a promise has settled by the time that all code that could run now has run. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  return settled;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How late a wait may end on a busy machine. Never early. */
const LATE_MS = 10_000;

/** Checks that a wait of `timeoutMs` that took `ms` ended at its time. */
export function assertOnTime(ms: number, timeoutMs: number): void {
  assert.ok(ms >= timeoutMs && ms < timeoutMs + LATE_MS, `${ms} ms instead of ${timeoutMs}`);
}

/** Resolves once `pid` uses no processor time, but for a look around now and then: what its start left to do is done. */
export async function untilIdle(pid: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const before = processorTicks(pid);
    await sleep(1500);
    const ticks = processorTicks(pid) - before;
    if (ticks <= 2) return;
    assert.ok(performance.now() < deadline, `${ticks * 10} ms of 1500`);
  }
}

/** Runs `body` and tells how many milliseconds it took. */
export async function timed<T>(body: () => T | Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const begin = performance.now();
  const value = await body();
  return { value, ms: performance.now() - begin };
}
