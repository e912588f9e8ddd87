/** What a process does that is killed at a step of it, and what the others wait for meanwhile. */

import { bury } from '../../src/arena/death.ts';
import { memory } from '../../src/arena/memory.ts';
import { release } from '../../src/arena/objects.ts';
import { first } from '../../src/arena/queue.ts';
import { NEXT, nowMs, SINCE } from '../../src/arena/records.ts';
import { recheck } from '../../src/arena/repair.ts';
import { Barrier } from '../../src/sync/barrier.ts';
import { Condition } from '../../src/sync/condition.ts';
import { Event } from '../../src/sync/event.ts';
import type { Lease } from '../../src/sync/lease.ts';
import { Lock } from '../../src/sync/lock.ts';
import { RLock } from '../../src/sync/rlock.ts';
import { Semaphore } from '../../src/sync/semaphore.ts';
import { atOf } from '../../src/sync/shared-object.ts';

/** The objects of a run; each scenario uses some of them. */
export interface Objects {
  readonly lock: Lock;
  readonly rlock: RLock;
  readonly semaphore: Semaphore;
  readonly event: Event;
  readonly condition: Condition;
  readonly barrier: Barrier;
}

export const objectNames = ['lock', 'rlock', 'semaphore', 'event', 'condition', 'barrier'] as const;

export function newObjects(): Objects {
  const condition = new Condition(new Lock());
  return {
    lock: new Lock(),
    rlock: new RLock(),
    semaphore: new Semaphore(1),
    event: new Event(),
    condition,
    barrier: new Barrier(3),
  };
}

export interface Scenario {
  /** The object that it is about. */
  readonly about: keyof Objects;
  /** Done by the victim before anybody else comes. */
  readonly prepare?: (objects: Objects) => unknown;
  /** In which ways the others wait, in order; none: they come afterwards. */
  readonly waiters?: readonly ('awaiting' | 'blocking')[];
  /** Whether the test itself holds the object until `afterMs` after the victim queued or died. */
  readonly heldForMs?: number;
  /** Done by another process before, which is killed at this step of it: `STEP:N`; `at rest`: once it is done. */
  readonly corpse?: { readonly scenario: string; readonly dies: string };
  /** Whether the victim knows nothing of the arena before. */
  readonly isLate?: boolean;
  /** Whether all slots of agents are taken by the dead. */
  readonly isFull?: boolean;
  /** Done by the victim, which is killed at each step of it. */
  readonly go: (objects: Objects) => unknown;
}

let held: Lease | undefined;

const both = ['awaiting', 'blocking'] as const;
const bothReversed = ['blocking', 'awaiting'] as const;
const takeLock = ({ lock }: Objects): unknown => (held = lock.acquireSync());
const takeSemaphore = ({ semaphore }: Objects): unknown => (held = semaphore.acquireSync());
const letGo = (): void => held?.release();

/** As if they had come just now: then they are nudged, not handed the lock. */
function makeYoung(at: number): void {
  const { words } = memory();
  for (let record = first(at); record !== 0; record = Atomics.load(words, record + NEXT))
    Atomics.store(words, record + SINCE, nowMs());
}

