import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { Barrier, BrokenBarrierError } from 'manyhands';
import { until } from '../support/program.ts';
import * as captures from './captures.ts';
import { assertOnTime, endAll, inChild, isSettled, killed, start, timed, waitsFor } from './children.ts';
import * as targets from './targets.ts';

afterEach(endAll);
const manners = ['awaited', 'blocking'] as const;
const broken = (error: unknown): true => {
  assert.ok(error instanceof BrokenBarrierError, String(error));
  assert.equal(error.code, 'ERR_BROKEN_BARRIER');
  return true;
};

test('nobody goes on before all have come, and each has an index of its own, in order of arrival', async () => {
  const barrier = new Barrier(3);
  assert.deepEqual([barrier.parties, barrier.waiting, barrier.isBroken], [3, 0, false]);
  const first = barrier.wait();
  const second = barrier.wait();
  assert.deepEqual([await isSettled(first), barrier.waiting], [false, 2]);
  assert.deepEqual(await Promise.all([first, second, barrier.wait()]), [0, 1, 2]);
  assert.equal(barrier.waiting, 0);
});

test('a barrier of one lets everybody go at once', async () => {
  const barrier = new Barrier(1);
  assert.deepEqual([await barrier.wait(), barrier.waitSync(), await barrier.wait({ timeoutMs: 0 })], [0, 0, 0]);
});

test('parties in every manner and process meet, round after round', async () => {
  const barrier = new Barrier(4);
  const children = manners.map((manner) => start(targets.meet, manner, barrier, 50));
  const all = await Promise.all([
    ...children.map((child) => child.result()),
    targets.meet('awaited', barrier, 50),
    targets.meet('awaited', barrier, 50),
  ]);
  for (let round = 0; round < 50; round++) {
    assert.deepEqual(all.map((indices) => indices[round]).sort(), [0, 1, 2, 3]);
  }
});

test('five processes pass a thousand times', async () => {
  const barrier = new Barrier(5);
  const children = [1, 2, 3, 4, 5].map(() => start(targets.meet, 'blocking', barrier, 1000));
  const all = await Promise.all(children.map((child) => child.result()));
  for (const indices of all) assert.ok(indices.every((index) => typeof index === 'number'));
  assert.equal(all.flat().filter((index) => index === 0).length, 1000);
});

test('parties are in lockstep', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-barrier-'));
  try {
    const files = [0, 1, 2].map((n) => join(folder, String(n)));
    for (const file of files) writeFileSync(file, '');
    const barrier = new Barrier(3);
    const children = files.map((_, own) => start(targets.lockstep, barrier, files, own, 30));
    assert.deepEqual(await Promise.all(children.map((child) => child.result())), [true, true, true]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a child that waits says so, by name, and is counted', async () => {
  const barrier = new Barrier(2, { name: 'start line' });
  for (const manner of manners) {
    const child = start(targets.meet, manner, barrier, 1);
    await waitsFor(child, 'barrier "start line"');
    assert.equal(barrier.waiting, 1);
    assert.equal(await barrier.wait(), 1);
    assert.deepEqual(await child.result(), [0]);
  }
});

test('the last party runs the action, once a round, before any goes on', async () => {
  const log: string[] = [];
  const barrier = new Barrier(3, { action: () => log.push('action') });
  const party = async (): Promise<void> => {
    for (let round = 0; round < 2; round++) {
      await barrier.wait();
      log.push('gone');
    }
  };
  await Promise.all([party(), party(), party()]);
  assert.equal(log.join(' '), 'action gone gone gone action gone gone gone');
});

test('an action that throws breaks the barrier; the last party gets what was thrown', async () => {
  const thrown = new RangeError('in the action');
  const barrier = new Barrier(2, {
    action() {
      throw thrown;
    },
  });
  const first = barrier.wait();
  first.catch(() => {});
  await assert.rejects(barrier.wait(), (error) => error === thrown);
  await assert.rejects(first, broken);
  assert.equal(barrier.isBroken, true);
});

test('the action runs in whatever process the last party is', async () => {
  assert.equal(await captures.actions(3, 4), 4);
});

test('who comes while the action runs waits for the next round', async () => {
  assert.deepEqual(await captures.lateAction(), [[0, 1], [0, 1], false]);
});

test('the time of a barrier counts in the processes that got it', async () => {
  assert.equal(await captures.inheritedTime(), 'BrokenBarrierError');
});

test('abort breaks the barrier for those who wait and those who come, until reset', async () => {
  const barrier = new Barrier(3, { name: 'line' });
  const child = start(targets.meet, 'blocking', barrier, 2);
  await waitsFor(child, 'barrier "line"');
  const waits = barrier.wait();
  barrier.abort();
  await assert.rejects(waits, (error) => {
    broken(error);
    assert.match((error as Error).message, /barrier "line" is broken/);
    return true;
  });
  assert.deepEqual(await child.result(), ['ERR_BROKEN_BARRIER', 'ERR_BROKEN_BARRIER']);
  await assert.rejects(barrier.wait(), broken);
  assert.throws(() => barrier.waitSync(), broken);
  assert.deepEqual([barrier.isBroken, barrier.waiting], [true, 0]);
  barrier.reset();
  assert.equal(barrier.isBroken, false);
  assert.deepEqual(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()]), [0, 1, 2]);
});

