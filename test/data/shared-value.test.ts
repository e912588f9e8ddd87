import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Process, type ScalarType, SharedValue, ValidationError } from 'manyhands';
import { collectUntil } from './arena-size.ts';
import * as targets from './targets.ts';
import { run } from './targets.ts';

const bounds: readonly [ScalarType, number | bigint, number | bigint][] = [
  ['int8', -128, 127],
  ['uint8', 0, 255],
  ['int16', -32_768, 32_767],
  ['uint16', 0, 65_535],
  ['int32', -(2 ** 31), 2 ** 31 - 1],
  ['uint32', 0, 2 ** 32 - 1],
  ['int64', -(2n ** 63n), 2n ** 63n - 1n],
  ['uint64', 0n, 2n ** 64n - 1n],
];
const one = (like: number | bigint): never => (typeof like === 'bigint' ? 1n : 1) as never;

describe('a SharedValue in one process', () => {
  for (const [type, min, max] of bounds) {
    test(`of ${type} holds ${min} to ${max}, and nothing else`, () => {
      const value = new SharedValue(type, max as never);
      assert.equal(value.value, max);
      value.value = min as never;
      assert.equal(value.value, min);
      assert.equal(new SharedValue(type).value, typeof min === 'bigint' ? 0n : 0);
      const beyond = [(max as number) + one(max), (min as number) - one(min)];
      for (const bad of [...beyond, 1.5, Number.NaN, '1', null, typeof min === 'bigint' ? 1 : 1n]) {
        assert.throws(() => (value.value = bad as never), ValidationError, String(bad));
        assert.throws(() => new SharedValue(type, bad as never), ValidationError, String(bad));
        assert.throws(() => value.compareExchange(bad as never, min as never), ValidationError, String(bad));
        assert.throws(() => value.compareExchange(min as never, bad as never), ValidationError, String(bad));
      }
      assert.equal(value.value, min);
    });

    test(`of ${type} adds, wraps around, and exchanges, and tells the value before`, () => {
      const value = new SharedValue(type, max as never);
      assert.equal(value.add(one(max)), max);
      assert.equal(value.value, min);
      assert.equal(value.add(-one(max) as never), min);
      assert.equal(value.value, max);
      assert.equal(value.compareExchange(min as never, one(max)), max);
      assert.equal(value.value, max);
      assert.equal(value.compareExchange(max as never, one(max)), max);
      assert.equal(value.value, one(max));
    });
  }

  test('of a float keeps every bit that the type has', () => {
    const value = new SharedValue('float64', Math.PI);
    for (const number of [Math.PI, -0, 5e-324, Number.MAX_VALUE, Number.NaN, Number.NEGATIVE_INFINITY]) {
      value.value = number;
      assert.ok(Object.is(value.value, number), String(number));
    }
    const single = new SharedValue('float32', 0.1);
    assert.equal(single.value, Math.fround(0.1));
    single.value = -0;
    assert.ok(Object.is(single.value, -0));
  });

  test('of a float neither adds nor exchanges, and says what to do', () => {
    const value = new SharedValue('float64', 1);
    assert.throws(() => value.add(1), /add\(\) is for integers, and this is a float64.*lock/);
    assert.throws(() => value.compareExchange(1, 2), { code: 'ERR_VALIDATION' });
    assert.throws(() => (value.value = 1n as never), ValidationError);
  });

  test('an unknown type is told with those there are', () => {
    for (const type of ['int', 'i', '', undefined, null, 5, {}]) {
      assert.throws(() => new SharedValue(type as 'int8'), /one of 'int8', .*'float64'/, String(type));
    }
  });

  test('values stand apart from each other, also when others are collected', async () => {
    const values = Array.from({ length: 500 }, (_, i) => new SharedValue('int32', i));
    for (let i = 0; i < 2000; i++) new SharedValue('int64', -1n);
    await collectUntil(() => true);
    for (let i = 0; i < 500; i++) new SharedValue('uint8', 255);
    assert.deepEqual(
      values.map(({ value }) => value),
      Array.from({ length: 500 }, (_, i) => i),
    );
  });
});

describe('a SharedValue among processes', () => {
  for (const [type, min, max] of bounds) {
    test(`of ${type} arrives as such`, async () => {
      assert.deepEqual(await run(targets.typeAndValue, new SharedValue(type, max as never)), { type, value: max });
      assert.deepEqual(await run(targets.typeAndValue, new SharedValue(type, min as never)), { type, value: min });
    });
  }

  test('add loses nothing, in children and grandchildren', async () => {
    const value = new SharedValue('int32');
    await Promise.all([
      run(targets.addTimes, value, 100_000),
      run(targets.addTimes, value, 100_000),
      run(targets.incrementInGrandchild, value, 100_000),
      targets.addTimes(value, 100_000),
    ]);
    assert.equal(value.value, 400_000);
  });

  test('compareExchange loses nothing', async () => {
    const value = new SharedValue('uint64', 2n ** 32n - 1000n);
    await Promise.all([run(targets.exchangeTimes, value, 20_000), run(targets.exchangeTimes, value, 20_000)]);
    assert.equal(value.value, 2n ** 32n + 39_000n);
  });

  test('under its lock, anything can be done in one', async () => {
    const value = new SharedValue('float64', 0.5);
    await Promise.all([
      run(targets.incrementUnderLock, value, 2000),
      run(targets.incrementUnderLock, value, 2000),
      targets.incrementUnderLock(value, 2000),
    ]);
    assert.equal(value.value, 6000.5);
  });

  test('64 bits are never read half old and half new', async () => {
    const value = new SharedValue('uint64');
    const stop = new SharedValue('uint8');
    const child = new Process({ target: targets.flicker, args: [value, stop] });
    child.start();
    const seen = new Set<bigint>();
    const deadline = performance.now() + 20_000;
    while (seen.size < 2 && performance.now() < deadline) for (let i = 0; i < 10_000; i++) seen.add(value.value);
    for (let i = 0; i < 300_000; i++) seen.add(value.value);
    stop.value = 1;
    await child.result();
    assert.deepEqual([...seen].sort(), [0n, 0xffff_ffff_ffff_ffffn]);
  });

  test('outlives its maker when it came as a result', async () => {
    const value = await run(targets.makeValue, -5n);
    assert.equal(value.value, -5n);
    assert.equal(value.add(1n), -5n);
    assert.equal(await value.lock.run(() => 'free'), 'free');
  });

  test('whoever dies with its lock passes it on', async () => {
    const value = new SharedValue('int32');
    await assert.rejects(run(targets.dieUnderLock, value), /SIGKILL/);
    const lease = await value.lock.acquire({ timeoutMs: 5000 });
    assert.equal(lease.abandoned, true);
    assert.equal(value.value, 1);
    lease.release();
  });
});
