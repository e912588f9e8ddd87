/** How those who survive use the object that a scenario is about: they wait for it, hold it for a moment, let go. */

import { memory } from '../../src/arena/memory.ts';
import { BrokenBarrierError } from '../../src/errors.ts';
import { atOf } from '../../src/sync/shared-object.ts';
import type { Objects } from './fault-scenarios.ts';

/** A word that the objects of the tests do not use: how many are in. */
const INSIDE = 13;

export async function useAwaiting(about: keyof Objects, objects: Objects): Promise<void> {
  if (about === 'lock' || about === 'rlock' || about === 'semaphore') {
    const lease = await objects[about].acquire();
    beAlone(atOf(objects[about]), about);
    lease.release();
  } else if (about === 'event') await objects.event.wait();
  else if (about === 'condition') {
    await objects.condition.acquire();
    await objects.condition.wait();
    beAlone(atOf(objects.condition.lock), about);
    objects.condition.release();
  } else await objects.barrier.wait().catch(unlessBroken);
}

export function useSync(about: keyof Objects, objects: Objects): void {
  if (about === 'lock' || about === 'rlock' || about === 'semaphore') {
    const lease = objects[about].acquireSync();
    beAlone(atOf(objects[about]), about);
    lease.release();
  } else if (about === 'event') objects.event.waitSync();
  else if (about === 'condition') {
    objects.condition.lock.acquireSync();
    objects.condition.waitSync();
    beAlone(atOf(objects.condition.lock), about);
    objects.condition.release();
  } else {
    try {
      objects.barrier.waitSync();
    } catch (error) {
      unlessBroken(error);
    }
  }
}

/** A semaphore may have got a permit more from the test, and lets in two. */
function beAlone(at: number, about: keyof Objects): void {
  const { words } = memory();
  const before = Atomics.add(words, at + INSIDE, 1);
  for (let i = 0; i < 1000; i++) Atomics.load(words, at + INSIDE);
  Atomics.sub(words, at + INSIDE, 1);
  if (before !== 0 && about !== 'semaphore') throw new Error(`${before} more in the ${about}`);
}

function unlessBroken(error: unknown): void {
  if (!(error instanceof BrokenBarrierError)) throw error;
}
