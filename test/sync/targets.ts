/** What the processes of the tests of sync/ run. */

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import {
  type Barrier,
  type Condition,
  type Event,
  type Lease,
  Lock,
  Process,
  RLock as ReentrantLock,
  type RLock,
  type Semaphore,
} from 'manyhands';

export interface Acquirable {
  acquire(options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Lease>;
  acquireSync(options?: { timeoutMs?: number }): Lease;
  tryAcquire(): Lease | undefined;
}
export type Manner = 'awaited' | 'blocking';

export async function acquireIn(manner: Manner, lock: Acquirable, timeoutMs?: number): Promise<Lease> {
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  return manner === 'awaited' ? await lock.acquire(options) : lock.acquireSync(options);
}

/** Keeps the process alive until it is killed. */
export function forever(): Promise<never> {
  setInterval(() => {}, 60_000);
  return new Promise(() => {});
}

/** Holds `lock`, says so, and lets go of it when told; gives whether it was abandoned. */
export async function hold(manner: Manner, lock: Acquirable, holds: Event, letGo?: Event): Promise<boolean> {
  const lease = await acquireIn(manner, lock);
  holds.set();
  await (letGo === undefined ? forever() : letGo.wait());
  lease.release();
  return lease.abandoned;
}

export function acquireAndKeep(lock: Acquirable): void {
  lock.acquireSync();
}

/** Acquires and releases. */
export async function pass(manner: Manner, lock: Acquirable): Promise<boolean> {
  const lease = await acquireIn(manner, lock);
  lease.release();
  return lease.abandoned;
}

export async function passTimes(manner: Manner, lock: Acquirable, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await pass(manner, lock);
}

/** As `pass`, with a line in a file while it holds. */
export async function sign(manner: Manner, lock: Acquirable, file: string, line: string): Promise<boolean> {
  const lease = await acquireIn(manner, lock);
  appendFileSync(file, `${line}\n`);
  lease.release();
  return lease.abandoned;
}

export function tryOnce(lock: Acquirable): boolean {
  const lease = lock.tryAcquire();
  lease?.release();
  return lease !== undefined;
}

export function lockState(lock: Lock): boolean {
  return lock.isLocked;
}

export function releaseIt(lock: { release(): void }): void {
  lock.release();
}

export function setIt(event: Event): void {
  event.set();
}

/** What a grandchild gives. */
export function nest(lock: Lock, file: string, depth: number): Promise<boolean> {
  if (depth === 0) return sign('blocking', lock, file, 'grandchild');
  const child = new Process({ target: nest, args: [lock, file, depth - 1] });
  child.start();
  return child.result();
}

/** Grandchild holds and is killed by the child, which lives. */
export async function killHolder(lock: Lock, holds: Event): Promise<void> {
  const child = new Process({ target: hold, args: ['blocking', lock, holds] });
  child.start();
  await holds.wait();
  child.kill();
  await child.join();
}

/** Adds to a number in a file, which only mutual exclusion keeps right. */
export async function count(manner: Manner, lock: Acquirable, file: string, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    const lease = await acquireIn(manner, lock);
    writeFileSync(file, String(Number(readFileSync(file, 'utf8')) + 1));
    lease.release();
  }
}

/** How often it got the lock until `end`. */
export function compete(lock: Lock, begin: Event, ms: number): number {
  begin.waitSync();
  const end = performance.now() + ms;
  let times = 0;
  while (performance.now() < end) {
    lock.acquireSync().release();
    times++;
  }
  return times;
}

interface Nested {
  readonly list: readonly Lock[];
  readonly map: Map<string, Semaphore>;
  readonly deep: { readonly event: Event };
}

/** What arrived where, by what it does. */
export function useNested({ list, map, deep }: Nested): Record<string, unknown> {
  deep.event.set();
  return {
    same: list[0] === list[1],
    other: list[1] === list[2],
    names: list.map(String),
    locked: list.map((lock) => lock.isLocked),
    permits: map.get('permits')?.value,
  };
}

export function useMany(lock: Lock, again: Lock, rlock: RLock, semaphore: Semaphore, condition: Condition): unknown {
  return {
    same: lock === again,
    kinds: [lock, rlock, semaphore, condition].map((value) => value.constructor.name),
    isReentrant: rlock instanceof ReentrantLock,
    sameLock: condition.lock === rlock,
    isLocked: [lock.isLocked, rlock.isLocked],
    value: semaphore.value,
  };
}

export function makeLock(name: string): { lock: Lock; again: Lock } {
  const lock = new Lock({ name });
  lock.acquireSync();
  return { lock, again: lock };
}

export function giveBack<T>(value: T): T {
  return value;
}

/** The error of a blocking acquire. */
export function acquireError(lock: Acquirable, timeoutMs: number): unknown {
  const begin = performance.now();
  try {
    lock.acquireSync({ timeoutMs });
    return undefined;
  } catch (error) {
    return { error, ms: performance.now() - begin };
  }
}

