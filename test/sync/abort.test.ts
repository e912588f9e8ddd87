import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Event, Semaphore } from 'manyhands';

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

test('all waits of one signal hang on one listener, which goes with the last of them', async () => {
  const { signal } = new AbortController();
  const semaphore = new Semaphore(0);
  for (let round = 0; round < 2; round++) {
    const waits = [1, 2, 3].map(() => semaphore.acquire({ signal }));
    assert.equal(listeners(signal), 1);
    semaphore.release(2);
    await Promise.all(waits.slice(0, 2));
    assert.equal(listeners(signal), 1);
    semaphore.release();
    await waits[2];
    assert.equal(listeners(signal), 0);
  }
});

test('an abort ends all waits of its signal, whatever they are for, and no other', async () => {
  const [controller, other] = [new AbortController(), new AbortController()];
  const semaphore = new Semaphore(0);
  const event = new Event();
  const given = [1, 2].map(() => semaphore.acquire({ signal: controller.signal }));
  const waits = [...given, event.wait({ signal: controller.signal })];
  const stays = semaphore.acquire({ signal: other.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  for (const wait of waits) await assert.rejects(wait, reason);
  assert.deepEqual([listeners(controller.signal), listeners(other.signal)], [0, 1]);
  semaphore.release();
  await stays;
});

test('a wait that ended is not ended again by an abort, although another one took its place', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const semaphore = new Semaphore(0);
  const lasting = semaphore.acquire({ signal });
  semaphore.release();
  await lasting;
  const free = semaphore.acquire();
  controller.abort();
  semaphore.release();
  await free;
});
