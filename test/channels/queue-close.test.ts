import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { ClosedError, Queue } from 'manyhands';
import { endAll, inChild, isSettled, start } from '../sync/children.ts';
import { blockedOn, bounded, limit, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

bounded('a queue tells whether it was closed, also while there are items left', async () => {
  const queue = new Queue<number>();
  queue.putSync(1);
  assert.equal(queue.closed, false);
  queue.close();
  assert.deepEqual([queue.closed, queue.size, await queue.get()], [true, 1, 1]);
});

bounded('a closed queue takes nothing more, gives what it has, and then says that it is closed', async () => {
  const queue = new Queue<number>({ name: 'shut' });
  await queue.put(1);
  await queue.put(2);
  await queue.put(3);
  queue.close();
  queue.close();
  await assert.rejects(queue.put(4), (error) => {
    assert.ok(error instanceof ClosedError);
    assert.match(error.message, /queue "shut"/);
    return true;
  });
  assert.throws(() => queue.putSync(4), ClosedError);
  assert.throws(() => queue.tryPut(4), ClosedError);
  assert.equal(queue.size, 3);
  assert.deepEqual([await queue.get(), queue.getSync(limit), queue.tryGet()], [1, 2, { value: 3 }]);
  await assert.rejects(queue.get(), ClosedError);
  assert.throws(() => queue.getSync(limit), ClosedError);
  assert.deepEqual([queue.size, queue.isEmpty], [0, true]);
});

bounded('a full queue that is closed says closed, not full', () => {
  const queue = new Queue<number>({ maxItems: 1 });
  queue.putSync(1);
  queue.close();
  assert.throws(() => queue.tryPut(2), ClosedError);
  assert.throws(() => queue.putSync(2, limit), ClosedError);
});

bounded('disposing closes', async () => {
  const queue = new Queue<number>();
  queue.putSync(1);
  // What `using` does, which Node 22 does not read.
  queue[Symbol.dispose]();
  queue[Symbol.dispose]();
  assert.throws(() => queue.tryPut(2), ClosedError);
  assert.equal(await queue.get(), 1);
});

bounded('a close ends the waits of puts and gets', async () => {
  const [empty, full] = [new Queue<string>(), new Queue<string>({ maxItems: 1 })];
  full.putSync('first');
  const gets = [empty.get(), empty.get()];
  const puts = [full.put('second'), full.put('third')];
  const all = [...gets, ...puts];
  assert.equal(await isSettled(Promise.race(all)), false);
  empty.close();
  full.close();
  for (const one of all) await assert.rejects(one, ClosedError);
  assert.deepEqual([full.size, await full.get()], [1, 'first']);
  await assert.rejects(full.get(), ClosedError, 'what waited at the close was not put');
});

bounded('a close behind puts keeps what they put', async () => {
  const queue = new Queue<number>();
  const puts = [0, 1, 2].map((n) => queue.put(n));
  queue.close();
  await Promise.all(puts);
  assert.deepEqual(await targets.collectToEnd('awaited', queue), [0, 1, 2]);
});

bounded('iteration gives what comes, and ends at the close', async () => {
  const queue = new Queue<number>();
  const collected = targets.collectToEnd('awaited', queue);
  await queue.put(0);
  await queue.put(1);
  assert.equal(await isSettled(collected), false);
  queue.putSync(2);
  queue.close();
  assert.deepEqual(await collected, [0, 1, 2]);
  assert.deepEqual(await targets.collectToEnd('awaited', queue), []);
});

bounded('a loop that is left takes no item more than it saw', async () => {
  const queue = new Queue<number>();
  for (const n of [0, 1, 2]) queue.putSync(n);
  for await (const n of queue) if (n === 1) break;
  assert.deepEqual(queue.tryGet(), { value: 2 });
});

for (const manner of manners) {
  bounded(`a close ends the get and the put for which children wait (${manner})`, async () => {
    const empty = new Queue<unknown>({ name: 'empty' });
    const full = new Queue<unknown>({ maxItems: 1, name: 'full' });
    full.putSync('first');
    const getter = start(targets.codeOfGet, manner, empty);
    const putter = start(targets.codeOfPut, manner, full, 'second');
    await blockedOn(getter, /queue "empty"/);
    await blockedOn(putter, /queue "full"/);
    empty.close();
    full.close();
    assert.deepEqual([await getter.result(), await putter.result()], ['ERR_CLOSED', 'ERR_CLOSED']);
    assert.deepEqual(await targets.collectToEnd('awaited', full), ['first']);
  });

  bounded(`a child gets (${manner}) everything up to the close`, async () => {
    const queue = new Queue<number>({ name: 'till' });
    const child = start(targets.collectToEnd<number>, manner, queue);
    queue.putSync(0);
    await blockedOn(child, /queue "till"/);
    for (const n of [1, 2, 3]) queue.putSync(n);
    queue.close();
    assert.deepEqual(await child.result(), [0, 1, 2, 3]);
  });

  bounded(`what a child put (${manner}) before it exits in the same breath is not lost`, async () => {
    const queue = new Queue<Uint8Array>();
    const child = start(targets.putAndExit, manner, queue, 40, 20_000);
    await child.join();
    assert.equal(child.exitCode, 0);
    assert.equal(queue.size, 40);
    for (let n = 0; n < 40; n++) {
      const block = await queue.get();
      assert.deepEqual([block.length, block.every((byte) => byte === n)], [20_000, true]);
    }
  });

  // Python's deadlock: there the child's end waits until somebody reads.
  bounded(`a parent that joins a child before it reads what it put (${manner}) gets everything`, async () => {
    const queue = new Queue<Uint8Array>();
    const child = start(targets.putBlocks, manner, queue, 200, 2 ** 16);
    if (manner === 'awaited') assert.equal(await child.join(8000), true);
    else assert.equal(child.joinSync(8000), true);
    assert.deepEqual([queue.size, child.exitCode], [200, 0]);
    for (let n = 0; n < 200; n++) {
      const block = await queue.get();
      assert.deepEqual([block.length, block.every((byte) => byte === n)], [2 ** 16, true]);
    }
  });
}

bounded('a child closes the queue for its parent', async () => {
  const queue = new Queue<number>();
  queue.putSync(1);
  const collected = targets.collectToEnd('awaited', queue);
  await inChild(targets.closeIt, queue);
  assert.deepEqual(await collected, [1]);
  assert.throws(() => queue.tryPut(2), ClosedError);
});