function nudgeAll({ lock }: Objects): void {
  makeYoung(atOf(lock));
  letGo();
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  'lock taken and released': { about: 'lock', go: ({ lock }) => lock.acquireSync().release() },
  'rlock taken twice': {
    about: 'rlock',
    waiters: [],
    go: ({ rlock }) => {
      const leases = [rlock.acquireSync(), rlock.acquireSync()];
      for (const lease of leases) lease.release();
    },
  },
  'lock handed over': { about: 'lock', prepare: takeLock, waiters: both, go: letGo },
  'lock handed over, blocking first': { about: 'lock', prepare: takeLock, waiters: bothReversed, go: letGo },
  'lock released with a nudge': { about: 'lock', prepare: takeLock, waiters: both, go: nudgeAll },
  'lock released with a nudge, blocking first': {
    about: 'lock',
    prepare: takeLock,
    waiters: bothReversed,
    go: nudgeAll,
  },
  'lock waited for, blocking': {
    about: 'lock',
    heldForMs: 5,
    waiters: ['blocking'],
    go: ({ lock }) => lock.acquireSync().release(),
  },
  'lock waited for, awaiting': {
    about: 'lock',
    heldForMs: 5,
    waiters: ['awaiting'],
    go: async ({ lock }) => (await lock.acquire()).release(),
  },
  'lock waited for in vain, blocking': {
    about: 'lock',
    heldForMs: 60,
    waiters: both,
    go: ({ lock }) => attempt(() => lock.acquireSync({ timeoutMs: 10 })),
  },
  'lock waited for in vain, awaiting': {
    about: 'lock',
    heldForMs: 60,
    waiters: both,
    go: async ({ lock }) => {
      // Two waits of one agent: the second stands behind the first.
      const waits = [lock.acquire({ timeoutMs: 10 }), lock.acquire({ timeoutMs: 15 })];
      await Promise.allSettled(waits);
    },
  },
  'lock passed between coroutines': {
    about: 'lock',
    prepare: takeLock,
    go: async ({ lock }) => {
      const waits = [lock.acquire(), lock.acquire()];
      makeYoung(atOf(lock));
      letGo();
      for (const wait of waits) (await wait).release();
    },
  },
  'lock overtaken': {
    about: 'lock',
    prepare: takeLock,
    go: async ({ lock }) => {
      // Where the machine is so slow that the lock was handed over, nobody overtakes: once more.
      for (let early: Lease | undefined; early === undefined; ) {
        const wait = lock.acquire();
        makeYoung(atOf(lock));
        letGo();
        early = lock.tryAcquire();
        await new Promise(setImmediate);
        early?.release();
        const lease = await wait;
        if (early === undefined) held = lease;
        else lease.release();
      }
    },
  },
  'lock of a dead holder taken': {
    about: 'lock',
    corpse: { scenario: 'lock held for ever', dies: 'at rest' },
    go: ({ lock }) => lock.tryAcquire()?.release(),
  },
  'semaphore taken and released': { about: 'semaphore', go: ({ semaphore }) => semaphore.acquireSync().release() },
  'semaphore handed out': { about: 'semaphore', prepare: takeSemaphore, waiters: both, go: letGo },
  'semaphore handed out, blocking first': {
    about: 'semaphore',
    prepare: takeSemaphore,
    waiters: bothReversed,
    go: letGo,
  },
  'semaphore waited for': {
    about: 'semaphore',
    heldForMs: 5,
    waiters: ['blocking'],
    go: ({ semaphore }) => semaphore.acquireSync().release(),
  },
  'semaphore waited for in vain': {
    about: 'semaphore',
    heldForMs: 60,
    waiters: both,
    go: ({ semaphore }) => attempt(() => semaphore.acquireSync({ timeoutMs: 10 })),
  },
  'event set': { about: 'event', waiters: both, go: ({ event }) => event.set() },
  'event set, waited for and cleared': {
    about: 'event',
    go: ({ event }) => {
      event.waitSync({ timeoutMs: 5 });
      event.set();
      event.waitSync();
      event.clear();
    },
  },
  'condition notified': {
    about: 'condition',
    waiters: both,
    go: ({ condition }) => {
      condition.lock.acquireSync();
      condition.notifyAll();
      condition.release();
    },
  },
  'condition waited for': {
    about: 'condition',
    waiters: both,
    go: ({ condition }) => {
      condition.lock.acquireSync();
      condition.waitSync({ timeoutMs: 10 });
      condition.release();
    },
  },
  'barrier reached last': { about: 'barrier', waiters: both, go: ({ barrier }) => barrier.waitSync() },
  'barrier given up': {
    about: 'barrier',
    waiters: ['awaiting'],
    go: ({ barrier }) => attempt(() => barrier.waitSync({ timeoutMs: 10 })),
  },
  'objects made, let go of and arriving': {
    about: 'lock',
    isLate: true,
    go: ({ lock }) => {
      const condition = new Condition();
      lock.acquireSync().release();
      for (const object of [condition, condition.lock, lock]) release(atOf(object));
    },
  },
  'an agent too many': {
    about: 'lock',
    isLate: true,
    isFull: true,
    go: ({ lock }) => lock.acquireSync().release(),
  },
  'the dead buried': {
    about: 'event',
    corpse: { scenario: 'everything held and waited for', dies: 'at rest' },
    // Nobody else who waits: they would look for the dead as well.
    go: ({ event }) => {
      void event.wait();
      bury();
    },
  },
  ...inheritances(),
};

/** Only for corpses. */
export const preludes: Readonly<Record<string, Scenario>> = {
  'lock held for ever': { about: 'lock', go: takeLock },
  'everything held and waited for': {
    about: 'lock',
    go: (objects) => {
      takeLock(objects);
      void objects.event.wait();
      void objects.barrier.wait().catch(() => {});
    },
  },
};

/** Each death within a guard, and then the death of the one who sets it right. */
function inheritances(): Record<string, Scenario> {
  const deaths: [string, string][] = [
    ['lock handed over', 'grant.begun'],
    ['lock handed over', 'lock.passed'],
    ['lock handed over', 'grant.unlinked'],
    ['lock handed over', 'queue.push'],
    ['lock released with a nudge', 'lock.passed'],
    ['semaphore handed out', 'semaphore.given'],
    ['semaphore handed out', 'semaphore.granting'],
    ['event set', 'grant.begun'],
    ['condition notified', 'grant.begun'],
    ['barrier reached last', 'barrier.queued'],
    ['barrier reached last', 'grant.unlinked'],
  ];
  return Object.fromEntries(
    deaths.map(([scenario, step]) => [
      `${scenario}, a death at ${step} made good`,
      {
        about: scenario.split(' ')[0] as keyof Objects,
        waiters: both,
        corpse: { scenario, dies: `${step}:1` },
        go: (objects: Objects) => recheck(atOf(objects[scenario.split(' ')[0] as keyof Objects])),
      },
    ]),
  );
}

function attempt(body: () => Lease | number): void {
  try {
    const got = body();
    if (typeof got !== 'number') got.release();
  } catch {
    // A timeout, as it should be.
  }
}
