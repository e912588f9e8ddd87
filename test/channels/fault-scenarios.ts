/** What a process does with queues and pipes that is killed at a step of it. */

import { bury } from '../../src/arena/death.ts';
import { release } from '../../src/arena/objects.ts';
import { type Connection, pipe } from '../../src/channels/connection.ts';
import { Queue } from '../../src/channels/queue.ts';
import { Lock } from '../../src/sync/lock.ts';
import { atOf } from '../../src/sync/shared-object.ts';

/** The objects of a run; each scenario uses some of them. */
export interface Objects {
  readonly queue: Queue<unknown>;
  /** Has room for two. */
  readonly small: Queue<unknown>;
  readonly near: Connection<unknown>;
  /** The victim's end. */
  readonly far: Connection<unknown>;
}

export const objectNames = ['queue', 'small', 'near', 'far'] as const;

export function newObjects(): Objects {
  const [near, far] = pipe();
  return { queue: new Queue(), small: new Queue({ maxItems: 2 }), near, far };
}

export interface Scenario {
  /** What the test works with. */
  readonly about: 'queue' | 'small' | 'pipe';
  /** Done by the victim before anybody else comes. */
  readonly prepare?: (objects: Objects) => unknown;
  /** How many items the test has put before, and how many more while the victim is at it. */
  readonly before?: number;
  readonly meanwhile?: number;
  /** Who waits for an item, or to put one, before the victim comes. */
  readonly waiters?: readonly ('getting' | 'getting, blocking' | 'putting' | 'putting, blocking' | 'looking')[];
  /** How many items of the others the victim may have taken with it. */
  readonly mayTake?: number;
  /** Done by the victim, which is killed at each step of it. */
  readonly go: (objects: Objects) => unknown;
}

/** A body that does not stand in its place, with a long part, and something that is held. */
const large = (): unknown => ({ text: 'x'.repeat(20_000), bytes: new Uint8Array(70_000), lock: new Lock() });

const putThree = ({ queue }: Objects): void => {
  for (let i = 0; i < 3; i++) queue.putSync(`victim ${i}`);
};

export const scenarios: Readonly<Record<string, Scenario>> = {
  'items put': { about: 'queue', before: 1, go: putThree },
  'items put, somebody waiting': { about: 'queue', waiters: ['getting', 'getting, blocking'], go: putThree },
  'items put, somebody looking': { about: 'queue', waiters: ['looking', 'getting'], go: putThree },
  'large items put': {
    about: 'queue',
    waiters: ['getting, blocking'],
    go: ({ queue }) => {
      for (let i = 0; i < 2; i++) queue.putSync(large());
    },
  },
  'segments filled and emptied': {
    about: 'queue',
    go: ({ queue }) => {
      for (let i = 0; i < 3; i++) queue.putSync(`${i}`.repeat(900));
      for (let i = 0; i < 3; i++) queue.getSync();
    },
  },
  'items got': {
    about: 'queue',
    before: 4,
    mayTake: 2,
    go: ({ queue }) => {
      for (let i = 0; i < 2; i++) queue.getSync();
    },
  },
  'large items got': {
    about: 'queue',
    prepare: ({ queue }) => {
      for (let i = 0; i < 2; i++) queue.putSync(large());
    },
    mayTake: 2,
    go: ({ queue }) => {
      for (let i = 0; i < 2; i++) queue.getSync();
    },
  },
  'an item waited for, blocking': {
    about: 'queue',
    waiters: ['getting'],
    meanwhile: 2,
    mayTake: 1,
    go: ({ queue }) => queue.getSync(),
  },
  'an item waited for, awaiting': {
    about: 'queue',
    waiters: ['getting, blocking'],
    meanwhile: 3,
    mayTake: 2,
    go: async ({ queue }) => {
      await Promise.all([queue.get(), queue.get()]);
    },
  },
  'an item waited for in vain': {
    about: 'queue',
    go: async ({ queue }) => {
      await Promise.allSettled([queue.get({ timeoutMs: 5 }), queue.get({ timeoutMs: 8 })]);
    },
  },
  'room made': {
    about: 'small',
    before: 2,
    mayTake: 2,
    waiters: ['putting', 'putting, blocking'],
    go: ({ small }) => {
      for (let i = 0; i < 2; i++) small.getSync();
    },
  },
  'room waited for': {
    about: 'small',
    before: 2,
    go: ({ small }) => {
      for (let i = 0; i < 2; i++) small.putSync(`victim ${i}`);
    },
  },
  'room waited for, awaiting': {
    about: 'small',
    before: 2,
    waiters: ['putting, blocking'],
    go: async ({ small }) => {
      await Promise.all([small.put('victim 0'), small.put('victim 1')]);
    },
  },
  'overtaken at room': {
    about: 'small',
    before: 2,
    mayTake: 2,
    go: async ({ small }) => {
      const puts = [small.put('late 0'), small.put('late 1')];
      // Both are told to come; then there is no room for them, as a blocked thread goes past those who await.
      for (let i = 0; i < 2; i++) small.getSync();
      for (let i = 0; i < 2; i++) small.putSync(`early ${i}`);
      await new Promise(setImmediate);
      for (let i = 0; i < 2; i++) small.getSync();
      await Promise.all(puts);
    },
  },
  'a queue closed': { about: 'queue', waiters: ['looking'], go: ({ queue }) => queue.close() },
  'tasks done': {
    about: 'queue',
    before: 1,
    mayTake: 1,
    go: async ({ queue }) => {
      queue.getSync();
      const joined = queue.join();
      queue.taskDone();
      await joined;
    },
  },
  'a queue made, filled and let go of': {
    about: 'queue',
    go: ({ queue }) => {
      const other = new Queue({ maxBytes: 100_000 });
      other.putSync(large());
      other.putSync([queue, other.size]);
      release(atOf(other));
    },
  },
  'messages sent and received': {
    about: 'pipe',
    before: 2,
    mayTake: 2,
    waiters: ['getting'],
    go: ({ far }) => {
      far.sendSync('victim 0');
      far.recvSync();
      far.recvSync();
      far.sendSync('victim 1');
    },
  },
  'an end closed': { about: 'pipe', before: 2, waiters: ['getting'], go: ({ far }) => far.close() },
  'an end dropped by a burial': {
    about: 'pipe',
    prepare: ({ near, far }) => [near, far],
    go: () => bury(),
  },
};
