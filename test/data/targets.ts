/** What the processes of the tests of shared data run. */

import { type ListItem, Process, ShareableList, SharedArray, SharedMemory, SharedValue } from 'manyhands';
import { collectUntil } from './arena-size.ts';

/** Runs `target` in a process of its own. */
export async function run<A extends readonly unknown[], R>(target: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
  const child = new Process<A, R>({ target: target as (...args: [...A]) => R, args });
  child.start();
  return child.result();
}

/** What stands there, and how much processor time the first look at the array took. */
export function lookAt(array: SharedArray<Float64ArrayConstructor>, index: number): { value: number; lookMs: number } {
  const before = process.cpuUsage();
  const value = array.view[index]!;
  const { user, system } = process.cpuUsage(before);
  return { value, lookMs: (user + system) / 1000 };
}

export function addToAll(array: SharedArray<Float64ArrayConstructor>, amount: number): number {
  for (let i = 0; i < array.length; i++) array.view[i]! += amount;
  return array.length;
}

export async function addInGrandchild(array: SharedArray<Float64ArrayConstructor>, amount: number): Promise<number> {
  return run(addToAll, array, amount);
}

export function makeSquares(length: number): SharedArray<Int32ArrayConstructor> {
  return new SharedArray(
    Int32Array,
    Array.from({ length }, (_, i) => i * i),
  );
}

export async function addUnderLock(array: SharedArray<Int32ArrayConstructor>, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await array.lock.run(() => {
      for (let j = 0; j < array.length; j++) array.view[j]! += 1;
    });
  }
}

/** Dies with an array of its own and one that it was given. */
export function dieHolding(given: SharedArray<Uint8ArrayConstructor>, ownBytes: number): void {
  const own = new SharedArray(Uint8Array, ownBytes);
  own.view.fill(1);
  given.view[0] = own.view.length & 0xff;
  process.kill(process.pid, 'SIGKILL');
}

export function classAndValues(array: SharedArray): { readonly name: string; readonly values: unknown[] } {
  return { name: array.view.constructor.name, values: [...(array.view as Iterable<unknown>)] };
}

export function lengthOf(array: SharedArray<Float64ArrayConstructor>): number {
  return array.length;
}

export function addTimes(value: SharedValue<'int32'>, times: number): void {
  for (let i = 0; i < times; i++) value.add(1);
}

export async function incrementUnderLock(value: SharedValue<'float64'>, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await value.lock.run(() => {
      value.value += 1;
    });
  }
}

export function incrementInGrandchild(value: SharedValue<'int32'>, times: number): Promise<void> {
  return run(addTimes, value, times);
}

export function exchangeTimes(value: SharedValue<'uint64'>, times: number): void {
  for (let done = 0; done < times; ) {
    const seen = value.value;
    if (value.compareExchange(seen, seen + 1n) === seen) done++;
  }
}

export function typeAndValue(value: SharedValue): { readonly type: string; readonly value: number | bigint } {
  return { type: value.type, value: value.value };
}

/** Writes two patterns in turn, of which every half tells the other. */
export function flicker(value: SharedValue<'uint64'>, stop: SharedValue<'uint8'>): void {
  while (stop.value === 0) {
    value.value = 0xffff_ffff_ffff_ffffn;
    value.value = 0n;
  }
}

export function makeValue(initial: bigint): SharedValue<'int64'> {
  return new SharedValue('int64', initial);
}

export function dieUnderLock(value: SharedValue<'int32'>): void {
  value.lock.acquireSync();
  value.value = 1;
  process.kill(process.pid, 'SIGKILL');
}

/** Attaches to memory, adds to its first byte, and says what it saw there. */
export function touchMemory(name: string): number {
  const memory = SharedMemory.attach(name);
  const bytes = new Uint8Array(memory.buffer);
  const seen = bytes[0]!;
  bytes[0] = seen + 1;
  memory.close();
  return seen;
}