export async function errorOf(lock: { release(): void }): Promise<unknown> {
  try {
    lock.release();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Takes an RLock `times`, says so, then releases one by one as told. */
export async function holdOften(
  manner: Manner,
  lock: RLock,
  times: number,
  holds: Event,
  next: Semaphore,
): Promise<void> {
  for (let i = 0; i < times; i++) await acquireIn(manner, lock);
  holds.set();
  for (let i = 0; i < times; i++) {
    await next.acquire();
    lock.release();
  }
}

export async function acquireMany(semaphore: Semaphore, times: number): Promise<number> {
  for (let i = 0; i < times; i++) await semaphore.acquire();
  return semaphore.value;
}

/** Python's `f` of _TestCondition: says that it will sleep, sleeps, says that it woke. */
export async function sleepOn(
  manner: Manner,
  condition: Condition,
  sleeping: Semaphore,
  woken: Semaphore,
  timeoutMs?: number,
): Promise<boolean> {
  await acquireIn(manner, condition.lock);
  sleeping.release();
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  const isNotified = manner === 'awaited' ? await condition.wait(options) : condition.waitSync(options);
  woken.release();
  condition.release();
  return isNotified;
}

/** Waits for a line count in a file to be reached, adds its own. */
export async function takeTurn(condition: Condition, file: string, turn: number): Promise<void> {
  await condition.acquire();
  await condition.waitFor(() => readFileSync(file, 'utf8').length === turn);
  appendFileSync(file, String(turn));
  condition.notifyAll();
  condition.release();
}

export async function notifyIt(condition: Condition, n: number): Promise<void> {
  await condition.acquire();
  condition.notify(n);
  condition.release();
}

export function waitSet(manner: Manner, event: Event, timeoutMs?: number): boolean | Promise<boolean> {
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  return manner === 'awaited' ? event.wait(options) : event.waitSync(options);
}

/** Rounds of a barrier: the indices, or the code of the error. */
export async function meet(manner: Manner, barrier: Barrier, rounds: number, timeoutMs?: number): Promise<unknown[]> {
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  const indices: unknown[] = [];
  for (let i = 0; i < rounds; i++) {
    try {
      indices.push(manner === 'awaited' ? await barrier.wait(options) : barrier.waitSync(options));
    } catch (error) {
      indices.push((error as { code?: string }).code ?? String(error));
    }
  }
  return indices;
}

/** Rounds in lockstep: nobody is ever more than a round ahead of another, by the lengths of their files. */
export function lockstep(barrier: Barrier, files: readonly string[], own: number, rounds: number): boolean {
  for (let round = 1; round <= rounds; round++) {
    appendFileSync(files[own]!, '.');
    barrier.waitSync();
    if (files.some((file) => ![round, round + 1].includes(readFileSync(file).length))) {
      barrier.abort();
      return false;
    }
  }
  return true;
}

/** Arrives while `waiting` holds already. */
export async function abortAtFirst(barrier: Barrier): Promise<void> {
  barrier.abort();
}

export interface Storm {
  readonly seed: number;
  readonly lock: Lock;
  readonly semaphore: Semaphore;
  readonly file: string;
  readonly ms: number;
}

/** Acquires and releases at random for a while, awaiting and blocking; gives how often it held the lock. */
export async function storm({ seed, lock, semaphore, file, ms }: Storm): Promise<number> {
  const random = randomOf(seed);
  const end = performance.now() + ms;
  let held = 0;
  while (performance.now() < end) {
    const timeoutMs = random() < 0.3 ? random() * 2 : 10_000;
    const manner = random() < 0.5 ? 'awaited' : 'blocking';
    const isPermit = random() < 0.3;
    const lease = await acquireIn(manner, isPermit ? semaphore : lock, timeoutMs).catch(timedOut);
    if (lease === undefined) continue;
    if (isPermit) {
      if (random() < 0.2) await new Promise(setImmediate);
    } else {
      held++;
      appendFileSync(file, `+${seed}\n`);
      if (random() < 0.1) await new Promise(setImmediate);
      appendFileSync(file, `-${seed}\n`);
    }
    lease.release();
  }
  return held;
}

function timedOut(error: unknown): undefined {
  if ((error as { code?: string }).code !== 'ERR_TIMEOUT') throw error;
}

/** Numbers from 0 to 1 that a seed decides: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Gives single permits, now and then with a pause. */
export async function releaseMany(semaphore: Semaphore, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    semaphore.release();
    if (i % 7 === 0) await new Promise(setImmediate);
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Takes and gives permits in both manners. */
export async function passMany(semaphore: Semaphore, times: number, seed: number): Promise<void> {
  const random = randomOf(seed);
  for (let i = 0; i < times; i++) {
    const lease = await acquireIn(random() < 0.5 ? 'awaited' : 'blocking', semaphore);
    if (random() < 0.2) await new Promise(setImmediate);
    lease.release();
  }
}

export function titles(values: readonly object[]): string[] {
  return values.map(String);
}

/** Waits for a condition, and keeps its lock. */
export async function waitAndKeep(manner: Manner, condition: Condition, holds: Event): Promise<never> {
  await condition.acquire();
  if (manner === 'awaited') await condition.wait();
  else condition.waitSync();
  holds.set();
  return forever();
}

/** Takes its turns among `parties`, each of which adds a character to a file. */
export async function takeTurns(
  condition: Condition,
  file: string,
  own: number,
  parties: number,
  rounds: number,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const lease = await condition.acquire();
    await condition.waitFor(() => readFileSync(file).length % parties === own);
    appendFileSync(file, String(own));
    condition.notifyAll();
    lease.release();
  }
}

/** Waits for a condition again and again, until it is killed. */
export async function waitForEver(manner: Manner, condition: Condition): Promise<never> {
  for (;;) {
    const lease = await acquireIn(manner, condition.lock);
    if (manner === 'awaited') await condition.wait({ timeoutMs: 3 });
    else condition.waitSync({ timeoutMs: 3 });
    lease.release();
  }
}
