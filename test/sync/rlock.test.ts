import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Condition, Event, Lock, NotOwnerError, RLock, Semaphore } from 'manyhands';
import { until } from '../support/program.ts';
import { endAll, inChild, isSettled, killed, sleep, start, waitsFor } from './children.ts';
import * as targets from './targets.ts';

afterEach(endAll);
const manners = ['awaited', 'blocking'] as const;

test('an rlock is taken again by its holder, and is free once it was released as often', async () => {
  const lock = new RLock();
  assert.ok(lock instanceof Lock);
  const leases = [await lock.acquire(), lock.acquireSync(), lock.tryAcquire()!];
  assert.equal(lock.isLocked, true);
  leases[0]!.release();
  leases[1]!.release();
  assert.equal(lock.isLocked, true);
  leases[2]!.release();
  assert.equal(lock.isLocked, false);
  assert.throws(() => lock.release(), NotOwnerError);
});

test('releasing an rlock that nobody holds, or another unit, names it', async () => {
  const lock = new RLock({ name: 'mine' });
  assert.throws(() => lock.release(), { name: 'NotOwnerError', code: 'ERR_NOT_OWNER', message: /^rlock "mine" / });
  await lock.acquire();
  const error = await inChild(targets.errorOf, lock);
  assert.ok(error instanceof NotOwnerError);
  assert.match(error.message, /rlock "mine" cannot be released here/);
  assert.equal(lock.isLocked, true);
  lock.release();
});

for (const manner of manners) {
  test(`an rlock that a child holds three times (${manner}) is free after the third release`, async () => {
    const lock = new RLock({ name: 'thrice' });
    const holds = new Event();
    const next = new Semaphore(0, { name: 'next' });
    const child = start(targets.holdOften, manner, lock, 3, holds, next);
    await holds.wait();
    assert.throws(() => lock.release(), NotOwnerError);
    const waits = lock.acquire();
    for (let i = 0; i < 3; i++) {
      await waitsFor(child, 'semaphore "next"');
      assert.deepEqual([lock.tryAcquire(), await isSettled(waits)], [undefined, false]);
      next.release();
      if (i < 2) await until(() => next.value === 0);
    }
    const lease = await waits;
    await child.result();
    assert.equal(lease.abandoned, false);
    assert.equal(await inChild(targets.tryOnce, lock), false);
    lease.release();
    assert.equal(lock.isLocked, false);
    assert.equal(await inChild(targets.tryOnce, lock), true);
  });

  test(`an rlock that a killed child held three times passes on (${manner}), held once`, async () => {
    const lock = new RLock({ name: 'thrice' });
    const holds = new Event();
    const holder = start(targets.holdOften, manner, lock, 3, holds, new Semaphore(0));
    await holds.wait();
    const heir = start(targets.pass, manner, lock);
    await waitsFor(heir, 'rlock "thrice"');
    await killed(holder);
    assert.equal(await heir.result(), true);
    const lease = await lock.acquire();
    assert.equal(lease.abandoned, false);
    lock.release();
    assert.equal(lock.isLocked, false);
  });
}

test('who comes after the death of a holder holds it once', async () => {
  const lock = new RLock();
  const holds = new Event();
  const holder = start(targets.holdOften, 'blocking', lock, 3, holds, new Semaphore(0));
  await holds.wait();
  await killed(holder);
  const lease = lock.tryAcquire()!;
  assert.equal(lease.abandoned, true);
  lease.release();
  assert.equal(lock.isLocked, false);
});

test('a lease past which the rlock was released does nothing', async () => {
  const lock = new RLock();
  const lease = await lock.acquire();
  lock.release();
  lease.release();
  const [stale, again] = [await lock.acquire(), await lock.acquire()];
  lock.release();
  lock.release();
  const current = await lock.acquire();
  stale.release();
  again.release();
  assert.equal(lock.isLocked, true);
  current.release();
  current.release();
  assert.equal(lock.isLocked, false);
});

test('run nests, and releases also when the body throws', async () => {
  const lock = new RLock();
  await assert.rejects(
    lock.run(() =>
      lock.run(() => {
        throw new Error('mine');
      }),
    ),
    /mine/,
  );
  assert.equal(lock.isLocked, false);
});

test('coroutines of one process that queued for an rlock are served one by one', async () => {
  const lock = new RLock();
  const [holds, letGo] = [new Event(), new Event()];
  const child = start(targets.hold, 'awaited', lock, holds, letGo);
  await holds.wait();
  const order: string[] = [];
  const all = ['a', 'b', 'c'].map(async (name) => {
    const lease = await lock.acquire();
    order.push(`+${name}`);
    await new Promise(setImmediate);
    order.push(`-${name}`);
    lease.release();
  });
  await sleep(5);
  letGo.set();
  await Promise.all([...all, child.result()]);
  assert.equal(order.join(''), '+a-a+b-b+c-c');
  assert.equal(lock.isLocked, false);
});

test('an rlock taken again between its hand-over and its arrival counts both', async () => {
  const lock = new RLock();
  const [holds, letGo] = [new Event(), new Event()];
  const child = start(targets.hold, 'blocking', lock, holds, letGo);
  await holds.wait();
  const waits = lock.acquire();
  await sleep(5);
  letGo.set();
  // Without giving the event loop a chance: the grant is not noticed yet.
  const end = performance.now() + 5000;
  let early = lock.tryAcquire();
  while (early === undefined && performance.now() < end) early = lock.tryAcquire();
  const late = await waits;
  assert.ok(early);
  early.release();
  assert.equal(lock.isLocked, true);
  assert.equal(await inChild(targets.tryOnce, lock), false);
  late.release();
  assert.equal(lock.isLocked, false);
  await child.result();
});

test('a wait on a condition lets go of an rlock for another coroutine of the same process', async () => {
  const lock = new RLock();
  const condition = new Condition(lock);
  const [holds, letGo] = [new Event(), new Event()];
  const child = start(targets.hold, 'awaited', lock, holds, letGo);
  await holds.wait();
  const waiter = (async () => {
    const lease = await lock.acquire();
    const isNotified = await condition.wait({ timeoutMs: 5000 });
    lease.release();
    return isNotified;
  })();
  const notifier = (async () => {
    const lease = await lock.acquire();
    condition.notify();
    lease.release();
  })();
  await sleep(5);
  letGo.set();
  await Promise.all([notifier, child.result()]);
  assert.equal(await waiter, true);
  assert.equal(lock.isLocked, false);
});

test('a signal that is aborted already is told also to the holder', async () => {
  const lock = new RLock();
  await lock.acquire();
  await assert.rejects(lock.acquire({ signal: AbortSignal.abort(new Error('enough')) }), /enough/);
});
