import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PlatformError, Process, SharedArray, type TypedArrayConstructor, ValidationError } from 'manyhands';
import { arenaBytes, collectUntil } from './arena-size.ts';
import * as targets from './targets.ts';
import { run } from './targets.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const classes = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
  ...('Float16Array' in globalThis ? [(globalThis as { Float16Array?: unknown }).Float16Array] : []),
] as TypedArrayConstructor[];

describe('a SharedArray in one process', () => {
  for (const type of classes) {
    test(`of ${type.name} has its first values, and begins with 0 when given a length`, () => {
      const values = type.name.startsWith('Big') ? [1n, 2n, 100n] : [1, 2, 100];
      const array = new SharedArray(type, values as number[]);
      assert.deepEqual([...(array.view as Iterable<unknown>)], values);
      assert.equal(array.view.constructor, type);
      const zeroed = new SharedArray(type, 5000);
      assert.equal(zeroed.length, 5000);
      assert.ok((zeroed.view as Int8Array).every((value) => Number(value) === 0));
    });
  }

  test('has one view, at the start of an ArrayBuffer as long as it', () => {
    const array = new SharedArray(Float64Array, 3);
    assert.equal(array.view, array.view);
    assert.equal(array.view.byteOffset, 0);
    assert.equal(array.view.buffer.byteLength, 24);
    assert.equal(array.lock, array.lock);
  });

  test('of length 0 works', async () => {
    const array = new SharedArray(Int16Array, 0);
    assert.deepEqual([array.length, array.view.length, new SharedArray(Int16Array, []).length], [0, 0, 0]);
    assert.deepEqual(await run(targets.classAndValues, array), { name: 'Int16Array', values: [] });
  });

  test('takes its first values from any array-like', () => {
    assert.deepEqual([...new SharedArray(Uint8Array, new Float64Array([1, 2])).view], [1, 2]);
    assert.deepEqual([...new SharedArray(Float64Array, { length: 2, 0: 1.5, 1: -0 }).view], [1.5, -0]);
    assert.deepEqual([...new SharedArray(Uint8Array, new SharedArray(Uint8Array, [7, 8]).view).view], [7, 8]);
  });

  test('memory is not handed out twice: many arrays of many sizes keep their own values', async () => {
    const arrays: SharedArray<Uint32ArrayConstructor>[] = [];
    for (let i = 1; i < 400; i++) {
      const array = new SharedArray(Uint32Array, (i * 7919) % 20_000);
      assert.ok(
        array.view.every((value) => value === 0),
        `array ${i} begins with 0`,
      );
      array.view.fill(i);
      arrays[i % 97] = array;
      if (i % 50 === 0) await collectUntil(() => true);
    }
    for (const array of arrays) if (array?.length) assert.equal(new Set(array.view).size, 1);
  });

  test('misuse is told at the call', () => {
    const make = (type: unknown, source: unknown) => () =>
      new SharedArray(type as Int8ArrayConstructor, source as number);
    for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined, {}, () => {}, 5n]) {
      if (bad === '5') assert.throws(make(Int8Array, bad), /values\[0\] is 5/);
      else assert.throws(make(Int8Array, bad), { name: 'ValidationError', code: 'ERR_VALIDATION' }, String(bad));
    }
    for (const type of [undefined, null, Array, DataView, 'Int8Array', Buffer, Object.getPrototypeOf(Int8Array)]) {
      assert.throws(make(type, 1), ValidationError, String(type));
    }
    assert.throws(make(BigInt64Array, [1n, 2]), /values must be bigints, and values\[1\] is 2/);
    assert.throws(make(Int8Array, [1, 'x']), /values must be numbers, and values\[1\] is x/);
  });

  test('more memory than there is is refused, not promised', () => {
    const full = (error: unknown) => error instanceof PlatformError && error.code === 'ERR_OUT_OF_MEMORY';
    assert.throws(() => new SharedArray(Uint8Array, 64 * GiB), full);
    assert.throws(() => new SharedArray(Float64Array, 2 ** 36), full);
    assert.equal(new SharedArray(Uint8Array, 10).length, 10);
  });
});

describe('a SharedArray among processes', () => {
  test('is the same memory in a child and in its child', async () => {
    const array = new SharedArray(Float64Array, 10_000);
    await run(targets.addToAll, array, 1);
    await run(targets.addInGrandchild, array, 2);
    assert.ok(array.view.every((value) => value === 3));
  });

  for (const type of classes) {
    test(`of ${type.name} arrives as such`, async () => {
      const values = type.name.startsWith('Big') ? [1n, 3n] : [1, 3];
      const seen = await run(targets.classAndValues, new SharedArray(type, values as number[]));
      assert.deepEqual(seen, { name: type.name, values });
    });
  }

  test('has one lock for all', async () => {
    const array = new SharedArray(Int32Array, 20);
    await Promise.all([
      run(targets.addUnderLock, array, 500),
      run(targets.addUnderLock, array, 500),
      targets.addUnderLock(array, 500),
    ]);
    assert.deepEqual(new Set(array.view), new Set([1500]));
  });

  test('of 1 GiB is handed over without a copy', { timeout: 60_000 }, async () => {
    const big = new SharedArray(Float64Array, GiB / 8);
    const small = new SharedArray(Float64Array, 1);
    big.view[GiB / 8 - 1] = 42;
    const startMs = async (array: SharedArray<Float64ArrayConstructor>): Promise<number> => {
      const child = new Process({ target: targets.lengthOf, args: [array] });
      const before = process.cpuUsage();
      child.start();
      const { user, system } = process.cpuUsage(before);
      assert.equal(await child.result(), array.length);
      return (user + system) / 1000;
    };
    const bigs: number[] = [];
    const smalls: number[] = [];
    for (let i = 0; i < 9; i++) {
      smalls.push(await startMs(small));
      bigs.push(await startMs(big));
    }
    const [quickBig, quickSmall] = [Math.min(...bigs), Math.min(...smalls)];
    // A copy takes a tenth of a second and more.
    assert.ok(quickBig < quickSmall + 20, `${quickBig} ms against ${quickSmall} ms`);
    const { value, lookMs } = await run(targets.lookAt, big, big.length - 1);
    assert.equal(value, 42);
    assert.ok(lookMs < 250, `first look: ${lookMs} ms`);
  });

  test('of 3 GiB costs only what is touched', { timeout: 60_000 }, async (t) => {
    const before = arenaBytes();
    let array: SharedArray<Float64ArrayConstructor>;
    try {
      array = new SharedArray(Float64Array, (3 * GiB) / 8);
    } catch (error) {
      return t.skip(`this machine has not as much memory: ${(error as Error).message}`);
    }
    array.view[0] = 1;
    array.view[2 ** 28] = 2;
    array.view[array.length - 1] = 3;
    assert.equal((await run(targets.lookAt, array, array.length - 1)).value, 3);
    assert.equal((await run(targets.lookAt, array, 2 ** 28)).value, 2);
    assert.ok(arenaBytes() - before < 8 * MiB, `${arenaBytes() - before} bytes`);
  });
});

