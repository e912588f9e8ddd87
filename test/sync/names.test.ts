import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore, ValidationError } from 'manyhands';
import { inChild } from './children.ts';
import * as targets from './targets.ts';

const makers: Record<string, (options?: { name?: string }) => object> = {
  lock: (options) => new Lock(options),
  rlock: (options) => new RLock(options),
  semaphore: (options) => new Semaphore(1, options),
  condition: (options) => new Condition(undefined, options),
  event: (options) => new Event(options),
  barrier: (options) => new Barrier(2, options),
};

for (const [kind, make] of Object.entries(makers)) {
  test(`a ${kind} shows its kind and its name`, () => {
    assert.equal(String(make()), kind);
    assert.equal(String(make({})), kind);
    assert.equal(String(make({ name: '' })), kind);
    assert.equal(String(make({ name: 'Konto "β" 账户' })), `${kind} "Konto "β" 账户"`);
  });

  test(`a name of a ${kind} that is none is refused`, () => {
    for (const name of [5, null, {}]) {
      assert.throws(
        () => make({ name: name as never }),
        (error) => {
          assert.ok(error instanceof ValidationError);
          assert.match(error.message, /name must be a string/);
          return true;
        },
      );
    }
    assert.throws(() => make('accounts' as never), { name: 'ValidationError', message: /takes an object.*accounts/ });
  });
}

test('names arrive in other processes', async () => {
  const made = [
    ...Object.values(makers).map((make) => make({ name: 'far 远' })),
    new BoundedSemaphore(1, { name: 'far' }),
  ];
  assert.deepEqual(await inChild(targets.titles, made), made.map(String));
});

test('a name that is too long is cut between characters', () => {
  assert.equal(String(new Lock({ name: 'x'.repeat(100) })), `lock "${'x'.repeat(60)}"`);
  assert.equal(String(new Lock({ name: '账'.repeat(30) })), `lock "${'账'.repeat(20)}"`);
  assert.equal(String(new Lock({ name: `x${'账'.repeat(30)}` })), `lock "x${'账'.repeat(19)}"`);
  assert.equal(String(new Lock({ name: '😀'.repeat(20) })), `lock "${'😀'.repeat(15)}"`);
});

test('two objects of one name are two', async () => {
  const [one, other] = [new Lock({ name: 'same' }), new Lock({ name: 'same' })];
  await one.acquire();
  assert.equal(other.isLocked, false);
});
