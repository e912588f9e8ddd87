/** Processes whose targets are inline functions that capture shared objects: they stand in a module that a child may import. */

import { Barrier, BoundedSemaphore, Event, Lock, Process, RLock, Semaphore } from 'manyhands';

/** What a module makes belongs to the process that imports it. */
export const ofModule: Lock = new Lock({ name: 'of the module' });

function run<R>(target: () => R): Promise<Awaited<R>> {
  const child = new Process({ target });
  child.start();
  return child.result();
}

/** Captured objects are the same there. */
export async function captured(): Promise<unknown> {
  const lock = new Lock({ name: 'captured' });
  const again = lock;
  const inner = { events: [new Event({ name: 'inner' })] };
  const semaphore = new Semaphore(3);
  lock.acquireSync();
  const there = await run(() => {
    inner.events[0]?.set();
    semaphore.acquireSync();
    return [String(lock), lock.isLocked, lock === again];
  });
  return [there, inner.events[0]?.isSet, semaphore.value];
}

export async function capturedByMethods(): Promise<boolean> {
  const lock = new RLock();
  const child = new Process({ target: () => lock.tryAcquire() !== undefined });
  lock.acquireSync();
  child.start();
  const isTaken = await child.result();
  lock.release();
  return isTaken;
}

/** Not shared: each process has its own. */
export async function moduleLock(): Promise<boolean> {
  ofModule.acquireSync();
  try {
    return await run(() => ofModule.isLocked);
  } finally {
    ofModule.release();
  }
}

/** The parent forgets the object as soon as the child was started, and has its memory collected. */
export async function forgotten(): Promise<string> {
  const children = Array.from({ length: 5 }, (_, i) => {
    const child = new Process({
      target: (lock: Lock, bounded: BoundedSemaphore): string => {
        lock.acquireSync();
        bounded.acquireSync();
        return `${lock} ${bounded.value}`;
      },
      args: [new Lock({ name: `forgotten ${i}` }), new BoundedSemaphore(2)] as [Lock, BoundedSemaphore],
    });
    child.start();
    return child;
  });
  globalThis.gc?.();
  return (await Promise.all(children.map((child) => child.result()))).join();
}

/** A barrier of `parties`, all of them children; its action is told in how many of them it ran. */
export async function actions(parties: number, rounds: number): Promise<number> {
  const ran = new Semaphore(0);
  const barrier = new Barrier(parties, { action: () => ran.release() });
  const target = (): void => {
    for (let i = 0; i < rounds; i++) barrier.waitSync();
  };
  await Promise.all(Array.from({ length: parties }, () => run(target)));
  return ran.value;
}

/** All parties are children, one of which comes when it is told; while the action runs, others come for the next round. */
export async function lateAction(): Promise<unknown[]> {
  const [acting, goOn] = [new Event(), new Event({ name: 'go on' })];
  const barrier = new Barrier(2, {
    name: 'acted',
    action() {
      acting.set();
      goOn.waitSync();
    },
  });
  const target = (): number => barrier.waitSync();
  const first = [run(target), run(target)];
  await acting.wait();
  const next = [barrier.wait(), new Process({ target })] as const;
  next[1].start();
  const result = next[1].result();
  while (next[1].waitingFor !== 'barrier "acted"') await new Promise(setImmediate);
  goOn.set();
  const indices = async (of: readonly (number | Promise<number>)[]): Promise<number[]> =>
    (await Promise.all(of)).sort();
  return [await indices(first), await indices([next[0], result]), barrier.isBroken];
}

/** The time of a barrier counts for those who got it, too. */
export async function inheritedTime(): Promise<unknown> {
  const barrier = new Barrier(2, { timeoutMs: 50 });
  return run(async () => {
    try {
      return await barrier.wait();
    } catch (error) {
      return (error as Error).name;
    }
  });
}
