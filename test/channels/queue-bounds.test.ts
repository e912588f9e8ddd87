import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { Queue, TimeoutError, ValidationError } from 'manyhands';
import { endAll, isSettled, start, timed } from '../sync/children.ts';
import { blockedOn, bounded, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

bounded('bounds that are no positive integers are refused, and shown', () => {
  for (const bound of ['maxItems', 'maxBytes']) {
    for (const value of [0, -1, 1.5, Number.NaN, '3', {}]) {
      assert.throws(
        () => new Queue({ [bound]: value } as never),
        (error) => {
          assert.ok(error instanceof ValidationError, `${bound} ${String(value)}: ${String(error)}`);
          assert.ok(error.message.includes(bound) && error.message.includes(String(value)), error.message);
          return true;
        },
      );
    }
  }
  for (const options of [5, 'jobs', null]) {
    assert.throws(() => new Queue(options as never), { name: 'ValidationError', message: /new Queue\(\)/ });
  }
});

bounded('a queue says exactly how full it is', async () => {
  const queue = new Queue<number>({ maxItems: 2 });
  const state = (): unknown[] => [queue.size, queue.isEmpty, queue.isFull];
  assert.deepEqual(state(), [0, true, false]);
  assert.equal(queue.tryPut(1), true);
  assert.deepEqual(state(), [1, false, false]);
  assert.equal(queue.tryPut(2), true);
  assert.deepEqual(state(), [2, false, true]);
  assert.equal(queue.tryPut(3), false);
  assert.deepEqual(state(), [2, false, true]);
  assert.deepEqual(queue.tryGet(), { value: 1 });
  assert.deepEqual(state(), [1, false, false]);
  assert.equal(await queue.get(), 2);
  assert.deepEqual([state(), queue.tryGet()], [[0, true, false], undefined]);
});

bounded('a queue without bounds takes what comes', () => {
  const queue = new Queue<number>();
  for (let n = 0; n < 5000; n++) assert.equal(queue.tryPut(n), true);
  assert.deepEqual([queue.size, queue.isFull], [5000, false]);
  for (let n = 0; n < 5000; n++) assert.equal(queue.tryGet()?.value, n);
});

bounded('a put waits while the queue is full, and goes on once there is room', async () => {
  const queue = new Queue<string>({ maxItems: 1 });
  await queue.put('first');
  const waits = queue.put('second');
  assert.equal(await isSettled(waits), false);
  assert.deepEqual(queue.tryGet(), { value: 'first' });
  await waits;
  assert.deepEqual([queue.size, queue.tryGet()], [1, { value: 'second' }]);
});

for (const manner of manners) {
  bounded(`a child waits (${manner}) with its put until its parent has made room`, async () => {
    const queue = new Queue<string>({ maxItems: 1, name: 'narrow' });
    await queue.put('first');
    const child = start(targets.putIn<string>, manner, queue, 'second');
    await blockedOn(child, /queue "narrow"/);
    assert.equal(child.state, 'blocked');
    assert.equal(queue.size, 1);
    assert.equal(await queue.get(), 'first');
    assert.equal(await queue.get(), 'second');
    await child.result();
  });

  bounded(`a wait of a queue (${manner}) ends at its time, and leaves the queue as it was`, async () => {
    const [empty, full] = [new Queue<string>({ name: 'bare' }), new Queue<string>({ maxItems: 1, name: 'brim' })];
    full.putSync('first');
    const waits: [RegExp, (timeoutMs: number) => Promise<unknown>][] = [
      [/queue "bare"/, (timeoutMs) => targets.getIn(manner, empty, { timeoutMs })],
      [/queue "brim"/, (timeoutMs) => targets.putIn(manner, full, 'second', { timeoutMs })],
    ];
    for (const [name, act] of waits) {
      for (const timeoutMs of [0, 40]) {
        const { ms } = await timed(() =>
          assert.rejects(act(timeoutMs), (error) => {
            assert.ok(error instanceof TimeoutError, String(error));
            assert.match(error.message, name);
            return true;
          }),
        );
        assert.ok(ms >= timeoutMs && ms < timeoutMs + 500, `${ms} ms instead of ${timeoutMs}`);
      }
    }
    await empty.put('item');
    assert.deepEqual([empty.size, await empty.get({ timeoutMs: 0 })], [1, 'item'], 'no get that gave up takes an item');
    assert.deepEqual([full.size, full.tryGet(), full.tryGet()], [1, { value: 'first' }, undefined]);
  });
}

bounded('an aborted signal ends a wait of a queue with its reason, before and during it', async () => {
  const [empty, full] = [new Queue<string>(), new Queue<string>({ maxItems: 1 })];
  full.putSync('first');
  const waits: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => empty.get({ signal }),
    (signal) => full.put('second', { signal }),
    (signal) => full.join({ signal }),
  ];
  for (const act of waits) {
    const before = new Error('before');
    await assert.rejects(act(AbortSignal.abort(before)), (error) => error === before);
    const controller = new AbortController();
    const waiting = act(controller.signal);
    assert.equal(await isSettled(waiting), false);
    controller.abort(0);
    assert.deepEqual(
      await waiting.then(
        () => 'done',
        (error: unknown) => ({ error }),
      ),
      { error: 0 },
    );
  }
  assert.deepEqual([full.size, full.tryGet(), full.tryGet()], [1, { value: 'first' }, undefined]);
  empty.putSync('item');
  const given = new AbortController();
  assert.equal(await empty.get({ signal: given.signal }), 'item');
});

