/** What the processes of the tests of channels/ run. */

import {
  type Connection,
  type Event,
  Lock,
  Process,
  type Queue,
  type Semaphore,
  type SharedArray,
  type SharedValue,
  type Waitable,
  wait,
} from 'manyhands';

export type Manner = 'awaited' | 'blocking';

/** An item that tells who put it, and as which of theirs. */
export interface Item {
  readonly by: number;
  readonly n: number;
}

/** With bytes, so that some items are short and some fill pages. */
export interface Loaded {
  readonly n: number;
  readonly load: Uint8Array;
}

interface Limit {
  readonly timeoutMs?: number;
}

export async function putIn<T>(manner: Manner, queue: Queue<T>, value: T, limit: Limit = {}): Promise<void> {
  if (manner === 'awaited') await queue.put(value, limit);
  else queue.putSync(value, limit);
}

export async function getIn<T>(manner: Manner, queue: Queue<T>, limit: Limit = {}): Promise<T> {
  return manner === 'awaited' ? await queue.get(limit) : queue.getSync(limit);
}

export async function sendIn<T>(manner: Manner, end: Connection<T>, value: T): Promise<void> {
  if (manner === 'awaited') await end.send(value);
  else end.sendSync(value);
}

export async function recvIn<T>(manner: Manner, end: Connection<T>, limit: Limit = {}): Promise<T> {
  return manner === 'awaited' ? await end.recv(limit) : end.recvSync(limit);
}

/** The code of the error that `body` ends with; `'none'` when it does not. */
export async function codeOf(body: () => unknown): Promise<string> {
  try {
    await body();
    return 'none';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

export function codeOfGet(manner: Manner, queue: Queue<unknown>): Promise<string> {
  return codeOf(() => getIn(manner, queue));
}

export function codeOfPut(manner: Manner, queue: Queue<unknown>, value: unknown): Promise<string> {
  return codeOf(() => putIn(manner, queue, value));
}

export function codeOfRecv(manner: Manner, end: Connection<unknown>): Promise<string> {
  return codeOf(() => recvIn(manner, end));
}

/** As often as it can, until an error comes. */
export function codeOfSends(manner: Manner, end: Connection<unknown>, value: unknown): Promise<string> {
  return codeOf(async () => {
    for (;;) await sendIn(manner, end, value);
  });
}

export async function putRange(manner: Manner, queue: Queue<Item>, by: number, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await putIn(manner, queue, { by, n });
}

/** Calls every put before the first one is done. */
export async function putAtOnce(queue: Queue<number>, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => queue.put(n)));
}

export async function collect<T>(manner: Manner, queue: Queue<T>, count: number): Promise<T[]> {
  const items: T[] = [];
  while (items.length < count) items.push(await getIn(manner, queue));
  return items;
}

/** Everything that comes until the queue is closed. */
export async function collectToEnd<T>(manner: Manner, queue: Queue<T>): Promise<T[]> {
  const items: T[] = [];
  if (manner === 'awaited') {
    for await (const item of queue) items.push(item);
    return items;
  }
  const code = await codeOf(() => {
    for (;;) items.push(queue.getSync());
  });
  if (code !== 'ERR_CLOSED') throw new Error(`It ended with ${code}.`);
  return items;
}

/** Deals with everything until the queue is closed; each item is told in `seen` before it is marked. */
export async function workToEnd(queue: Queue<number>, seen: Semaphore): Promise<number> {
  let done = 0;
  for await (const _ of queue) {
    seen.release();
    queue.taskDone();
    done++;
  }
  return done;
}

/** Puts `count` blocks of `sizeBytes`, each filled with its number. */
export async function putBlocks(
  manner: Manner,
  queue: Queue<Uint8Array>,
  count: number,
  sizeBytes: number,
): Promise<void> {
  for (let n = 0; n < count; n++) await putIn(manner, queue, new Uint8Array(sizeBytes).fill(n));
}

/** Puts blocks and ends the process in the same breath. */
export async function putAndExit(
  manner: Manner,
  queue: Queue<Uint8Array>,
  count: number,
  sizeBytes: number,
): Promise<never> {
  await putBlocks(manner, queue, count, sizeBytes);
  process.exit(0);
}

/** Puts numbered items until it is killed; `done` counts the puts that were over. */
export async function putForEver(manner: Manner, queue: Queue<Loaded>, done: SharedValue<'int32'>): Promise<never> {
  for (let n = 0; ; n++) {
    await putIn(manner, queue, { n, load: new Uint8Array(n % 5 === 0 ? 20_000 : n % 50).fill(n) });
    done.add(1);
  }
}

