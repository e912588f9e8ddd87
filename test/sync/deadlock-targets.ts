/** What the processes of the tests of deadlocks run. */

import { execFileSync } from 'node:child_process';
import type { Barrier, Event, Lock, Semaphore } from 'manyhands';
import { type Acquirable, acquireIn, type Manner } from './targets.ts';

/** Takes one lock, meets the others, and wants the next: all that a ring of units needs. */
export async function cross(manner: Manner, own: Acquirable, next: Acquirable, met: Barrier): Promise<void> {
  await acquireIn(manner, own);
  if (manner === 'awaited') await met.wait();
  else met.waitSync();
  (await acquireIn(manner, next)).release();
}

/** As `cross`, and awaits a second thing that anybody may give. */
export async function crossWithWayOut(own: Lock, next: Lock, met: Barrier, permits: Semaphore): Promise<void> {
  await own.acquire();
  await met.wait();
  await Promise.race([next.acquire(), permits.acquire()]);
}

/** As `cross`, while a timer is set. */
export async function crossWithTimer(own: Lock, next: Lock, met: Barrier): Promise<void> {
  setInterval(() => {}, 60_000);
  await cross('awaited', own, next, met);
}

/** As `cross`, giving up at some time. */
export function crossWithLimit(own: Lock, next: Lock, met: Barrier): void {
  own.acquireSync();
  met.waitSync();
  next.acquireSync({ timeoutMs: 60_000 }).release();
}

export function take(lock: Lock): void {
  lock.acquireSync().release();
}

/** Holds one lock, and wants another one that somebody holds who runs. */
export function chain(own: Lock, next: Lock, holds: Event): void {
  own.acquireSync();
  holds.set();
  next.acquireSync().release();
}

export async function twice(manner: Manner, lock: Lock): Promise<void> {
  await acquireIn(manner, lock);
  await acquireIn(manner, lock);
}

/** Uses no shared object, as its module makes none. */
export function work(ms: number): void {
  execFileSync('sleep', [String(ms / 1000)]);
}
