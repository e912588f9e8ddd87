import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Process, Queue, SharedValue } from 'manyhands';
import { until } from '../../support/program.ts';
import * as targets from './stop-targets.ts';

const ROUNDS = 100;
/** Within so many milliseconds of its last resume, long enough for hundreds of uses. */
const MOMENT_MS = 0.3;
/** In which one that is not kept gets through some hundred thousand times. */
const LIMIT_MS = 5000;

const living: Process[] = [];

afterEach(async () => {
  for (const child of living.splice(0)) {
    child.kill();
    await child.join();
  }
});

/** A process that uses `queue` all the time, and how often it has. */
function user(queue: Queue<number>): { readonly child: Process; readonly count: SharedValue<'int32'> } {
  const count = new SharedValue('int32', 0);
  const child = new Process({ target: targets.useQueue, args: [queue, count] });
  child.start();
  living.push(child as unknown as Process);
  return { child: child as unknown as Process, count };
}

/** Numbers from 0 to 1: Park and Miller's generator. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a process suspended at any moment keeps nobody from the queue that it uses', { timeout: 60_000 }, async () => {
  const seed = (Date.now() % 0x7fff_fffe) + 1;
  console.log(`seed ${seed}`);
  const next = random(seed);
  const queue = new Queue<number>();
  const [one, other] = [user(queue), user(queue)];
  await until(() => one.count.value > 0 && other.count.value > 0);
  for (let round = 0; round < ROUNDS; round++) {
    spin(next() * MOMENT_MS);
    one.child.suspend();
    const before = { one: one.count.value, other: other.count.value };
    const deadline = performance.now() + LIMIT_MS;
    // Twice: the first could have been in the queue already.
    while (other.count.value - before.other < 2) {
      assert.ok(performance.now() < deadline, `round ${round}: the other one does not get through`);
      await new Promise(setImmediate);
    }
    assert.equal(one.count.value, before.one, 'it stood still when suspend() returned');
    one.child.resume();
  }
});
