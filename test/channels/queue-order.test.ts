import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { Queue, TimeoutError } from 'manyhands';
import { endAll, inChild, isSettled, start } from '../sync/children.ts';
import { blockedOn, bounded, limit, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

const upTo = (count: number): number[] => [...Array(count).keys()];

bounded('items come out in the order in which they went in, however they were put and got', async () => {
  const queue = new Queue<number>();
  for (const n of upTo(300)) {
    if (n % 3 === 0) await queue.put(n);
    else if (n % 3 === 1) queue.putSync(n);
    else assert.equal(queue.tryPut(n), true);
    assert.equal(queue.size, n + 1);
  }
  for (const n of upTo(300)) {
    const value =
      n % 3 === 1 ? await queue.get() : n % 3 === 2 ? queue.getSync(limit) : (queue.tryGet() ?? assert.fail()).value;
    assert.equal(value, n);
    assert.equal(queue.size, 299 - n);
  }
  assert.deepEqual([queue.isEmpty, queue.tryGet()], [true, undefined]);
});

bounded('puts called one after another keep their order also when they have to wait', async () => {
  const queue = new Queue<number>({ maxItems: 2 });
  const puts = upTo(20).map((n) => queue.put(n));
  assert.deepEqual([await isSettled(puts[1]!), await isSettled(puts[2]!)], [true, false]);
  for (const n of upTo(20)) {
    assert.ok(queue.size <= 2, `${queue.size}`);
    assert.equal(await queue.get(), n);
  }
  await Promise.all(puts);
});

bounded('a put that came later does not overtake those that wait', async () => {
  const queue = new Queue<string>({ maxItems: 1 });
  await queue.put('first');
  const waits = queue.put('second');
  assert.equal(queue.tryPut('third'), false);
  assert.equal(await queue.get(), 'first');
  assert.equal(queue.tryPut('third'), false, 'the free place belongs to the one that waits');
  await waits;
  assert.equal(await queue.get(), 'second');
  assert.equal(queue.size, 0);
});

bounded('gets are served in the order of the calls', async () => {
  const queue = new Queue<number>();
  const served: number[] = [];
  const gets = upTo(20).map(async (i) => {
    const n = await queue.get();
    served.push(i);
    return n;
  });
  assert.equal(await isSettled(gets[0]!), false);
  for (const n of upTo(20)) queue.putSync(n);
  assert.deepEqual(await Promise.all(gets), upTo(20));
  assert.deepEqual(served, upTo(20));
});

bounded('an item belongs to the get that waits, not to a tryGet that comes later', async () => {
  const queue = new Queue<string>();
  const waits = queue.get();
  assert.equal(await isSettled(waits), false);
  queue.putSync('for whoever waits');
  assert.equal(queue.tryGet(), undefined);
  assert.equal(await waits, 'for whoever waits');
});

bounded('gets and puts that gave up are passed over, and leave nothing', async () => {
  const queue = new Queue<string>({ maxItems: 1 });
  const controller = new AbortController();
  const gets = [queue.get({ timeoutMs: 5 }), queue.get({ signal: controller.signal }), queue.get()];
  await assert.rejects(gets[0]!, TimeoutError);
  controller.abort(new Error('enough'));
  await assert.rejects(gets[1]!, /enough/);
  queue.putSync('for the third');
  assert.equal(await gets[2]!, 'for the third');

  queue.putSync('first');
  const other = new AbortController();
  const puts = [
    queue.put('in time', { timeoutMs: 5 }),
    queue.put('aborted', { signal: other.signal }),
    queue.put('put'),
  ];
  await assert.rejects(puts[0]!, TimeoutError);
  other.abort(new Error('enough'));
  await assert.rejects(puts[1]!, /enough/);
  assert.equal(await queue.get(), 'first');
  await puts[2]!;
  assert.equal(await queue.get(), 'put');
  assert.equal(queue.size, 0);
});

for (const manner of manners) {
  bounded(`what a child puts (${manner}) comes in order`, async () => {
    const queue = new Queue<targets.Item>({ maxItems: 7 });
    const child = start(targets.putRange, manner, queue, 1, 100);
    for (const n of upTo(100)) {
      const item = n % 2 === 0 ? await queue.get() : queue.getSync(limit);
      assert.deepEqual(item, { by: 1, n });
    }
    await child.result();
    assert.equal(queue.size, 0);
  });

  bounded(`what a child gets (${manner}) comes in order, also while it waits`, async () => {
    const queue = new Queue<number>({ name: 'jobs' });
    const child = start(targets.collect<number>, manner, queue, 100);
    for (const n of upTo(100)) {
      if (n % 25 === 0) await blockedOn(child, /queue "jobs"/);
      if (n % 2 === 0) await queue.put(n);
      else queue.putSync(n, limit);
    }
    assert.deepEqual(await child.result(), upTo(100));
  });
}

bounded('puts that a child calls at once keep their order through a small queue', async () => {
  const queue = new Queue<number>({ maxItems: 3 });
  const child = start(targets.putAtOnce, queue, 60);
  for (const n of upTo(60)) assert.equal(await queue.get(), n);
  await child.result();
});

bounded('processes that wait in get are served in the order in which they came', async () => {
  const queue = new Queue<string>({ name: 'line' });
  const children = [];
  for (const manner of [...manners, ...manners]) {
    const child = start(targets.getIn<string>, manner, queue);
    await blockedOn(child, /queue "line"/);
    children.push(child);
  }
  for (const [i, item] of ['a', 'b', 'c', 'd'].entries()) {
    queue.putSync(item);
    assert.equal(await children[i]!.result(), item);
  }
});

bounded('processes that wait in put are served in the order in which they came', async () => {
  const queue = new Queue<string>({ maxItems: 1, name: 'full' });
  await queue.put('first');
  const children = [];
  for (const [i, manner] of [...manners, ...manners].entries()) {
    const child = start(targets.putIn<string>, manner, queue, `put ${i}`);
    await blockedOn(child, /queue "full"/);
    children.push(child);
  }
  assert.deepEqual(await targets.collect('awaited', queue, 5), ['first', 'put 0', 'put 1', 'put 2', 'put 3']);
  for (const child of children) await child.result();
});

for (const maxItems of [1, 4, undefined]) {
  bounded(`with ${maxItems ?? 'any number of'} items at most, nothing is lost or doubled among many`, async () => {
    const [producers, count] = [3, 150];
    const queue = new Queue<targets.Item>(maxItems === undefined ? {} : { maxItems });
    const consumers = manners.map((manner) => start(targets.collectToEnd<targets.Item>, manner, queue));
    const here = targets.collectToEnd('awaited', queue);
    const puts = manners.map((manner, by) => start(targets.putRange, manner, queue, by, count).result());
    await Promise.all([...puts, targets.putRange('awaited', queue, producers - 1, count)]);
    queue.close();
    const got = await Promise.all([here, ...consumers.map((child) => child.result())]);
    for (const items of got) {
      for (const by of upTo(producers)) {
        const numbers = items.filter((item) => item.by === by).map((item) => item.n);
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
          `a consumer saw the items of producer ${by} out of order`,
        );
      }
    }
    const names = got.flat().map(({ by, n }) => `${by}:${n}`);
    const expected = upTo(producers).flatMap((by) => upTo(count).map((n) => `${by}:${n}`));
    assert.deepEqual(names.toSorted(), expected.toSorted());
  });
}

bounded('a thread that blocks is not held up by its own coroutines, which cannot go on', async () => {
  const queue = new Queue<string>({ maxItems: 1 });
  queue.putSync('first');
  const put = queue.put('awaited');
  assert.equal(queue.getSync(limit), 'first');
  // The awaited put has been told to come by now.
  queue.putSync('blocking', limit);
  const gets = [queue.get(), queue.get()];
  assert.deepEqual(await Promise.all(gets), ['blocking', 'awaited']);
  await put;
  const late = queue.get();
  queue.putSync('again', limit);
  assert.equal(queue.getSync(limit), 'again');
  queue.putSync('last', limit);
  assert.equal(await late, 'last');
});

bounded('a queue of a grandchild’s parent is the same queue', async () => {
  const queue = new Queue<targets.Item>();
  await inChild(targets.putFromGrandchild, queue, 5);
  assert.deepEqual(
    await targets.collect('awaited', queue, 5),
    upTo(5).map((n) => ({ by: 2, n })),
  );
  assert.equal(queue.size, 0);
});
