/** What the processes of the storm do until they are killed: everything at once, blocking and awaiting by turns. */

import { type Connection, type Lock, type Queue, type Semaphore, type SharedArray, TimeoutError } from 'manyhands';

/** What they share. */
export interface Sea {
  readonly lock: Lock;
  readonly semaphore: Semaphore;
  /** Numbered items of each worker, for the test. */
  readonly told: Queue<Item>;
  /** Work for any of them, and what was done of it. */
  readonly work: Queue<number>;
  readonly done: Queue<number>;
  /** `words`: who is inside of the lock, how often that went wrong, how many turns were taken; then a beat for each worker. */
  readonly words: SharedArray<Int32ArrayConstructor>;
}

export interface Item {
  readonly by: number;
  readonly n: number;
  readonly load: Uint8Array;
}

export const words = { inside: 0, wrong: 1, turns: 2, beats: 8 } as const;
const TIME = { timeoutMs: 50 };

export async function live(sea: Sea, place: number, id: number, pipe: Connection<number>): Promise<void> {
  const { view } = sea.words;
  let random = id * 2_654_435_761;
  const next = (below: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((random / 2 ** 32) * below);
  };
  for (let n = 0; ; ) {
    Atomics.add(view, words.beats + place, 1);
    switch (next(7)) {
      case 0:
        turn(sea, id, await sea.lock.acquire());
        break;
      case 1:
        turn(sea, id, sea.lock.acquireSync());
        break;
      case 2:
        sea.told.putSync({ by: id, n: n++, load: new Uint8Array(next(100) === 0 ? 300_000 : next(300)) });
        break;
      case 3:
        await sea.told.put({ by: id, n: n++, load: new Uint8Array(next(30)) });
        break;
      case 4:
        await unlessLate(async () => {
          const job = next(2) === 0 ? await sea.work.get(TIME) : sea.work.getSync(TIME);
          await sea.done.put(job);
        });
        break;
      case 5:
        await unlessLate(async () => {
          await pipe.send(n);
          if ((await pipe.recv(TIME)) < 0) throw new Error('The pipe brought what nobody sent.');
        });
        break;
      default:
        // Permits of the dead are lost: it is filled up by the test.
        await unlessLate(async () => {
          const permit = await sea.semaphore.acquire(TIME);
          permit.release();
        });
    }
  }
}

function turn({ words: { view } }: Sea, id: number, lease: { abandoned: boolean; release(): void }): void {
  const before = Atomics.exchange(view, words.inside, id);
  // Who died inside left its name, and the lease says so.
  if (before !== 0 && !lease.abandoned) Atomics.add(view, words.wrong, 1);
  for (let i = 0; i < 50; i++) if (Atomics.load(view, words.inside) !== id) Atomics.add(view, words.wrong, 1);
  Atomics.add(view, words.turns, 1);
  Atomics.store(view, words.inside, 0);
  lease.release();
}

async function unlessLate(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  }
}