test('a child aborts the barrier for which its parent waits', async () => {
  const barrier = new Barrier(2);
  const waits = barrier.wait();
  waits.catch(() => {});
  await inChild(targets.abortAtFirst, barrier);
  await assert.rejects(waits, broken);
});

test('reset sends those who wait away and leaves the barrier whole', async () => {
  const barrier = new Barrier(3);
  const waits = [barrier.wait(), barrier.wait()];
  for (const one of waits) one.catch(() => {});
  barrier.reset();
  for (const one of waits) await assert.rejects(one, broken);
  assert.deepEqual([barrier.isBroken, barrier.waiting], [false, 0]);
  assert.deepEqual(await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()]), [0, 1, 2]);
});

for (const manner of manners) {
  test(`a party whose time passes (${manner}) breaks the barrier for all`, async () => {
    const barrier = new Barrier(3);
    const other = barrier.wait();
    other.catch(() => {});
    const { value, ms } = await timed(() => targets.meet(manner, barrier, 1, 40));
    assert.deepEqual(value, ['ERR_BROKEN_BARRIER']);
    assertOnTime(ms, 40);
    await assert.rejects(other, broken);
    assert.equal(barrier.isBroken, true);
  });

  test(`a party killed while it waits (${manner}) breaks the barrier`, async () => {
    const barrier = new Barrier(3, { name: 'line' });
    const victim = start(targets.meet, manner, barrier, 1);
    await waitsFor(victim, 'barrier "line"');
    const other = start(targets.meet, manner, barrier, 1);
    await until(() => barrier.waiting === 2);
    victim.kill();
    assert.deepEqual(await other.result(), ['ERR_BROKEN_BARRIER']);
    assert.equal(barrier.isBroken, true);
    await assert.rejects(barrier.wait(), broken);
  });

  test(`the last to come finds that a party (${manner}) was killed`, async () => {
    const barrier = new Barrier(2, { name: 'line' });
    const victim = start(targets.meet, manner, barrier, 1);
    await waitsFor(victim, 'barrier "line"');
    await killed(victim);
    await assert.rejects(barrier.wait({ timeoutMs: 5000 }), broken);
    barrier.reset();
    const child = start(targets.meet, manner, barrier, 1);
    assert.equal(typeof (await barrier.wait()), 'number');
    await child.result();
  });
}

test('the time of the barrier counts where a wait has none of its own', async () => {
  const barrier = new Barrier(2, { timeoutMs: 30 });
  const { ms } = await timed(() => assert.rejects(barrier.wait(), broken));
  assertOnTime(ms, 30);
  barrier.reset();
  const longer = await timed(() => assert.rejects(barrier.wait({ timeoutMs: 90 }), broken));
  assertOnTime(longer.ms, 90);
});

test('an aborted signal gives its reason to the one, and a broken barrier to the others', async () => {
  const barrier = new Barrier(3);
  await assert.rejects(barrier.wait({ signal: AbortSignal.abort(new Error('before')) }), /before/);
  assert.equal(barrier.isBroken, false);
  const controller = new AbortController();
  const [one, other] = [barrier.wait({ signal: controller.signal }), barrier.wait()];
  other.catch(() => {});
  controller.abort(new Error('during'));
  await assert.rejects(one, /during/);
  await assert.rejects(other, broken);
});

test('a party that comes in the moment in which another gives up does not pass alone', async () => {
  const barrier = new Barrier(2);
  const controller = new AbortController();
  const one = barrier.wait({ signal: controller.signal });
  one.catch(() => {});
  controller.abort();
  await assert.rejects(barrier.wait({ timeoutMs: 1000 }), broken);
});
