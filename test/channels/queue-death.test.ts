import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { type Process, Queue, SharedValue } from 'manyhands';
import { until } from '../support/program.ts';
import { endAll, inChild, isSettled, killed, start } from '../sync/children.ts';
import { blockedOn, bounded, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

/** Everything that is in the queue, none of which is still on the way. */
function drain<T>(queue: Queue<T>): T[] {
  const items: T[] = [];
  for (let item = queue.tryGet(); item !== undefined; item = queue.tryGet()) items.push(item.value);
  return items;
}

for (const manner of manners) {
  bounded(`all that a killed producer had put (${manner}) comes in order, and others go on`, async () => {
    const queue = new Queue<targets.Loaded>();
    // At another point of a put each time.
    for (const threshold of [1, 40, 41, 200]) {
      const done = new SharedValue('int32', 0);
      const victim = start(targets.putForEver, manner, queue, done);
      await until(() => done.value >= threshold);
      await killed(victim);
      const size = queue.size;
      const items = drain(queue);
      assert.equal(items.length, size);
      // The last put may have been over without having been counted.
      assert.ok([done.value, done.value + 1].includes(size), `${size} came of ${done.value} puts`);
      for (const [i, { n, load }] of items.entries()) {
        assert.equal(n, i, 'no gap');
        assert.equal(load.length, n % 5 === 0 ? 20_000 : n % 50);
        assert.ok(load.every((byte) => byte === (n & 0xff)));
      }
      await inChild(targets.putIn<targets.Loaded>, manner, queue, { n: -1, load: new Uint8Array(1) });
      assert.equal((await queue.get()).n, -1);
      assert.equal(queue.isEmpty, true);
    }
  });

  bounded(`a producer that is killed while its parent gets (${manner}) stops nobody`, async () => {
    const queue = new Queue<targets.Loaded>({ maxItems: 3 });
    const done = new SharedValue('int32', 0);
    const victim = start(targets.putForEver, manner, queue, done);
    let next = 0;
    for (; next < 50; next++) assert.equal((await queue.get()).n, next);
    let isOver = false;
    const ended = killed(victim).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const item = queue.tryGet();
      if (item !== undefined) assert.equal(item.value.n, next++);
      await new Promise(setImmediate);
    }
    await ended;
    for (const { n } of drain(queue)) assert.equal(n, next++);
    assert.ok([done.value, done.value + 1].includes(next), `${next} came of ${done.value} puts`);
    await queue.put({ n: -1, load: new Uint8Array(0) });
    assert.equal((await queue.get()).n, -1);
    assert.equal(queue.size, 0);
  });

  bounded(`the item for which a killed consumer waited (${manner}) goes to the next`, async () => {
    const queue = new Queue<string>({ name: 'wanted' });
    const victim = start(targets.getIn<string>, manner, queue);
    await blockedOn(victim as unknown as Process, /queue "wanted"/);
    const heir = start(targets.getIn<string>, manner, queue);
    await blockedOn(heir as unknown as Process, /queue "wanted"/);
    await killed(victim);
    queue.putSync('item');
    assert.equal(await heir.result(), 'item');
    assert.equal(queue.size, 0);
  });

  bounded(`an item given to a consumer that is being killed (${manner}) is not lost`, async () => {
    const queue = new Queue<string>({ name: 'given' });
    const victim = start(targets.getIn<string>, manner, queue);
    await blockedOn(victim as unknown as Process, /queue "given"/);
    // Stopped, it cannot take what it is given before it dies.
    victim.suspend();
    queue.putSync('a');
    const here = queue.get();
    await killed(victim);
    assert.equal(await here, 'a');
    queue.putSync('b');
    assert.equal(await queue.get(), 'b');
  });

  bounded(`a consumer that is killed amid its gets (${manner}) takes nothing along but what it got`, async () => {
    const queue = new Queue<number>({ name: 'rest' });
    const done = new SharedValue('int32', 0);
    for (let n = 0; n < 30_000; n++) queue.putSync(n);
    const victim = start(targets.getForEver, manner, queue, done);
    await until(() => done.value >= 50);
    victim.kill();
    await victim.join();
    const items = drain(queue);
    const first = 30_000 - items.length;
    assert.ok([done.value, done.value + 1].includes(first), `${first} are gone after ${done.value} gets`);
    assert.deepEqual(
      items,
      items.map((_, i) => first + i),
    );
    await inChild(targets.putIn<number>, manner, queue, -1);
    assert.equal(await queue.get(), -1);
  });

  bounded(`a producer killed while it waits (${manner}) for room is passed over`, async () => {
    const queue = new Queue<string>({ maxItems: 1, name: 'full' });
    await queue.put('first');
    const victim = start(targets.putIn<string>, manner, queue, 'of the dead');
    await blockedOn(victim, /queue "full"/);
    const heir = start(targets.putIn<string>, manner, queue, 'second');
    await blockedOn(heir, /queue "full"/);
    await killed(victim);
    assert.deepEqual([queue.size, await queue.get(), await queue.get()], [1, 'first', 'second']);
    await heir.result();
    const behind = queue.get();
    behind.catch(() => {});
    assert.equal(await isSettled(behind), false, 'nothing of the dead comes behind');
    queue.close();
  });
}
