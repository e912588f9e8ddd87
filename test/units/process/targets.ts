/** What the processes of these tests run. A child imports this module, and so it holds no tests. */

import { writeSync } from 'node:fs';
import { activeChildren, currentProcess, Process, parentProcess } from 'manyhands';

/** Says on standard output, before it returns, that the target has come this far. */
function say(text: string): void {
  writeSync(1, `${text}\n`);
}

export function give<T>(value: T): T {
  return value;
}

export function exitWith(code: number): void {
  process.exit(code);
}

export function setExitCode(code: number): string {
  process.exitCode = code;
  return 'returned';
}

export function raise(value: unknown): never {
  throw value;
}

export class OrderError extends Error {
  override readonly name: string = 'OrderError';
  readonly code = 'ERR_ORDER';
  readonly item: { readonly id: number };

  constructor(message: string, item: { readonly id: number }, options?: ErrorOptions) {
    super(message, options);
    this.item = item;
  }

  describe(): string {
    return `${this.message} (item ${this.item.id})`;
  }
}

export function refuseOrder(id: number): never {
  throw new OrderError('no stock', { id }, { cause: new RangeError('the shelf is empty') });
}

export async function rejectLater(): Promise<void> {
  await Promise.resolve();
  throw new TypeError('rejected later');
}

/** Returns; then a promise that nobody holds rejects. */
export function leaveRejection(): string {
  setImmediate(() => void Promise.reject(new TypeError('nobody caught this')));
  return 'returned';
}

/** Returns; then a timer throws. */
export function leaveThrow(): string {
  setTimeout(() => raise(new TypeError('thrown by a timer')), 1);
  return 'returned';
}

export function leaveThrownZero(): string {
  setTimeout(() => raise(0), 1);
  return 'returned';
}

/** A program that deals with uncaught errors itself goes on after them. */
export async function surviveThrow(): Promise<string> {
  const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
  setImmediate(() => raise(new TypeError('dealt with')));
  return String(await caught);
}

export function abort(): void {
  process.abort();
}

export function raiseSymbol(): never {
  throw Symbol('secret');
}

export function faultItself(): Promise<void> {
  process.kill(process.pid, 'SIGSEGV');
  return new Promise(() => setInterval(() => {}, 1000));
}

/** Writes to address 0. */
export async function writeToNowhere(): Promise<void> {
  const { default: koffi } = await import('koffi');
  koffi.load(null).func('void *memset(size_t, int, size_t)')(0, 1, 8);
}

export function fillHeap(): number {
  const kept: object[] = [];
  for (;;) kept.push({ number: kept.length, text: `item ${kept.length}` });
}

/** Fills memory beside the heap, but no more than `mostBytes`. */
export function fillBuffers(mostBytes: number): number {
  const kept: Buffer[] = [];
  const step = 4 * 2 ** 20;
  while (kept.length * step < mostBytes) kept.push(Buffer.alloc(step, 1));
  return kept.length * step;
}

export function awaitNothing(): Promise<never> {
  return new Promise(() => {});
}

/** Says `here`, and stays until a signal ends it. */
export function stay(): Promise<never> {
  say('here');
  setInterval(() => {}, 1000);
  return awaitNothing();
}

/** Says `here`, and on SIGTERM leaves in its own way. */
export async function leaveOnTerminate(value: string): Promise<string> {
  const keep = setInterval(() => {}, 1000);
  const asked = new Promise((resolve) => process.once('SIGTERM', resolve));
  say('here');
  await asked;
  clearInterval(keep);
  return value;
}

/** Says `here`, and pays no heed to SIGTERM but to say `heard`. */
export function ignoreTerminate(): Promise<never> {
  process.on('SIGTERM', () => say('heard'));
  return stay();
}

/** Says `here`, and breaks when SIGTERM comes. */
export function throwOnTerminate(): Promise<never> {
  process.once('SIGTERM', () => raise(new TypeError('no')));
  return stay();
}

/** Returns, then says `here`; a timer keeps the process. */
export function linger(): string {
  setInterval(() => {}, 1000);
  setImmediate(() => say('here'));
  return 'returned';
}

export function spin(): void {
  say('here');
  for (;;);
}

export function waitOnAtomics(): void {
  say('here');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Blocks its thread until its own child, called `name`, has ended. */
export function joinChildSync(name: string): void {
  const child = new Process({ target: stay, name });
  child.start();
  child.joinSync();
}

/** Awaits its own child, called `name`. */
export async function awaitChild(name: string): Promise<void> {
  const child = new Process({ target: stay, name });
  child.start();
  await child.join();
}

/** Waits for its children one after the other, says `here`, and spins. */
export function waitForTwo(first: string, second: string): void {
  for (const name of [first, second]) {
    const child = new Process({ target: stayAWhile, name });
    child.start();
    child.joinSync();
  }
  say('here');
  for (;;);
}

function stayAWhile(): void {
  setTimeout(() => {}, 100);
}

export interface Relations {
  readonly current: { readonly pid: number; readonly name: string; readonly daemon: boolean };
  readonly parent: { readonly pid: number; readonly name: string; readonly isAlive: boolean } | undefined;
  readonly ppid: number;
  readonly children: readonly string[];
}

/** Who this process thinks it is, and who its parent. */
export function relations(): Relations {
  const { pid, name, daemon } = currentProcess();
  const parent = parentProcess();
  return {
    current: { pid, name, daemon },
    parent: parent && { pid: parent.pid, name: parent.name, isAlive: parent.isAlive },
    ppid: process.ppid,
    children: activeChildren().map((child) => child.name),
  };
}

/** What this process thinks that it is while it has two children; then what two further ones think. */
export async function familyRelations(): Promise<Relations[]> {
  const staying = [1, 2].map(() => new Process({ target: stay, stdio: 'ignore' }));
  for (const child of staying) child.start();
  const own = relations();
  for (const child of staying) child.kill();
  const children = [3, 4].map(() => new Process({ target: relations }));
  for (const child of children) child.start();
  return [own, ...(await Promise.all(children.map((child) => child.result())))];
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly umask: number;
  readonly locale: string;
  readonly timeZone: string;
  readonly heapLimitBytes: number;
}

export async function surroundings(): Promise<Surroundings> {
  const { getHeapStatistics } = await import('node:v8');
  const { locale, timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return {
    env: { ...process.env },
    cwd: process.cwd(),
    argv: process.argv,
    umask: process.umask(),
    locale,
    timeZone,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
  };
}