describe('the memory of a SharedArray', () => {
  test('goes back to the kernel when nobody reaches it', async () => {
    await collectUntil(() => true);
    const before = arenaBytes();
    (() => new SharedArray(Uint8Array, 64 * MiB).view.fill(1))();
    assert.ok(arenaBytes() - before >= 64 * MiB);
    assert.ok(await collectUntil(() => arenaBytes() - before < MiB), `${arenaBytes() - before} bytes are left`);
  });

  test('stays as long as a view of it can be reached', async () => {
    const view = (() => new SharedArray(Uint8Array, 8 * MiB).view.fill(7).subarray(100))();
    for (let i = 0; i < 10; i++) {
      await collectUntil(() => true);
      new SharedArray(Uint8Array, 8 * MiB).view.fill(9);
    }
    assert.ok(view.every((value) => value === 7));
  });

  test('outlives a child that held it too, and its maker when it came as a result', async () => {
    const made = await run(targets.makeSquares, 1000);
    assert.equal(made.view[999], 999 * 999);
  });

  test('is freed when its only holder was killed', async () => {
    const given = new SharedArray(Uint8Array, 10);
    await collectUntil(() => true);
    const before = arenaBytes();
    for (let i = 0; i < 3; i++) await assert.rejects(run(targets.dieHolding, given, 32 * MiB + i), /SIGKILL/);
    assert.equal(given.view[0], 2);
    assert.ok(arenaBytes() - before < 2 * MiB, `${arenaBytes() - before} bytes are left`);
  });

  test('is freed when the child that it was for was killed before it got it', async () => {
    await collectUntil(() => true);
    const before = arenaBytes();
    const start = (): Process<[SharedArray<Uint8ArrayConstructor>, number], void> => {
      const array = new SharedArray(Uint8Array, 16 * MiB);
      array.view.fill(1);
      const child = new Process({ target: targets.dieHolding, args: [array, 1] });
      child.start();
      child.kill();
      return child;
    };
    for (let i = 0; i < 3; i++) await start().join();
    assert.ok(await collectUntil(() => arenaBytes() - before < MiB), `${arenaBytes() - before} bytes are left`);
  });

  test('is there for a child although its parent let go of it at once', async () => {
    const start = (): Promise<{ value: number; lookMs: number }> =>
      run(targets.lookAt, new SharedArray(Float64Array, [5]), 0);
    const results = [start(), start(), start()];
    for (let i = 0; i < 3; i++) await collectUntil(() => true);
    assert.deepEqual(
      (await Promise.all(results)).map(({ value }) => value),
      [5, 5, 5],
    );
  });

  test('travels in what was thrown', async () => {
    const error = await run(targets.throwWithArray).then(
      () => assert.fail('it throws'),
      (thrown: { array: SharedArray<Uint8ArrayConstructor> }) => thrown,
    );
    assert.deepEqual([...error.array.view], [1, 2, 3]);
  });

  test('is handed out once, however many processes make and drop arrays and are killed meanwhile', async () => {
    const stop = new SharedArray(Int32Array, 1);
    const children = [1, 2, 3, 4].map((mark) => new Process({ target: targets.makeAndDrop, args: [stop, mark] }));
    for (const child of children) child.start();
    const made = [await targets.makeAndDrop(stop, 9, 50)];
    children[0]!.kill();
    children[1]!.kill();
    made.push(await targets.makeAndDrop(stop, 9, 50));
    stop.view[0] = 1;
    made.push(...(await Promise.all([children[2]!.result(), children[3]!.result()])));
    await Promise.all(children.map((child) => child.join()));
    assert.ok(
      made.every((count) => count > 0),
      String(made),
    );
  });

  test('thousands of arrays made and dropped leave the arena no larger', { timeout: 60_000 }, async () => {
    const make = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        new SharedArray(Int32Array, 1 + (i % 3000)).view[0] = i;
        if (i % 1000 === 0) await collectUntil(() => true);
      }
      await collectUntil(() => true);
    };
    await make(3000);
    const before = arenaBytes();
    await make(6000);
    assert.ok(await collectUntil(() => arenaBytes() - before < MiB), `${arenaBytes() - before} bytes`);
  });
});
