import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Barrier,
  BoundedSemaphore,
  CancelledError,
  Condition,
  Coroutine,
  checkpoint,
  Event,
  Lock,
  pipe,
  Queue,
  Semaphore,
  wait,
} from 'manyhands';
import { started, until } from './started.ts';

const never = new Event({ name: 'never' });
const lock = new Lock();
const full = new Queue<number>({ maxItems: 1 });
const [receiver] = pipe();

/** Lets go of the coroutines that those who were cancelled had joined: they keep the program alive. */
after(() => never.set());

/** Everything that waits, by what it is. */
const waits: Record<string, () => unknown> = {
  'lock.acquire()': () => lock.acquire(),
  'lock.acquire() with a time': () => lock.acquire({ timeoutMs: 100_000 }),
  'semaphore.acquire()': () => new Semaphore(0).acquire(),
  'semaphore.acquire() of a bounded one': () => new BoundedSemaphore(0).acquire(),
  'event.wait()': () => never.wait(),
  'barrier.wait()': () => new Barrier(2).wait(),
  'queue.get()': () => new Queue().get(),
  'queue.put()': () => full.put(2),
  'queue.join()': () => full.join(),
  'connection.recv()': () => receiver.recv(),
  'connection.poll()': () => receiver.poll(100_000),
  'wait()': () => wait([never, receiver]),
  'coroutine.join()': () => started(() => never.wait()).join(100_000),
  'coroutine.result()': () => started(() => never.wait()).result(),
  'two waits at once': () => Promise.all([never.wait(), lock.acquire()]),
};

test('cancelling takes back every kind of wait, with a CancelledError that has the reason as its cause', async () => {
  await lock.acquire();
  await full.put(1);
  for (const [name, body] of Object.entries(waits)) {
    const thrown: unknown[] = [];
    const coroutine = started(async () => {
      try {
        await body();
      } catch (error) {
        thrown.push(error);
        await checkpoint(); // not raised a second time
        throw error;
      }
    });
    await until(() => coroutine.state === 'blocked');
    coroutine.cancel('enough');
    await assert.rejects(coroutine.result(), { name: 'CancelledError', code: 'ERR_CANCELLED', cause: 'enough' }, name);
    assert.ok(thrown[0] instanceof CancelledError, name);
    assert.deepEqual(
      [coroutine.exit, coroutine.exitCode, coroutine.state],
      [{ kind: 'killed' }, -15, 'terminated'],
      name,
    );
  }
  lock.release();
  assert.ok(lock.tryAcquire(), 'no wait was left behind in the queue of the lock');
  lock.release();
});

test('a wait on a condition holds its lock again when it is cancelled', async () => {
  const condition = new Condition();
  let isHeld = false;
  const coroutine = started(async () => {
    const lease = await condition.acquire();
    try {
      await condition.wait();
    } finally {
      isHeld = condition.lock.isLocked;
      lease.release();
    }
  });
  await until(() => coroutine.waitingFor?.startsWith('condition') === true);
  const lease = await condition.acquire();
  coroutine.cancel();
  await new Promise(setImmediate);
  assert.equal(coroutine.isAlive, true, 'it waits for the lock');
  lease.release();
  await assert.rejects(coroutine.result(), CancelledError);
  assert.deepEqual([isHeld, condition.lock.isLocked], [true, false]);
});

test('a lock that was handed over at the moment of the cancellation is kept, and the next wait raises', async () => {
  const own = new Lock();
  const lease = await own.acquire();
  let got = false;
  const coroutine = started(async () => {
    const mine = await own.acquire();
    got = true;
    try {
      await checkpoint();
    } finally {
      mine.release();
    }
  });
  await until(() => coroutine.state === 'blocked');
  await sleep(2); // a waiter is due after a millisecond: then it is handed over
  lease.release();
  coroutine.cancel();
  await assert.rejects(coroutine.result(), CancelledError);
  assert.deepEqual([got, own.isLocked], [true, false]);
});

test('it has ended only once its finally blocks have, and they may wait', async () => {
  const gate = new Event();
  const log: string[] = [];
  const coroutine = started(async () => {
    try {
      await never.wait();
    } finally {
      log.push('leaving');
      await gate.wait();
      log.push('left');
    }
  });
  await until(() => coroutine.state === 'blocked');
  coroutine.cancel();
  await until(() => log.length === 1);
  coroutine.cancel('again: changes nothing');
  await new Promise(setImmediate);
  assert.deepEqual([coroutine.isAlive, coroutine.exit], [true, undefined]);
  gate.set();
  await coroutine.join();
  assert.deepEqual([log, coroutine.exitCode], [['leaving', 'left'], -15]);
});

test('cancelling raises at a yield of generators and async generators', async () => {
  const log: string[] = [];
  function* generator(): Generator {
    try {
      for (;;) yield;
    } finally {
      log.push('generator');
    }
  }
  async function* asyncGenerator(): AsyncGenerator {
    try {
      for (;;) yield;
    } finally {
      log.push('async generator');
    }
  }
  for (const target of [generator, asyncGenerator]) {
    const coroutine = started(target as () => unknown);
    await until(() => coroutine.state === 'running');
    coroutine.cancel();
    await assert.rejects(coroutine.result(), CancelledError);
  }
  assert.deepEqual(log, ['generator', 'async generator']);
});

test('a coroutine that is cancelled before it has its first turn never runs', async () => {
  let hasRun = false;
  const coroutine = started(async () => {
    hasRun = true;
  });
  coroutine.cancel(new Error('too late'));
  await assert.rejects(coroutine.result(), { name: 'CancelledError', message: /too late/ });
  assert.deepEqual([hasRun, coroutine.exit], [false, { kind: 'killed' }]);
});

test('one that deals with its cancellation ends in its own way', async () => {
  const returns = started(async () => {
    await never.wait().catch(() => {});
    return 'mine';
  });
  const throws = started(async () => {
    await never.wait().catch(() => {});
    throw new RangeError('mine');
  });
  await until(() => throws.state === 'blocked');
  returns.cancel();
  throws.cancel();
  assert.equal(await returns.result(), 'mine');
  assert.equal(returns.exit?.kind, 'normal');
  await assert.rejects(throws.result(), RangeError);
  assert.equal(throws.exit?.kind, 'fatal');
});

test('the cancellation of a coroutine that another one joins is an error of that one only if it lets it be', async () => {
  const inner = started(() => never.wait());
  const outer = started(() => inner.result());
  await until(() => outer.state === 'blocked');
  inner.cancel();
  await assert.rejects(outer.result(), CancelledError);
  assert.deepEqual([inner.exit?.kind, outer.exit?.kind], ['killed', 'fatal']);
});

test('an aborted signal cancels it, and its reason is what result() rejects with', async () => {
  const controller = new AbortController();
  const seen: unknown[] = [];
  const coroutine = new Coroutine({
    signal: controller.signal,
    async target() {
      await never.wait().catch((error: Error) => {
        seen.push(error.cause);
        throw error;
      });
    },
  });
  coroutine.start();
  await until(() => coroutine.state === 'blocked');
  controller.abort('no more');
  await assert.rejects(coroutine.result(), (reason) => reason === 'no more');
  assert.deepEqual([seen, coroutine.exitCode], [['no more'], -15]);
});

test('disposing cancels it and waits for its end', async () => {
  const coroutine = started(() => never.wait());
  await until(() => coroutine.state === 'blocked');
  await coroutine[Symbol.asyncDispose]();
  assert.equal(coroutine.exitCode, -15);
});
