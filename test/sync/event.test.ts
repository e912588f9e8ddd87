import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Event } from 'manyhands';
import { assertOnTime, endAll, inChild, isSettled, killed, start, timed, waitsFor } from './children.ts';
import * as targets from './targets.ts';

afterEach(endAll);
const manners = ['awaited', 'blocking'] as const;

test('an event is set and cleared', async () => {
  const event = new Event();
  assert.equal(event.isSet, false);
  event.set();
  event.set();
  assert.deepEqual([event.isSet, await event.wait(), event.waitSync()], [true, true, true]);
  event.clear();
  assert.equal(event.isSet, false);
});

for (const manner of manners) {
  test(`a wait (${manner}) gives false at its time`, async () => {
    const event = new Event();
    for (const timeoutMs of [0, 40]) {
      const { value, ms } = await timed(() => targets.waitSet(manner, event, timeoutMs));
      assert.equal(value, false);
      assertOnTime(ms, timeoutMs);
    }
  });

  test(`a child waits (${manner}) for the event that its parent sets`, async () => {
    const event = new Event({ name: 'go' });
    const child = start(targets.waitSet, manner, event);
    await waitsFor(child, 'event "go"');
    event.set();
    assert.equal(await child.result(), true);
  });

  test(`a set that is cleared at once lets go a child that waits (${manner})`, async () => {
    const event = new Event({ name: 'pulse' });
    const child = start(targets.waitSet, manner, event);
    await waitsFor(child, 'event "pulse"');
    event.set();
    event.clear();
    assert.equal(await child.result(), true);
    assert.equal(event.isSet, false);
  });
}

test('a child sets an event for which its parent awaits', async () => {
  const event = new Event();
  const waits = event.wait();
  assert.equal(await isSettled(waits), false);
  await inChild(targets.setIt, event);
  assert.equal(await waits, true);
});

test('set lets go everybody, in whatever manner and process they wait', async () => {
  const event = new Event({ name: 'all' });
  const children = manners.map((manner) => start(targets.waitSet, manner, event));
  for (const child of children) await waitsFor(child, 'event "all"');
  const here = Array.from({ length: 100 }, () => event.wait());
  event.set();
  assert.deepEqual(new Set(await Promise.all([...here, ...children.map((child) => child.result())])), new Set([true]));
});

test('a waiter killed in the queue is nobody’s harm', async () => {
  const event = new Event({ name: 'all' });
  const children = [...manners, ...manners].map((manner) => start(targets.waitSet, manner, event));
  for (const child of children) await waitsFor(child, 'event "all"');
  const waits = event.wait();
  await killed(children[0]!);
  process.kill(children[1]!.pid!, 'SIGKILL');
  event.set();
  assert.deepEqual([await waits, await children[2]!.result(), await children[3]!.result()], [true, true, true]);
});

test('an aborted signal ends a wait with its reason, before and during it', async () => {
  const event = new Event();
  await assert.rejects(event.wait({ signal: AbortSignal.abort(new Error('before')) }), /before/);
  const controller = new AbortController();
  const waits = event.wait({ signal: controller.signal });
  controller.abort(new Error('during'));
  await assert.rejects(waits, /during/);
  await assert.rejects(event.wait({ signal: AbortSignal.timeout(5) }), { name: 'TimeoutError' });
  event.set();
  assert.equal(await event.wait(), true);
});
