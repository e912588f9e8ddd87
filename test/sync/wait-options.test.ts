import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, ValidationError } from 'manyhands';

const lockLike = { Lock: () => new Lock(), RLock: () => new RLock(), Semaphore: () => new Semaphore(1) };
const awaited: Record<string, (options: never) => Promise<unknown>> = {
  ...Object.fromEntries(
    Object.entries(lockLike).map(([name, make]) => [`${name}.acquire`, (options: never) => make().acquire(options)]),
  ),
  'Event.wait': (options) => new Event().wait(options),
  'Condition.acquire': (options) => new Condition().acquire(options),
  'Condition.wait': async (options) => {
    const condition = new Condition();
    await condition.acquire();
    return condition.wait(options);
  },
  'Condition.waitFor': (options) => new Condition().waitFor(() => true, options),
  'Barrier.wait': (options) => new Barrier(2).wait(options),
  'Lock.run': (options) => new Lock().run(() => 1, options),
};
const blocking: Record<string, (options: never) => unknown> = {
  ...Object.fromEntries(
    Object.entries(lockLike).map(([name, make]) => [
      `${name}.acquireSync`,
      (options: never) => make().acquireSync(options),
    ]),
  ),
  'Event.waitSync': (options) => new Event().waitSync(options),
  'Barrier.waitSync': (options) => new Barrier(2).waitSync(options),
};
const bad: [unknown, RegExp][] = [
  [{ timeoutMs: -1 }, /timeoutMs must be a number of milliseconds, 0 or more, and is -1/],
  [{ timeoutMs: Number.NaN }, /timeoutMs .* is NaN/],
  [{ timeoutMs: '5' }, /timeoutMs .* is 5/],
  [{ timeoutMs: null }, /timeoutMs .* is null/],
  [5, /takes an object, \{ timeoutMs \}, and got 5/],
  [null, /takes an object/],
];

describe('an option that makes no sense is refused where it is given', () => {
  for (const [name, call] of Object.entries(awaited)) {
    test(name, async () => {
      for (const [options, message] of [...bad, [{ signal: {} }, /signal must be an AbortSignal/] as const]) {
        await assert.rejects(call(options as never), (error) => {
          assert.ok(error instanceof ValidationError, String(error));
          assert.match(error.message, message);
          return true;
        });
      }
    });
  }
  for (const [name, call] of Object.entries(blocking)) {
    test(name, () => {
      for (const [options, message] of bad) {
        assert.throws(
          () => call(options as never),
          (error) => error instanceof ValidationError && message.test(error.message),
          `${name} ${JSON.stringify(options)}`,
        );
      }
    });
  }
});

test('a refused wait takes nothing', async () => {
  const lock = new Lock();
  const semaphore = new Semaphore(1);
  await assert.rejects(lock.acquire({ timeoutMs: -1 }));
  await assert.rejects(semaphore.acquire({ timeoutMs: -1 }));
  assert.deepEqual([lock.isLocked, semaphore.value], [false, 1]);
});

test('times without end, undefined ones and fractions are times', async () => {
  const lock = new Lock();
  for (const timeoutMs of [Number.POSITIVE_INFINITY, undefined, 0.5, 2 ** 40]) {
    const lease = await lock.acquire({ timeoutMs: timeoutMs as number });
    const waits = lock.acquire(timeoutMs === 0.5 ? {} : { timeoutMs: timeoutMs as number });
    lease.release();
    (await waits).release();
  }
});

describe('numbers', () => {
  const cases: [string, (value: never) => unknown, unknown[], RegExp][] = [
    [
      'new Semaphore()',
      (value) => new Semaphore(value),
      [-1, 1.5, Number.NaN, '1', 2 ** 28, null, {}],
      /value must be/,
    ],
    ['new BoundedSemaphore()', (value) => new BoundedSemaphore(value), [-1, 0.1, '1'], /value must be/],
    ['Semaphore.release()', (value) => new Semaphore(1).release(value), [0, -1, 1.5, '1'], /n must be/],
    ['new Barrier()', (value) => new Barrier(value), [0, -1, 1.5, '2', undefined], /parties must be/],
    ['Condition.notify()', (value) => new Condition().notify(value), [-1, 1.5, '1'], /number of waiters/],
  ];
  for (const [call, act, values, message] of cases) {
    test(`${call} refuses what is no number of it, and shows it`, () => {
      for (const value of values.filter((one) => one !== null)) {
        assert.throws(
          () => act(value as never),
          (error) => {
            assert.ok(error instanceof ValidationError, `${call} ${String(value)}: ${String(error)}`);
            assert.match(error.message, message);
            assert.ok(error.message.includes(String(value)), error.message);
            return true;
          },
        );
      }
    });
  }

  test('a semaphore may have 2^28 − 1 permits, and no more', () => {
    const most = 2 ** 28 - 1;
    const semaphore = new Semaphore(most - 1);
    semaphore.release();
    assert.equal(semaphore.value, most);
    assert.throws(() => semaphore.release(), ValidationError);
    semaphore.acquireSync();
    assert.equal(semaphore.value, most - 1);
  });
});

test('a condition over something else than a lock, and an action that is none, are refused', () => {
  for (const lock of [{}, 'lock', new Semaphore(1), null]) {
    assert.throws(() => new Condition(lock as never), { name: 'ValidationError', message: /takes a Lock or an RLock/ });
  }
  assert.throws(() => new Barrier(2, { action: 5 as never }), { name: 'ValidationError', message: /action/ });
  assert.throws(() => new Barrier(2, { timeoutMs: -1 }), { name: 'ValidationError', message: /timeoutMs/ });
});
