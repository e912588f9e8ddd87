import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { Condition, Event, Lock, NotOwnerError, RLock, Semaphore } from 'manyhands';
import { until } from '../support/program.ts';
import { assertOnTime, endAll, inChild, isSettled, killed, sleep, start, timed, waitsFor } from './children.ts';
import * as targets from './targets.ts';

afterEach(endAll);
const manners = ['awaited', 'blocking'] as const;

/** Starts a waiter, and resolves once it waits. */
async function sleeper(
  manner: targets.Manner,
  where: 'here' | 'child',
  condition: Condition,
  woken: Semaphore,
  timeoutMs?: number,
): Promise<{ readonly woke: Promise<boolean> }> {
  const sleeping = new Semaphore(0);
  const waits =
    where === 'here'
      ? targets.sleepOn(manner, condition, sleeping, woken, timeoutMs)
      : inChild(targets.sleepOn, manner, condition, sleeping, woken, timeoutMs);
  waits.catch(() => {});
  await sleeping.acquire();
  // It has the lock until it waits.
  await condition.acquire();
  condition.release();
  return { woke: waits };
}

async function notify(condition: Condition, n: number): Promise<void> {
  await condition.acquire();
  if (n === Number.POSITIVE_INFINITY) condition.notifyAll();
  else condition.notify(n);
  condition.release();
}

test('wait, notify and notifyAll need the lock, and say which', async () => {
  const condition = new Condition(new Lock({ name: 'guard' }), { name: 'changed' });
  const told = { name: 'NotOwnerError', code: 'ERR_NOT_OWNER', message: /condition "changed".*lock "guard"/ };
  await assert.rejects(condition.wait(), told);
  await assert.rejects(
    condition.waitFor(() => false),
    told,
  );
  assert.throws(() => condition.waitSync(), told);
  assert.throws(() => condition.notify(), told);
  assert.throws(() => condition.notifyAll(), told);
  assert.throws(() => condition.release(), NotOwnerError);
  // Held by another process it is no better.
  const [holds, letGo] = [new Event(), new Event()];
  const child = start(targets.hold, 'awaited', condition.lock, holds, letGo);
  await holds.wait();
  await assert.rejects(condition.wait(), told);
  assert.throws(() => condition.notify(), told);
  letGo.set();
  await child.result();
});

test('a condition has a lock of its own, or the lock that it was given', async () => {
  const condition = new Condition();
  assert.ok(condition.lock instanceof Lock);
  const lock = new Lock();
  assert.equal(new Condition(lock).lock, lock);
  const lease = await condition.acquire();
  assert.equal(condition.lock.isLocked, true);
  lease.release();
  assert.equal(condition.lock.isLocked, false);
});

for (const where of ['here', 'child'] as const) {
  for (const manner of manners) {
    if (where === 'here' && manner === 'blocking') continue; // would block the thread that notifies
    describe(`waiters ${where} (${manner})`, () => {
      test('notify lets one go at a time', async () => {
        const [condition, woken] = [new Condition(), new Semaphore(0)];
        const all = [
          (await sleeper(manner, where, condition, woken)).woke,
          (await sleeper(manner, where, condition, woken)).woke,
        ];
        assert.equal(woken.value, 0);
        await notify(condition, 1);
        assert.equal(await all[0], true);
        assert.deepEqual([woken.value, await isSettled(all[1]!)], [1, false]);
        await notify(condition, 1);
        assert.equal(await all[1], true);
        assert.equal(woken.value, 2);
      });

      test('notify of two lets the first two go, and what is too much is lost', async () => {
        const [condition, woken] = [new Condition(new Lock()), new Semaphore(0)];
        const all = [];
        for (let i = 0; i < 3; i++) all.push((await sleeper(manner, where, condition, woken)).woke);
        await notify(condition, 2);
        assert.deepEqual(await Promise.all(all.slice(0, 2)), [true, true]);
        assert.equal(await isSettled(all[2]!), false);
        await notify(condition, 5);
        assert.equal(await all[2], true);
        const { woke: late } = await sleeper(manner, where, condition, woken, 30);
        assert.equal(await late, false, 'nothing of the five is left');
      });

      test('notifyAll lets all go, those whose time has passed excepted', async () => {
        const [condition, woken] = [new Condition(), new Semaphore(0)];
        const { woke: early } = await sleeper(manner, where, condition, woken, 20);
        assert.equal(await early, false);
        const all = [
          (await sleeper(manner, where, condition, woken)).woke,
          (await sleeper(manner, where, condition, woken)).woke,
        ];
        await notify(condition, Number.POSITIVE_INFINITY);
        assert.deepEqual(await Promise.all(all), [true, true]);
        assert.equal(woken.value, 3);
        assert.equal(condition.lock.isLocked, false);
      });
    });
  }
}