bounded('an aborted signal puts nothing, also when there is room', async () => {
  const queue = new Queue<string>();
  await assert.rejects(queue.put('item', { signal: AbortSignal.abort(new Error('before')) }), /before/);
  assert.equal(queue.size, 0);
  queue.putSync('item');
  await assert.rejects(queue.get({ signal: AbortSignal.abort(new Error('before')) }), /before/);
  assert.equal(queue.size, 1);
});

// The room that an item's frame takes is the implementation's: the numbers leave some.
bounded('maxBytes counts the bytes of typed arrays', async () => {
  const queue = new Queue<Uint8Array>({ maxBytes: 10_000 });
  assert.equal(queue.tryPut(new Uint8Array(6000)), true);
  assert.equal(queue.tryPut(new Uint8Array(6000)), false);
  assert.equal(queue.tryPut(new Uint8Array(2000)), true, 'what is smaller still has room');
  assert.equal(queue.tryPut(new Uint8Array(2500)), false);
  const waits = queue.put(new Uint8Array(6000));
  assert.equal(await isSettled(waits), false);
  assert.equal((await queue.get()).length, 6000);
  await waits;
  assert.equal((await queue.get()).length, 2000);
  assert.equal((await queue.get()).length, 6000);
  assert.equal(queue.tryPut(new Uint8Array(9000)), true, 'what was got counts no more');
});

bounded('maxBytes counts the bytes of other values too', () => {
  const queue = new Queue<unknown>({ maxBytes: 10_000 });
  assert.equal(queue.tryPut({ text: 'x'.repeat(6000) }), true);
  assert.equal(queue.tryPut(['y'.repeat(6000)]), false);
  assert.equal(queue.tryPut('short'), true);
});

bounded('an item larger than maxBytes is admitted when the queue is empty, and only then', async () => {
  const queue = new Queue<Uint8Array>({ maxBytes: 1000 });
  assert.equal(queue.tryPut(new Uint8Array(50_000)), true);
  assert.equal(queue.tryPut(new Uint8Array(1)), false);
  assert.equal((await queue.get()).length, 50_000);
  assert.equal(queue.tryPut(new Uint8Array(1)), true);
  const large = queue.put(new Uint8Array(50_000));
  const behind = queue.put(new Uint8Array(2));
  assert.deepEqual([await isSettled(large), await isSettled(behind)], [false, false], 'nobody overtakes it');
  assert.equal((await queue.get()).length, 1);
  await large;
  assert.equal(await isSettled(behind), false);
  assert.equal((await queue.get()).length, 50_000);
  await behind;
  assert.equal((await queue.get()).length, 2);
});

bounded('each of two bounds holds', async () => {
  const queue = new Queue<Uint8Array>({ maxItems: 2, maxBytes: 10_000 });
  assert.equal(queue.tryPut(new Uint8Array(8000)), true);
  assert.equal(queue.tryPut(new Uint8Array(8000)), false);
  assert.equal(queue.tryPut(new Uint8Array(10)), true);
  assert.equal(queue.isFull, true);
  assert.equal(queue.tryPut(new Uint8Array(1)), false);
  await queue.get();
  assert.equal(queue.tryPut(new Uint8Array(1)), true);
});

for (const manner of manners) {
  bounded(`maxBytes holds back a child (${manner}), and every block comes whole`, async () => {
    const queue = new Queue<Uint8Array>({ maxBytes: 150_000, name: 'blocks' });
    const child = start(targets.putBlocks, manner, queue, 12, 2 ** 16);
    for (let n = 0; n < 12; n++) {
      if (n < 9) await blockedOn(child, /queue "blocks"/);
      assert.ok(queue.size <= 2, `${queue.size}`);
      const block = await queue.get();
      assert.deepEqual([block.length, block.every((byte) => byte === n)], [2 ** 16, true]);
    }
    await child.result();
  });
}
