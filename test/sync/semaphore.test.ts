import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { BoundedSemaphore, Semaphore, TimeoutError, ValidationError } from 'manyhands';
import { assertOnTime, endAll, inChild, isSettled, killed, sleep, start, timed, waitsFor } from './children.ts';
import * as targets from './targets.ts';

afterEach(endAll);
const manners = ['awaited', 'blocking'] as const;

for (const make of [Semaphore, BoundedSemaphore]) {
  test(`a ${make.name} counts its permits`, async () => {
    const semaphore = new make(2);
    assert.equal(semaphore.value, 2);
    const lease = await semaphore.acquire();
    assert.equal(semaphore.value, 1);
    semaphore.acquireSync();
    assert.deepEqual([semaphore.value, semaphore.tryAcquire()], [0, undefined]);
    semaphore.release();
    lease.release();
    lease.release();
    assert.equal(semaphore.value, 2);
    assert.equal(new make().value, 1);
    assert.equal(lease.abandoned, false);
  });
}

test('a semaphore may have more permits than at first, a bounded one not', () => {
  const semaphore = new Semaphore(2);
  semaphore.release();
  semaphore.release(3);
  assert.equal(semaphore.value, 6);
  const bounded = new BoundedSemaphore(2, { name: 'seats' });
  assert.throws(
    () => bounded.release(),
    (error) => {
      assert.ok(error instanceof ValidationError);
      assert.match(error.message, /semaphore "seats" cannot have more than 2 permits/);
      return true;
    },
  );
  bounded.acquireSync();
  assert.throws(() => bounded.release(2), ValidationError);
  assert.equal(bounded.value, 1);
  bounded.release();
  assert.equal(bounded.value, 2);
});

test('the bound of a bounded semaphore counts in every process', async () => {
  const bounded = new BoundedSemaphore(1, { name: 'seat' });
  const error = await inChild(targets.errorOf, bounded);
  assert.ok(error instanceof ValidationError);
  assert.match(error.message, /semaphore "seat"/);
  assert.equal(bounded.value, 1);
});

test('a semaphore of 0 permits is a wait for a release', async () => {
  const semaphore = new Semaphore(0);
  const waits = semaphore.acquire();
  assert.equal(await isSettled(waits), false);
  semaphore.release();
  await waits;
  assert.equal(semaphore.value, 0);
});

test('release of several lets as many go, in order of arrival', async () => {
  const semaphore = new Semaphore(0);
  const order: number[] = [];
  const all = Array.from({ length: 7 }, async (_, i) => {
    await semaphore.acquire();
    order.push(i);
  });
  semaphore.release(3);
  await Promise.all(all.slice(0, 3));
  assert.equal(await isSettled(all[3]!), false);
  assert.deepEqual(order, [0, 1, 2]);
  semaphore.release(10);
  await Promise.all(all);
  assert.deepEqual(order, [...Array(7).keys()]);
  assert.equal(semaphore.value, 6);
});

for (const manner of manners) {
  test(`a child waits (${manner}) for the permit that its parent gives`, async () => {
    const semaphore = new Semaphore(0, { name: 'permits' });
    const child = start(targets.pass, manner, semaphore);
    await waitsFor(child, 'semaphore "permits"');
    semaphore.release();
    assert.equal(await child.result(), false);
    assert.equal(semaphore.value, 1);
  });

  test(`a wait for a permit (${manner}) ends at its time`, async () => {
    const semaphore = new Semaphore(0, { name: 'permits' });
    for (const timeoutMs of [0, 40]) {
      const { ms } = await timed(() =>
        assert.rejects(targets.acquireIn(manner, semaphore, timeoutMs), (error) => {
          assert.ok(error instanceof TimeoutError);
          assert.match(error.message, /semaphore "permits" had no permit within \d+ ms/);
          return true;
        }),
      );
      assertOnTime(ms, timeoutMs);
    }
    semaphore.release();
    assert.equal(semaphore.value, 1);
    await targets.acquireIn(manner, semaphore, 0);
  });

  test(`a waiter (${manner}) killed in the queue takes no permit with it`, async () => {
    const semaphore = new Semaphore(0, { name: 'permits' });
    const victim = start(targets.pass, manner, semaphore);
    await waitsFor(victim, 'semaphore "permits"');
    const other = semaphore.acquire({ timeoutMs: 5000 });
    await killed(victim);
    semaphore.release();
    await other;
    assert.equal(semaphore.value, 0);
  });

  test(`a waiter (${manner}) that was killed a moment ago takes no permit with it`, async () => {
    const semaphore = new Semaphore(0, { name: 'permits' });
    const victim = start(targets.pass, manner, semaphore);
    await waitsFor(victim, 'semaphore "permits"');
    const other = semaphore.acquire({ timeoutMs: 5000 });
    victim.suspend();
    semaphore.release(); // granted to one that cannot take it any more
    await killed(victim);
    await other;
    assert.equal(semaphore.value, 0);
  });
}