test('awaiting and blocking waiters of several processes are notified in order of arrival', async () => {
  const [condition, woken] = [new Condition(new Lock()), new Semaphore(0)];
  const all = [];
  for (const [manner, where] of [
    ['blocking', 'child'],
    ['awaited', 'here'],
    ['awaited', 'child'],
    ['awaited', 'here'],
  ] as const) {
    all.push((await sleeper(manner, where, condition, woken)).woke);
  }
  for (const [i, waits] of all.entries()) {
    for (const later of all.slice(i)) assert.equal(await isSettled(later), false);
    await notify(condition, 1);
    assert.equal(await waits, true);
  }
});

test('a notify of 0 lets nobody go', async () => {
  const [condition, woken] = [new Condition(), new Semaphore(0)];
  const { woke: waits } = await sleeper('awaited', 'here', condition, woken);
  await notify(condition, 0);
  assert.equal(await isSettled(waits), false);
  await notify(condition, 1);
  await waits;
});

for (const make of [Lock, RLock]) {
  test(`a wait on a condition of a ${make.name} gives false at its time, with the lock held again`, async () => {
    const condition = new Condition(new make());
    const lease = await condition.acquire();
    for (const wait of [condition.wait.bind(condition), condition.waitSync.bind(condition)]) {
      for (const timeoutMs of [0, 40]) {
        const { value, ms } = await timed(() => wait({ timeoutMs }));
        assert.equal(value, false);
        assertOnTime(ms, timeoutMs);
        assert.equal(await inChild(targets.tryOnce, condition.lock), false);
      }
    }
    lease.release();
    assert.equal(condition.lock.isLocked, false);
  });

  test(`the lease from before a wait on a condition of a ${make.name} is good after it`, async () => {
    const condition = new Condition(new make());
    const notified = (async () => {
      const lease = await condition.acquire();
      const isNotified = await condition.wait();
      lease.release();
      return isNotified;
    })();
    // Takes the lock meanwhile, so that it has had other turns.
    await inChild(targets.pass, 'blocking', condition.lock);
    await inChild(targets.notifyIt, condition, 1);
    assert.equal(await notified, true);
    assert.equal(condition.lock.isLocked, false);
  });
}

test('a lease of a turn in the time of a wait is not mistaken for a later one', async () => {
  const lock = new Lock();
  const condition = new Condition(lock);
  const waiter = await lock.acquire();
  const waits = condition.wait();
  const stale = await lock.acquire();
  condition.notify();
  lock.release(); // past its lease
  assert.equal(await waits, true);
  waiter.release();
  const other = await lock.acquire();
  stale.release();
  assert.equal(lock.isLocked, true);
  other.release();
  assert.equal(lock.isLocked, false);
});

test('a wait lets go of an rlock however often it is held, and holds it as often afterwards', async () => {
  const lock = new RLock();
  const condition = new Condition(lock);
  for (let i = 0; i < 3; i++) await lock.acquire();
  const waits = condition.wait();
  assert.equal(lock.isLocked, false);
  await inChild(targets.notifyIt, condition, 1);
  assert.equal(await waits, true);
  for (let i = 0; i < 3; i++) {
    assert.equal(lock.isLocked, true);
    lock.release();
  }
  assert.equal(lock.isLocked, false);
});

test('an aborted signal ends a wait with its reason and the lock held, before and during it', async () => {
  const condition = new Condition(new Lock());
  const lease = await condition.acquire();
  await assert.rejects(condition.wait({ signal: AbortSignal.abort(new Error('before')) }), /before/);
  assert.equal(condition.lock.isLocked, true);
  const controller = new AbortController();
  const waits = condition.wait({ signal: controller.signal });
  assert.equal(condition.lock.isLocked, false);
  controller.abort(new Error('during'));
  await assert.rejects(waits, /during/);
  assert.equal(condition.lock.isLocked, true);
  lease.release();
  assert.equal(condition.lock.isLocked, false);
});

test('waitFor gives the last value of its predicate', async () => {
  const condition = new Condition();
  let state = 0;
  const waiter = (async () => {
    const lease = await condition.acquire();
    const isTrue = await condition.waitFor(() => state === 3);
    lease.release();
    return isTrue;
  })();
  for (let i = 0; i < 3; i++) {
    await sleep(1);
    state++;
    await notify(condition, 1);
  }
  assert.equal(await waiter, true);
  await condition.acquire();
  const { value, ms } = await timed(() => condition.waitFor(() => false, { timeoutMs: 40 }));
  assert.equal(value, false);
  assertOnTime(ms, 40);
  assert.equal(await condition.waitFor(() => true, { timeoutMs: 0 }), true);
  await assert.rejects(
    condition.waitFor(() => {
      throw new Error('of the predicate');
    }),
    /of the predicate/,
  );
  assert.equal(condition.lock.isLocked, true);
});

