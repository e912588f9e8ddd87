/** What the threads of these tests run. A thread imports this module, and so it holds no tests. */

import { isMainThread, threadId } from 'node:worker_threads';
import {
  currentProcess,
  type Event,
  isMainProcess,
  type Lock,
  Process,
  parentProcess,
  type Queue,
  type SharedValue,
  Thread,
} from 'manyhands';

export function give<T>(value: T): T {
  return value;
}

export function add(a: number, b: number): number {
  return a + b;
}

/** A function that closes over a local. */
export function scaledBy(factor: { by: number; since: Date; big: bigint }): (n: number) => unknown[] {
  return (n) => [add(n, factor.by), factor.since, factor.big];
}

export async function later<T>(value: T): Promise<T> {
  await new Promise(setImmediate);
  return value;
}

export function* count(to: number): Generator<number, string> {
  for (let i = 0; i < to; i++) yield i;
  return `counted to ${to}`;
}

export function whereAmI(): Record<string, unknown> {
  const { main } = import.meta as { main?: boolean };
  const { pid, name } = currentProcess();
  return { isMainThread, isMainProcess, main: main ?? false, pid, name, parent: parentProcess()?.pid, threadId };
}

export class OrderError extends Error {
  override readonly name: string = 'OrderError';
  readonly code = 'ERR_ORDER';
}

export function raiseOrder(): never {
  throw new OrderError('no such order', { cause: new RangeError('item 7') });
}

export function raise(value: unknown): never {
  throw value;
}

export function raiseLater(): Promise<void> {
  setImmediate(() => {
    throw new OrderError('stray');
  });
  return new Promise(() => {});
}

export function exitWith(code: number): void {
  process.exit(code);
}

export function setExitCode(code: number): string {
  process.exitCode = code;
  return 'returned';
}

/** Waits for what can no longer happen. */
export function neverSettles(): Promise<void> {
  return new Promise(() => {});
}

export function fillMemory(): void {
  const kept: unknown[] = [];
  for (;;) kept.push(new Array(10_000).fill(kept.length));
}

/** Stays busy until another thread writes to `words[0]`, to which it first writes 1. */
export function spin(words: Int32Array): void {
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  while (Atomics.load(words, 0) === 1);
}

export function addTo(words: Int32Array, times: number): void {
  for (let i = 0; i < times; i++) Atomics.add(words, 0, 1);
}

export async function waitFor(event: Event, begun: Event): Promise<string> {
  begun.set();
  await event.wait();
  return 'went on';
}

export function waitForSync(event: Event, begun: Event): string {
  begun.set();
  event.waitSync();
  return 'went on';
}

/** Never lets go. */
export function holdForEver(lock: Lock, held: Event): void {
  lock.acquireSync();
  held.set();
  for (;;);
}

export async function holdAsleep(lock: Lock, held: Event, never: Event): Promise<void> {
  await lock.acquire();
  held.set();
  never.waitSync();
}

export async function increment(lock: Lock, value: SharedValue<'int32'>, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const lease = i % 2 === 0 ? lock.acquireSync() : await lock.acquire();
    value.value += 1;
    lease.release();
  }
}

export async function answer(questions: Queue<number>, answers: Queue<number>): Promise<number> {
  let answered = 0;
  for await (const question of questions) {
    await answers.put(question * 2);
    answered++;
  }
  return answered;
}

/** Starts a process of its own, which answers. */
export async function askProcess(a: number, b: number): Promise<number> {
  const child = new Process({ target: add, args: [a, b] });
  child.start();
  return child.result();
}

/** Blocks until a process ends that never does. */
export function joinForEver(begun: Event): void {
  const child = new Process({ target: neverEnds });
  child.start();
  begun.set();
  child.joinSync();
}

export function neverEnds(): void {
  setInterval(() => {}, 1 << 30);
}

export async function inner(depth: number): Promise<string[]> {
  if (depth === 0) return [];
  const thread = new Thread({ target: inner, args: [depth - 1] });
  thread.start();
  return [thread.name, ...(await thread.result())];
}

/** Starts threads for ever, one inside of the other. */
export async function nest(begun: Event): Promise<void> {
  begun.set();
  const thread = new Thread({ target: nest, args: [begun] });
  thread.start();
  await thread.join();
}

export function daemonOfThread(): [string, boolean] {
  const thread = new Thread({ target: give, args: [1] });
  return [thread.name, thread.daemon];
}

export function print(text: string): void {
  console.log(text);
}
