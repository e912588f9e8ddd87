/**
 * A storm: processes that use locks, semaphores, queues and pipes without a pause, while others of them are killed, stopped
 * and continued at random. Nobody may be held up, nobody may be in the lock with another, no item of the living may be lost
 * or come twice. `MANYHANDS_STORM_MS=300000 npm test -- test/storm` makes it last for minutes.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosedError, type Connection, Lock, Process, pipe, Queue, Semaphore, SharedArray } from 'manyhands';
import { type Item, live, type Sea, words } from './worker.ts';

const LASTS_MS = Number(process.env.MANYHANDS_STORM_MS ?? 4000);
const WORKERS = 5;
const SEED = Number(process.env.MANYHANDS_STORM_SEED ?? Date.now() % 1_000_000);
/** So long nobody may be without a beat who is not stopped. */
const STILL_MS = 10_000;

interface Worker {
  readonly process: Process;
  readonly id: number;
  /** Keeps its pipe alive. */
  readonly near: Connection<number>;
  beat: number;
  beatAtMs: number;
  isStopped: boolean;
}

let random = SEED;

function next(below: number): number {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((random / 2 ** 32) * below);
}

test('a storm of kills, stops and continues', { timeout: LASTS_MS + 60_000 }, async (context) => {
  context.diagnostic(`seed ${SEED}`);
  const sea: Sea = {
    lock: new Lock({ name: 'storm' }),
    semaphore: new Semaphore(3),
    told: new Queue<Item>({ maxItems: 200, name: 'told' }),
    work: new Queue<number>({ maxItems: 20, name: 'work' }),
    done: new Queue<number>({ name: 'done' }),
    words: new SharedArray(Int32Array, 64),
  };
  const { view } = sea.words;
  const log = new Log();
  const workers = Array.from({ length: WORKERS }, (_, place) => embark(sea, place));
  let put = 0;
  const listening = (async () => {
    for await (const item of sea.told) log.told(item);
  })();
  const counting = (async () => {
    for await (const job of sea.done) log.done(job);
  })();
  const giving = (async () => {
    for (; ; put++) await sea.work.put(put);
  })().catch((error) => assert.ok(error instanceof ClosedError, String(error)));
  const until = performance.now() + LASTS_MS;
  let kills = 0;
  try {
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5 + next(40)));
      const place = next(WORKERS);
      const worker = workers[place]!;
      const deed = next(3);
      if (deed === 0) {
        worker.process.kill();
        await worker.process.join();
        worker.near.close();
        kills++;
        workers[place] = embark(sea, place);
        sea.semaphore.release();
      } else if (worker.isStopped) {
        worker.process.resume();
        worker.isStopped = false;
      } else if (deed === 1) {
        // By this library, or by somebody else, who does not mind in the middle of what it is.
        if (next(2) === 0) worker.process.suspend();
        else process.kill(worker.process.pid!, 'SIGSTOP');
        worker.isStopped = true;
        setTimeout(() => {
          if (worker.process.isAlive) worker.process.resume();
          worker.isStopped = false;
          worker.beatAtMs = performance.now();
        }, 100).unref();
      }
      for (const [i, one] of workers.entries()) {
        assert.ok(one.process.isAlive, `worker ${one.id} ended by itself: ${JSON.stringify(one.process.exit)}`);
        checkBeat(one, Atomics.load(view, words.beats + i));
      }
      assert.equal(Atomics.load(view, words.wrong), 0, 'somebody was not alone in the lock');
      log.check();
    }
  } finally {
    for (const { process } of workers) process.kill();
    await Promise.all(workers.map(({ process }) => process.join()));
  }
  // Whoever comes next finds everything whole.
  (await sea.lock.acquire({ timeoutMs: 5000 })).release();
  sea.work.close();
  await giving;
  sea.told.close();
  sea.done.close();
  await Promise.all([listening, counting]);
  log.check();
  const missing = put - log.jobs - sea.work.size;
  // Of each that was killed one job may be gone with it, and the last one may not have been put.
  assert.ok(missing <= kills + WORKERS + 1, `${missing} jobs are gone after ${kills} kills`);
  context.diagnostic(`${kills} kills, ${view[words.turns]} turns, ${log.items} items, ${log.jobs} jobs`);
  assert.ok(view[words.turns]! > 100 && log.items > 100 && log.jobs > 100, 'something happened');
});

/** What came out of the queues. */
class Log {
  items = 0;
  jobs = 0;
  readonly #nextOf = new Map<number, number>();
  readonly #jobsDone = new Set<number>();
  readonly #faults: string[] = [];

  told({ by, n, load }: Item): void {
    this.items++;
    const expected = this.#nextOf.get(by) ?? 0;
    if (n !== expected) this.#faults.push(`item ${n} of worker ${by} came in the place of ${expected}`);
    if (load.some((byte) => byte !== 0)) this.#faults.push(`item ${n} of worker ${by} is damaged`);
    this.#nextOf.set(by, n + 1);
  }

  done(job: number): void {
    this.jobs++;
    if (this.#jobsDone.has(job)) this.#faults.push(`job ${job} came twice`);
    this.#jobsDone.add(job);
  }

  check(): void {
    assert.deepEqual(this.#faults, []);
  }
}

let ids = 0;

function embark(sea: Sea, place: number): Worker {
  const id = ++ids;
  const [near, far] = pipe<number>();
  const process = new Process({ target: live, args: [sea, place, id, far], name: `worker ${id}`, daemon: true });
  process.start();
  far.close();
  void answer(near);
  return { process: process as unknown as Process, id, near, beat: -1, beatAtMs: performance.now(), isStopped: false };
}

/** Sends back what comes, until the worker has died. */
async function answer(near: Connection<number>): Promise<void> {
  try {
    for (;;) await near.send(await near.recv());
  } catch (error) {
    assert.ok(error instanceof ClosedError, String(error));
  }
}

function checkBeat(worker: Worker, beat: number): void {
  const now = performance.now();
  if (beat !== worker.beat || worker.isStopped) {
    worker.beat = beat;
    worker.beatAtMs = now;
  }
  const isStill = now - worker.beatAtMs > STILL_MS;
  const { waitingFor, state } = worker.process;
  assert.ok(!isStill, `worker ${worker.id} is held up (${state}): it waits for ${waitingFor}`);
}