test('waitFor over processes takes turns in order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-condition-'));
  try {
    const file = join(folder, 'turns');
    writeFileSync(file, '');
    const condition = new Condition();
    const children = [2, 1].map((turn) => start(targets.takeTurn, condition, file, turn));
    await Promise.all([targets.takeTurn(condition, file, 3), targets.takeTurn(condition, file, 0)]);
    await Promise.all(children.map((child) => child.result()));
    assert.equal(readFileSync(file, 'utf8'), '0123');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a child that waits for a condition says so, by name', async () => {
  const condition = new Condition(new Lock(), { name: 'news' });
  const [sleeping, woken] = [new Semaphore(0), new Semaphore(0)];
  for (const manner of manners) {
    const child = start(targets.sleepOn, manner, condition, sleeping, woken);
    await waitsFor(child, 'condition "news"');
    await notify(condition, 1);
    assert.equal(await child.result(), true);
  }
});

for (const manner of manners) {
  test(`a notify does not go to a waiter (${manner}) that was killed`, async () => {
    const condition = new Condition(new Lock(), { name: 'news' });
    const [sleeping, woken] = [new Semaphore(0), new Semaphore(0)];
    for (const isNoticed of [true, false]) {
      const victim = start(targets.sleepOn, manner, condition, sleeping, woken);
      await waitsFor(victim, 'condition "news"');
      const { woke: waits } = await sleeper('awaited', 'here', condition, woken, 5000);
      if (isNoticed) await killed(victim);
      else victim.kill();
      await notify(condition, 1);
      assert.equal(await waits, true);
      await victim.join();
    }
  });

  test(`a waiter (${manner}) that dies with the lock, after its wait, leaves it abandoned`, async () => {
    const condition = new Condition(new Lock(), { name: 'news' });
    const holds = new Event();
    const child = start(targets.waitAndKeep, manner, condition, holds);
    await waitsFor(child, 'condition "news"');
    await notify(condition, 1);
    await holds.wait();
    const waits = condition.acquire();
    await killed(child);
    assert.equal((await waits).abandoned, true);
  });
}

test('notifies and timeouts in the same moment lose nothing: who was not notified waits no more', async () => {
  const condition = new Condition(new Lock());
  for (let round = 0; round < 20; round++) {
    let notified = 0;
    let inVain = 0;
    const all = Array.from({ length: 20 }, async (_, i) => {
      const lease = await condition.acquire();
      if (await condition.wait({ timeoutMs: 1 + (i % 4) })) notified++;
      else inVain++;
      lease.release();
    });
    for (let i = 0; i < 5; i++) {
      await sleep(1);
      await notify(condition, 3);
    }
    await Promise.all(all);
    assert.equal(notified + inVain, 20);
    assert.equal(condition.lock.isLocked, false);
  }
});

test('of two who wait, one whose time passes does not take the notify of the other', async () => {
  const condition = new Condition(new Lock());
  const woken = new Semaphore(0);
  for (let i = 0; i < 10; i++) {
    const { woke: short } = await sleeper('awaited', 'here', condition, woken, 2);
    const { woke: long } = await sleeper('awaited', 'here', condition, woken, 5000);
    const from = performance.now();
    await until(() => performance.now() - from > (i % 4) * 0.7);
    await notify(condition, 1);
    if (await short) await notify(condition, 1);
    assert.equal(await long, true);
  }
});

test('processes and coroutines take turns by a condition while other waiters are killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-condition-'));
  try {
    const file = join(folder, 'turns');
    writeFileSync(file, '');
    const condition = new Condition();
    const [parties, rounds] = [4, 150];
    const children = [0, 1].map((own) => start(targets.takeTurns, condition, file, own, parties, rounds));
    const here = [2, 3].map((own) => targets.takeTurns(condition, file, own, parties, rounds));
    let isOver = false;
    const all = Promise.all([...here, ...children.map((child) => child.result())]).finally(() => {
      isOver = true;
    });
    for (let i = 0; !isOver && i < 20; i++) {
      const victim = start(targets.waitForEver, manners[i % 2]!, condition);
      await until(() => isOver || victim.waitingFor === 'condition');
      await sleep(Math.random() * 10);
      await killed(victim);
    }
    await all;
    assert.equal(readFileSync(file, 'utf8'), '0123'.repeat(rounds));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