/** Gets items until it is killed; `done` counts the gets that were over. */
export async function getForEver(manner: Manner, queue: Queue<number>, done: SharedValue<'int32'>): Promise<never> {
  for (;;) {
    await getIn(manner, queue);
    done.add(1);
  }
}

/** Gives back what it gets. */
export async function echo(manner: Manner, from: Queue<unknown>, to: Queue<unknown>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await putIn(manner, to, await getIn(manner, from));
}

/** Gives back what it gets with every element negated where it arrived; its array may be written to. */
export async function negate(manner: Manner, from: Queue<Float64Array>, to: Queue<Float64Array>): Promise<void> {
  const array = await getIn(manner, from);
  for (let i = 0; i < array.length; i++) array[i] = -array[i]!;
  await putIn(manner, to, array);
}

export interface Handles {
  readonly lock: Lock;
  readonly deep: { readonly event: Event };
  readonly array: SharedArray<Int32ArrayConstructor>;
  readonly inner: Queue<string>;
}

/** Uses each of the handles that come in one item. */
export async function useHandles(queue: Queue<Handles>): Promise<string> {
  const { lock, deep, array, inner } = await queue.get();
  deep.event.set();
  array.view[1] = 42;
  await inner.put(`${lock} ${lock.isLocked}`);
  return String(inner);
}

/** Puts a lock that nobody else holds, in its hands, and ends. */
export function leaveLock(queue: Queue<Lock>): void {
  const lock = new Lock({ name: 'left behind' });
  lock.acquireSync();
  queue.putSync(lock);
}

/** Gives back `count` messages. */
export async function echoOver(manner: Manner, end: Connection<unknown>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await sendIn(manner, end, await recvIn(manner, end));
}

export async function sendAll(manner: Manner, end: Connection<unknown>, values: readonly unknown[]): Promise<void> {
  for (const value of values) await sendIn(manner, end, value);
}

/** Sends, closes, and lives on until it is told to end. */
export async function sendAndClose(end: Connection<unknown>, value: unknown, letGo: Event): Promise<void> {
  await end.send(value);
  end.close();
  await letGo.wait();
}

/** Holds its copies of ends until it is killed. */
export function holdEnds(ends: readonly Connection<unknown>[], holds: Event): Promise<never> {
  holds.set();
  // The reference keeps the ends from being collected, and the timer keeps the process alive.
  setInterval(() => ends.length, 60_000);
  return new Promise(() => {});
}

/** As `holdEnds`, and sends a message when it is told; then it goes on holding. */
export async function holdAndSend(end: Connection<unknown>, holds: Event, go: Event, value: unknown): Promise<never> {
  holds.set();
  await go.wait();
  await end.send(value);
  return holdEnds([end], holds);
}

/** Sends, and is killed in the same breath. */
export function sendAndDie(end: Connection<unknown>, values: readonly unknown[]): void {
  for (const value of values) end.sendSync(value);
  process.kill(process.pid, 'SIGKILL');
}

/** Is killed after a while, with its copy of an end. */
export function dieAfter(end: Connection<unknown>, holds: Event, ms: number): Promise<never> {
  holds.set();
  setTimeout(() => {
    void end.closed;
    process.kill(process.pid, 'SIGKILL');
  }, ms);
  return new Promise(() => {});
}

/** The message that comes over the connection that comes over `carrier`. */
export async function recvOverReceived(carrier: Connection<Connection<string>>): Promise<string> {
  const end = await carrier.recv();
  const message = await end.recv();
  await end.send(message.toUpperCase());
  return message;
}

/** Which of `objects` are ready, by their indices. */
export async function readyOf(objects: readonly Exclude<Waitable, Process>[], limit: Limit = {}): Promise<number[]> {
  const ready = await wait(objects, limit);
  return ready.map((object) => objects.indexOf(object));
}

export function nothing(): void {}

/** Has a child of its own put. */
export async function putFromGrandchild(queue: Queue<Item>, count: number): Promise<void> {
  const child = new Process({ target: putRange, args: ['blocking' as const, queue, 2, count] });
  child.start();
  await child.result();
}

export function closeIt(channel: { close(): void }): void {
  channel.close();
}

/** Puts an end, and is killed in the same breath. */
export function passOnAndDie(carrier: Queue<Connection<string>>, end: Connection<string>): void {
  carrier.putSync(end);
  process.kill(process.pid, 'SIGKILL');
}

export function setIt(event: Event): void {
  event.set();
}

export function waitOn(event: Event): Promise<boolean> {
  return event.wait();
}
