import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Coroutine, checkpoint, currentUnit, Event, Lock, Queue, StateError, ValidationError, wait } from 'manyhands';
import { started, until } from './started.ts';

test('the target of an async function runs after start() has returned, and its value is the result', async () => {
  const log: string[] = [];
  const coroutine = new Coroutine({ target: async (n: number) => log.push(`target ${n}`), args: [7] });
  coroutine.start();
  log.push('started');
  assert.equal(await coroutine.result(), 2);
  assert.deepEqual(log, ['started', 'target 7']);
});

test('generators and async generators run to their end, and what they return is the result', async () => {
  function* counted(n: number): Generator<number, string> {
    for (let i = 0; i < n; i++) yield i;
    return 'counted';
  }
  async function* awaited(): AsyncGenerator<number, string> {
    yield 1;
    await checkpoint();
    return 'awaited';
  }
  assert.equal(await started(counted, 3).result(), 'counted');
  assert.equal(await started(awaited).result(), 'awaited');
});

test('coroutines take turns at each yield and each checkpoint', async () => {
  const log: string[] = [];
  function* generator(name: string): Generator {
    for (let i = 0; i < 3; i++) {
      log.push(`${name}${i}`);
      yield;
    }
  }
  const pair = [started(generator, 'a'), started(generator, 'b')];
  await Promise.all(pair.map((one) => one.result()));
  assert.deepEqual(log, ['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
});

test('what it is given is not copied', async () => {
  const list: number[] = [];
  await started(async (to: number[]) => to.push(1), list).result();
  assert.deepEqual(list, [1]);
});

test('state and waitingFor tell of its own waits, not of those of others', async () => {
  const lock = new Lock({ name: 'accounts' });
  const queue = new Queue({ name: 'jobs' });
  const lease = await lock.acquire();
  const onLock = started(async () => (await lock.acquire()).release());
  const onQueue = started(async () => queue.get());
  const onOther = started(async () => onLock.join());
  assert.deepEqual([onLock.state, onLock.waitingFor], ['ready', undefined]);
  await until(() => onOther.state === 'blocked' && onQueue.state === 'blocked');
  assert.deepEqual(
    [onLock, onQueue, onOther].map(({ state, waitingFor }) => `${state}: ${waitingFor}`),
    ['blocked: lock "accounts"', 'blocked: queue "jobs"', `blocked: coroutine "${onLock.name}"`],
  );
  assert.equal(inspect(onLock), `<Coroutine '${onLock.name}' blocked>`);
  lease.release();
  await queue.put(1);
  await Promise.all([onLock.join(), onQueue.join(), onOther.join()]);
  assert.deepEqual([onLock.state, onLock.waitingFor], ['terminated', undefined]);
});

test('its state is running where its own code asks, and while it gives way; blocked while it awaits a promise', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen: string[] = [];
  const coroutine: Coroutine<[], void> = new Coroutine({
    async target() {
      seen.push(coroutine.state);
      await promise;
    },
  });
  coroutine.start();
  await until(() => coroutine.state === 'blocked');
  assert.deepEqual([seen, coroutine.waitingFor], [['running'], 'an event (timer, I/O or message)']);
  resolve();
  await coroutine.join();

  let isOver = false;
  const busy = started(async () => {
    while (!isOver) await checkpoint();
  });
  await until(() => busy.state === 'running');
  isOver = true;
  await busy.join();
});

test('currentUnit() is the coroutine, also in what it calls and sets going, and the process outside', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const coroutine = new Coroutine({
    name: 'inner',
    async target() {
      await checkpoint();
      setImmediate(() => resolve(currentUnit()));
      return currentUnit();
    },
  });
  coroutine.start();
  assert.deepEqual(await coroutine.result(), { kind: 'coroutine', name: 'inner' });
  assert.deepEqual(await promise, { kind: 'coroutine', name: 'inner' });
  assert.deepEqual(currentUnit(), { kind: 'process', name: 'MainProcess' });
});

test('what the caller of start() has in an AsyncLocalStorage is there in the target', async () => {
  const storage = new AsyncLocalStorage<string>();
  const target = async () => {
    await checkpoint();
    return storage.getStore();
  };
  const [first, second] = ['one', 'two'].map((value) => storage.run(value, () => started(target)));
  assert.deepEqual([await first?.result(), await second?.result()], ['one', 'two']);
});

test('a coroutine cannot be joined by blocking, nor by itself', async () => {
  const coroutine: Coroutine<[], Promise<boolean>> = started(async () => coroutine.join());
  await assert.rejects(coroutine.result(), { code: 'ERR_STATE', message: /cannot join itself/ });
  assert.throws(() => coroutine.joinSync(), { code: 'ERR_STATE', message: /runs in this thread/ });
});

test('wait() waits for coroutines beside other objects', async () => {
  const event = new Event();
  const coroutine = started(async () => event.wait());
  const never = new Event();
  const waiting = wait([never, coroutine]);
  event.set();
  assert.deepEqual(await waiting, [coroutine]);
});

test('an option that only processes have is refused, with the reason', () => {
  const options = { target: async () => {}, nice: 3 };
  assert.throws(() => new Coroutine(options), { name: 'ValidationError', message: /"nice".*Only a Process/ });
  assert.throws(() => new Coroutine({ target: class {} as never }), ValidationError);
});

test('one that was disposed before its start cannot be started', async () => {
  const coroutine = new Coroutine({ target: async () => {} });
  await coroutine[Symbol.asyncDispose]();
  assert.throws(() => coroutine.start(), StateError);
});