test('nobody overtakes a waiter', async () => {
  const semaphore = new Semaphore(1);
  semaphore.acquireSync();
  const waits = semaphore.acquire();
  semaphore.release();
  // The permit is the waiter's, although it has not noticed yet.
  assert.deepEqual([semaphore.tryAcquire(), semaphore.value], [undefined, 0]);
  (await waits).release();
  assert.equal(semaphore.value, 1);
});

test('waits that are given up, in any order, leave the others in theirs', async () => {
  const seed = (Date.now() % 0x7fff_fffe) + 1;
  console.log(`seed ${seed}`);
  const random = targets.randomOf(seed);
  const semaphore = new Semaphore(0);
  for (let round = 0; round < 20; round++) {
    const served: number[] = [];
    const waits = Array.from({ length: 40 }, (_, number) => {
      const controller = new AbortController();
      const done = semaphore.acquire({ signal: controller.signal }).then(
        () => void served.push(number),
        () => {},
      );
      return { number, controller, done };
    });
    const stays = new Set(waits.filter(() => random() < 0.3).map(({ number }) => number));
    const order = waits.map((one) => ({ one, rank: random() })).sort((a, b) => a.rank - b.rank);
    for (const { one } of order) if (!stays.has(one.number)) one.controller.abort();
    if (stays.size > 0) semaphore.release(stays.size);
    await Promise.all(waits.map(({ done }) => done));
    assert.deepEqual(served, [...stays]);
    assert.equal(semaphore.value, 0);
  }
});

test('a grant and an abort in the same moment never lose a permit', async () => {
  for (let i = 0; i < 100; i++) {
    const semaphore = new Semaphore(0);
    const controller = new AbortController();
    const waits = semaphore.acquire({ signal: controller.signal });
    const acts = [() => semaphore.release(), () => controller.abort()];
    if (i % 2 === 0) acts.reverse();
    for (const act of acts) {
      act();
      if (i % 3 === 0) await Promise.resolve();
    }
    const lease = await waits.catch(() => undefined);
    lease?.release();
    assert.equal(semaphore.value, 1);
  }
});

test('releases in a child and timeouts in its parent never lose a permit', async () => {
  const semaphore = new Semaphore(0);
  const child = start(targets.releaseMany, semaphore, 2000);
  let got = 0;
  let inVain = 0;
  const waiter = async (): Promise<void> => {
    while (child.isAlive) {
      try {
        await semaphore.acquire({ timeoutMs: Math.random() * 2 });
        got++;
      } catch {
        inVain++;
      }
    }
  };
  await Promise.all(Array.from({ length: 10 }, waiter));
  while (semaphore.tryAcquire() !== undefined) got++;
  assert.equal(got, 2000, `${inVain} in vain`);
});

test('a thousand waits with random times leave the semaphore whole', async () => {
  const random = targets.randomOf(7);
  const semaphore = new Semaphore(3);
  let most = 0;
  let inside = 0;
  const all = Array.from({ length: 1000 }, async (_, i) => {
    const timeoutMs = i % 50 === 0 ? undefined : random() * 60;
    const lease = await semaphore.acquire({ timeoutMs }).catch(() => undefined);
    if (lease === undefined) return 0;
    most = Math.max(most, ++inside);
    await sleep(random() * 2);
    inside--;
    lease.release();
    return 1;
  });
  const got = (await Promise.all(all)).reduce((sum: number, one) => sum + one, 0);
  assert.ok(got >= 20, `${got}`);
  assert.deepEqual([most, semaphore.value], [3, 3]);
});

test('permits pass between processes without loss', async () => {
  const semaphore = new Semaphore(2);
  const children = [1, 2, 3].map((seed) => start(targets.passMany, semaphore, 500, seed));
  await targets.passMany(semaphore, 500, 4);
  await Promise.all(children.map((child) => child.result()));
  assert.equal(semaphore.value, 2);
});

for (const manner of manners) {
  test(`a permit given in the moment in which its waiter (${manner}) is killed goes to the next`, async () => {
    const semaphore = new Semaphore(0, { name: 'permits' });
    for (let round = 0; round < 5; round++) {
      const victim = start(targets.pass, manner, semaphore);
      await waitsFor(victim, 'semaphore "permits"');
      const next = semaphore.acquire({ timeoutMs: 5000 });
      victim.kill();
      semaphore.release();
      await next;
      assert.equal(semaphore.value, 0);
      await victim.join();
    }
  });
}
