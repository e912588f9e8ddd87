import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event, Lock, Process, Queue, SharedArray, SharedValue, Thread, type UnitOptions } from 'manyhands';
import * as targets from './targets.ts';

function started<A extends readonly unknown[], R>(options: UnitOptions<A, R>): Thread<A, R> {
  const thread = new Thread(options);
  thread.start();
  return thread;
}

test('threads, a process and this thread meet in one lock', async () => {
  const lock = new Lock();
  const value = new SharedValue('int32', 0);
  const child = new Process({ target: targets.increment, args: [lock, value, 200] });
  child.start();
  const threads = [1, 2].map(() => started({ target: targets.increment, args: [lock, value, 200] }));
  await targets.increment(lock, value, 200);
  await Promise.all([child.result(), ...threads.map((thread) => thread.result())]);
  assert.equal(value.value, 800);
});

test('a queue serves a thread and a process', async () => {
  const questions = new Queue<number>();
  const answers = new Queue<number>();
  const thread = started({ target: targets.answer, args: [questions, answers] });
  const child = new Process({ target: targets.answer, args: [questions, answers] });
  child.start();
  for (let i = 0; i < 100; i++) await questions.put(i);
  const got: number[] = [];
  for (let i = 0; i < 100; i++) got.push(await answers.get());
  questions.close();
  assert.deepEqual(
    got.sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i * 2),
  );
  assert.equal((await thread.result()) + (await child.result()), 100);
});

test('shared objects come back from a thread', async () => {
  const array = new SharedArray(Float64Array, 4);
  const back = await started({ target: targets.give<typeof array>, args: [array] }).result();
  array.view[2] = 7;
  assert.equal(back.view[2], 7);
});

test('a lock that a terminated thread held passes on as abandoned', async () => {
  const lock = new Lock();
  const held = new Event();
  const thread = started({ target: targets.holdForEver, args: [lock, held] });
  await held.wait();
  assert.equal(lock.tryAcquire(), undefined);
  const next = lock.acquire();
  thread.terminate();
  const lease = await next;
  assert.equal(lease.abandoned, true);
  lease.release();
  assert.equal(lock.tryAcquire()?.abandoned, false);
  await thread.join();
});

test('a lock that a thread held is free as soon as joinSync() tells of its end', () => {
  const lock = new Lock();
  const held = new Event();
  const thread = started({ target: targets.holdForEver, args: [lock, held] });
  held.waitSync();
  thread.terminate();
  thread.joinSync();
  assert.equal(lock.tryAcquire()?.abandoned, true);
});

test('a blocked thread that is terminated leaves the queues of what it waited for', async () => {
  const lock = new Lock();
  const held = new Event();
  const never = new Event();
  const thread = started({ target: targets.holdAsleep, args: [lock, held, never] });
  await held.wait();
  thread.terminate();
  await thread.join();
  never.set();
  const lease = await lock.acquire();
  assert.equal(lease.abandoned, true);
});