export function touchInGrandchild(name: string): Promise<number> {
  return run(touchMemory, name);
}

export function touchGiven(memory: SharedMemory): number {
  const bytes = new Uint8Array(memory.buffer);
  return bytes[0]!++;
}

/** Leaves its memory to whoever gets the result. */
export function makeMemory(sizeBytes: number): SharedMemory {
  const memory = SharedMemory.create({ sizeBytes });
  new Uint8Array(memory.buffer).fill(5);
  return memory;
}

/** Ends without closing it. */
export function leaveMemoryOpen(name: string): void {
  SharedMemory.create({ name, sizeBytes: 100 });
}

export function dieWithMemory(name: string, sizeBytes: number): void {
  new Uint8Array(SharedMemory.create({ name, sizeBytes }).buffer).fill(3);
  process.kill(process.pid, 'SIGKILL');
}

export function dieAttached(name: string): void {
  SharedMemory.attach(name);
  process.kill(process.pid, 'SIGKILL');
}

/** Makes, attaches, closes: as often as that ends well. */
export function contend(name: string, times: number): { created: number; attached: number; other: string[] } {
  const counts = { created: 0, attached: 0, other: [] as string[] };
  for (let i = 0; i < times; i++) {
    try {
      if (i % 2 === 0) {
        const memory = SharedMemory.create({ name, sizeBytes: 64 });
        new Uint8Array(memory.buffer)[63] = 1;
        memory.close();
        counts.created++;
      } else {
        const memory = SharedMemory.attach(name);
        new Uint8Array(memory.buffer)[63] = 2;
        memory.close();
        counts.attached++;
      }
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'ERR_EXISTS' && code !== 'ERR_NOT_FOUND') counts.other.push(String(error));
    }
  }
  return counts;
}

export function itemsOf(list: ShareableList): ListItem[] {
  return [...list];
}

export function setItem(list: ShareableList, index: number, value: ListItem): void {
  list.set(index, value);
}

export function setInGrandchild(list: ShareableList, index: number, value: ListItem): Promise<void> {
  return run(setItem, list, index, value);
}

export function makeList(...values: ListItem[]): ShareableList {
  return new ShareableList(values);
}

/** Sets items whose every byte tells of which length they are, until told to stop. */
export function churn(list: ShareableList, stop: SharedValue<'uint8'>): number {
  let count = 0;
  do {
    const length = 1 + (count++ % 50) * 400;
    list.set(0, new Uint8Array(length).fill(length % 251));
  } while (stop.value === 0);
  return count;
}

export function setMany(list: ShareableList, times: number): void {
  for (let i = 0; i < times; i++) list.set(i % list.length, 'x'.repeat(i % 300));
}

export function throwWithArray(): never {
  throw Object.assign(new Error('with an array'), { array: new SharedArray(Uint8Array, [1, 2, 3]) });
}

/** Makes arrays, looks whether they are 0 and stay what they were filled with, until told to stop. @returns how many. */
export async function makeAndDrop(
  stop: SharedArray<Int32ArrayConstructor>,
  mark: number,
  rounds = Number.POSITIVE_INFINITY,
): Promise<number> {
  const held: SharedArray<Uint8ArrayConstructor>[] = [];
  let count = 0;
  for (let round = 0; round < rounds && (round === 0 || stop.view[0] === 0); round++) {
    for (let i = 0; i < 10; i++, count++) {
      const array = new SharedArray(Uint8Array, 1 + ((count * 7919) % 30_000));
      if (array.view.some((byte) => byte !== 0)) throw new Error('A new array is not 0.');
      array.view.fill(mark);
      held[count % 7] = array;
    }
    await collectUntil(() => true);
    for (const { view } of held) {
      if (view.some((byte) => byte !== mark)) throw new Error(`Somebody else wrote to an array of ${mark}.`);
    }
  }
  return count;
}
