import assert from 'node:assert/strict';
import { afterEach, describe } from 'node:test';
import { type Process, Queue, Semaphore, TimeoutError, ValidationError } from 'manyhands';
import { endAll, isSettled, start } from '../sync/children.ts';
import { blockedOn, bounded, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

describe('tasks', () => {
  bounded('join resolves at once when nothing was put', async () => {
    await new Queue().join({ timeoutMs: 0 });
  });

  bounded('join waits until every item that was put is marked done, not only got', async () => {
    const queue = new Queue<number>();
    await queue.put(1);
    await queue.put(2);
    const joined = queue.join();
    await queue.get();
    queue.taskDone();
    await queue.get();
    assert.equal(queue.size, 0);
    assert.equal(await isSettled(joined), false);
    queue.taskDone();
    await joined;
    await queue.join();
  });

  bounded('an item put while somebody joins is waited for too', async () => {
    const queue = new Queue<number>();
    await queue.put(1);
    const joined = queue.join();
    await queue.put(2);
    await queue.get();
    queue.taskDone();
    assert.equal(await isSettled(joined), false);
    await queue.get();
    queue.taskDone();
    await joined;
  });

  bounded('a put that waits, or failed, is no task', async () => {
    const queue = new Queue<unknown>({ maxItems: 1 });
    await queue.put(1);
    assert.equal(queue.tryPut(2), false);
    await assert.rejects(queue.put(2, { timeoutMs: 0 }), TimeoutError);
    await assert.rejects(queue.put(() => 2));
    await queue.get();
    queue.taskDone();
    await queue.join({ timeoutMs: 0 });
  });

  bounded('taskDone more often than items were got is refused', async () => {
    const queue = new Queue<number>({ name: 'chores' });
    const refused = (): void =>
      assert.throws(
        () => queue.taskDone(),
        (error) => {
          assert.ok(error instanceof ValidationError);
          assert.match(error.message, /taskDone\(\)/);
          return true;
        },
      );
    refused();
    await queue.put(1);
    await queue.put(2);
    refused();
    queue.tryGet();
    queue.taskDone();
    refused();
    await assert.rejects(queue.join({ timeoutMs: 0 }), TimeoutError, 'a refused mark marks nothing');
    await queue.get();
    queue.taskDone();
    await queue.join();
  });

  bounded('join ends at its time', async () => {
    const queue = new Queue<number>();
    await queue.put(1);
    await assert.rejects(queue.join({ timeoutMs: 20 }), TimeoutError);
  });

  bounded('a parent joins what its children have dealt with', async () => {
    const queue = new Queue<number>({ name: 'work' });
    const seen = new Semaphore(0);
    const children = [0, 1].map(() => start(targets.workToEnd, queue, seen));
    for (let n = 0; n < 50; n++) await queue.put(n);
    await queue.join();
    assert.deepEqual([queue.size, seen.value], [0, 50]);
    queue.close();
    const done = await Promise.all(children.map((child) => child.result()));
    assert.equal(done[0]! + done[1]!, 50);
  });
});

describe('names', () => {
  bounded('a queue shows its kind and its name', () => {
    assert.equal(String(new Queue()), 'queue');
    assert.equal(String(new Queue({ maxItems: 1 })), 'queue');
    assert.equal(String(new Queue({ name: 'jobs' })), 'queue "jobs"');
  });

  bounded('a name of a queue that is none is refused', () => {
    for (const name of [5, null, {}]) {
      assert.throws(() => new Queue({ name: name as never }), {
        name: 'ValidationError',
        message: /name must be a string/,
      });
    }
  });

  for (const manner of manners) {
    bounded(`a child that waits in get (${manner}) is blocked on the queue by its name`, async () => {
      const queue = new Queue<number>({ name: 'jobs' });
      const child = start(targets.getIn<number>, manner, queue);
      await blockedOn(child as unknown as Process, /queue "jobs"/);
      assert.equal(child.state, 'blocked');
      await queue.put(7);
      assert.equal(await child.result(), 7);
    });
  }
});

describe('an option of a queue that makes no sense is refused where it is given', () => {
  const bad: [unknown, RegExp][] = [
    [{ timeoutMs: -1 }, /timeoutMs .* is -1/],
    [{ timeoutMs: Number.NaN }, /timeoutMs .* is NaN/],
    [{ timeoutMs: 'x' }, /timeoutMs .* is x/],
    [{ timeoutMs: null }, /timeoutMs .* is null/],
    [5, /takes an object, .* got 5/],
    [null, /takes an object/],
  ];
  const awaited: Record<string, (queue: Queue<number>, options: never) => Promise<unknown>> = {
    put: (queue, options) => queue.put(1, options),
    get: (queue, options) => queue.get(options),
    join: (queue, options) => queue.join(options),
  };
  const blocking: Record<string, (queue: Queue<number>, options: never) => unknown> = {
    putSync: (queue, options) => queue.putSync(1, options),
    getSync: (queue, options) => queue.getSync(options),
  };

  for (const [name, call] of Object.entries({ ...awaited, ...blocking })) {
    bounded(name, async () => {
      const queue = new Queue<number>();
      // All of these calls would succeed with sound options.
      if (name.startsWith('get')) queue.putSync(7);
      const size = queue.size;
      const cases = name in awaited ? [...bad, [{ signal: {} }, /signal must be an AbortSignal/] as const] : bad;
      for (const [options, message] of cases) {
        const matches = (error: unknown): boolean => {
          assert.ok(error instanceof ValidationError, String(error));
          assert.match(error.message, message);
          assert.ok(error.message.includes(`${name}()`), `${error.message} names the call`);
          return true;
        };
        if (name in awaited) await assert.rejects(call(queue, options as never) as Promise<unknown>, matches);
        else assert.throws(() => call(queue, options as never), matches);
      }
      assert.equal(queue.size, size);
    });
  }
});
