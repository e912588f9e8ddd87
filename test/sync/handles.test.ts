import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, Semaphore } from 'manyhands';
import { runProgram, withProgram } from '../support/program.ts';
import * as captures from './captures.ts';
import { endAll, inChild, start } from './children.ts';
import * as targets from './targets.ts';

afterEach(endAll);

test('objects inside nested values arrive as themselves', async () => {
  const [lock, other] = [new Lock({ name: 'one' }), new Lock({ name: 'other' })];
  const event = new Event();
  const permits = new Semaphore(2);
  await other.acquire();
  await permits.acquire();
  const nested = { list: [lock, lock, other], map: new Map([['permits', permits]]), deep: { event } };
  assert.deepEqual(await inChild(targets.useNested, nested), {
    same: true,
    other: false,
    names: ['lock "one"', 'lock "one"', 'lock "other"'],
    locked: [false, false, true],
    permits: 1,
  });
  assert.equal(event.isSet, true);
});

test('several objects in one list of arguments keep who they are', async () => {
  const [lock, rlock, bounded] = [new Lock(), new RLock(), new BoundedSemaphore(4)];
  const condition = new Condition(rlock);
  await rlock.acquire();
  assert.deepEqual(await inChild(targets.useMany, lock, lock, rlock, bounded, condition), {
    same: true,
    kinds: ['Lock', 'RLock', 'BoundedSemaphore', 'Condition'],
    isReentrant: true,
    sameLock: true,
    isLocked: [false, true],
    value: 4,
  });
});

test('an object that comes back is the one that went', async () => {
  const lock = new Lock({ name: 'there and back' });
  const back = await inChild(targets.giveBack<Lock>, lock);
  assert.ok(back instanceof Lock);
  assert.equal(String(back), String(lock));
  const lease = await back.acquire();
  assert.equal(lock.isLocked, true);
  assert.equal(lock.tryAcquire(), undefined);
  lease.release();
  assert.equal(lock.isLocked, false);
});

test('every kind of object travels there and back', async () => {
  const made = [
    new Lock(),
    new RLock(),
    new Semaphore(2),
    new BoundedSemaphore(2),
    new Condition(),
    new Event(),
    new Barrier(3),
  ];
  const back = await inChild(targets.giveBack<typeof made>, made);
  assert.deepEqual(
    back.map((value) => value.constructor),
    made.map((value) => value.constructor),
  );
  (made[2] as Semaphore).tryAcquire();
  assert.equal((back[2] as Semaphore).value, 1);
  assert.throws(() => (back[3] as BoundedSemaphore).release(), { code: 'ERR_VALIDATION' });
  assert.equal((back[6] as Barrier).parties, 3);
});

test('an object that a child made comes as its result, and outlives it', async () => {
  const child = start(targets.makeLock, 'made below');
  const { lock, again } = await child.result();
  await child.join();
  assert.equal(String(lock), 'lock "made below"');
  assert.equal(lock === again, true);
  // Its maker held it to its end.
  assert.equal((await lock.acquire()).abandoned, true);
  assert.equal(again.isLocked, true);
});

test('a second arrival of an object in a process is the same object', async () => {
  const lock = new Lock();
  const semaphore = new Semaphore(5);
  const [one, two] = await Promise.all([
    inChild(targets.giveBack<[Lock, Semaphore]>, [lock, semaphore]),
    inChild(targets.giveBack<[Lock, Semaphore]>, [lock, semaphore]),
  ]);
  await one[0].acquire();
  assert.equal(two[0].isLocked, true);
  two[0].release();
  assert.equal(lock.isLocked, false);
  one[1].tryAcquire();
  two[1].tryAcquire();
  assert.equal(semaphore.value, 3);
});

test('captured objects are shared with the child', async () => {
  assert.deepEqual(await captures.captured(), [['lock "captured"', true, true], true, 2]);
  assert.equal(await captures.capturedByMethods(), false);
});

test('an object that a module makes is each process’s own', async () => {
  assert.equal(await captures.moduleLock(), false);
});

test('an object that the parent forgets right after the start arrives', async () => {
  const source = `import { forgotten } from '${new URL('captures.ts', import.meta.url).href}'; console.log(await forgotten());`;
  const ended = await withProgram({ 'main.ts': source }, (at) =>
    runProgram(join(at, 'main.ts'), { node: ['--expose-gc'] }),
  );
  assert.equal(ended.stderr, '');
  assert.equal(ended.stdout, `${[0, 1, 2, 3, 4].map((i) => `lock "forgotten ${i}" 1`).join()}\n`);
});
