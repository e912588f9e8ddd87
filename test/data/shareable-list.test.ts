import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ListItem, Process, ShareableList, SharedValue, ValidationError } from 'manyhands';
import { arenaBytes, collectUntil } from './arena-size.ts';
import * as targets from './targets.ts';
import { run } from './targets.ts';

const MiB = 2 ** 20;
const items: ListItem[] = [
  ...[0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 2 ** 53],
  ...[0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)],
  ...[true, false, null],
  ...[
    '',
    'plain',
    'ends with NULs\0\0',
    '\0',
    'é',
    'ÿ',
    'Ā',
    '子进程',
    '👍🏽',
    '\ud800',
    'a\udc00b',
    '\ufeff',
    'x'.repeat(100_000),
  ],
  ...['子'.repeat(3000), new Uint8Array(0), new Uint8Array([1, 0, 0]), new Uint8Array(50_000).fill(7)],
];

describe('a ShareableList in one process', () => {
  test('gives every item back exactly', () => {
    const list = new ShareableList(items);
    assert.equal(list.length, items.length);
    assert.deepEqual([...list], items);
    for (const [i, item] of items.entries()) assert.deepEqual(list.get(i), item);
    assert.ok(Object.is(list.get(1), -0));
  });

  test('takes any item in any place, whatever stood there', () => {
    const list = new ShareableList<ListItem[]>([null, 'neighbour']);
    for (const item of [...items, ...items.toReversed()]) {
      list.set(0, item);
      assert.deepEqual(list.get(0), item);
      assert.equal(list.get(1), 'neighbour');
    }
  });

  test('counts from the end when the index is negative', () => {
    const list = new ShareableList<number[]>([1, 2, 3]);
    assert.deepEqual([list.get(-1), list.get(-3)], [3, 1]);
    list.set(-2, 9);
    assert.deepEqual([...list], [1, 9, 3]);
  });

  test('finds an item by value, bytes by what they are', () => {
    const list = new ShareableList<ListItem[]>([1, '1', 1n, null, new Uint8Array([1]), 1]);
    assert.deepEqual(
      [1, '1', 1n, null, new Uint8Array([1]), new Uint8Array([2]), 'none', false].map((item) => list.indexOf(item)),
      [0, 1, 2, 3, 4, -1, -1, -1],
    );
  });

  test('bytes are copies: what is done to them later is not seen', () => {
    const bytes = new Uint8Array([1, 2]);
    const list = new ShareableList([bytes]);
    bytes[0] = 9;
    (list.get(0) as Uint8Array)[1] = 9;
    assert.deepEqual(list.get(0), new Uint8Array([1, 2]));
    assert.deepEqual(new ShareableList([Buffer.from('ab').subarray(1)]).get(0), new Uint8Array([98]));
  });

  test('of no items, and of very many, works', () => {
    assert.deepEqual([...new ShareableList([])], []);
    const list = new ShareableList(Array.from({ length: 60_000 }, (_, i) => i));
    assert.deepEqual([list.get(59_999), list.get(-60_000), list.indexOf(40_000)], [59_999, 0, 40_000]);
  });

  test('misuse is told at the call', () => {
    const list = new ShareableList<number[]>([1, 2]);
    for (const index of [2, -3, 0.5, Number.NaN, '0', undefined, null, 0n]) {
      assert.throws(() => list.get(index as number), ValidationError, String(index));
      assert.throws(() => list.set(index as number, 1), ValidationError, String(index));
    }
    for (const value of [undefined, {}, [], () => {}, Symbol('s'), new Float64Array(1), 2n ** 63n, -(2n ** 63n) - 1n]) {
      assert.throws(() => list.set(0, value as number), ValidationError, String(value));
      assert.throws(() => new ShareableList([1, value as number]), /values\[1\] is/, String(value));
    }
    for (const values of [undefined, null, 5, 'abc', {}, new Set([1])]) {
      assert.throws(() => new ShareableList(values as unknown as number[]), ValidationError, String(values));
    }
    assert.deepEqual([...list], [1, 2]);
  });
});

describe('a ShareableList among processes', () => {
  test('arrives whole in a child', async () => {
    assert.deepEqual(await run(targets.itemsOf, new ShareableList(items)), items);
  });

  test('what a child or its child sets is seen by all', async () => {
    const list = new ShareableList<ListItem[]>([1, 2]);
    await run(targets.setItem, list, 0, 'long\0'.repeat(10_000));
    await run(targets.setInGrandchild, list, -1, 5n);
    assert.deepEqual([...list], ['long\0'.repeat(10_000), 5n]);
  });

  test('outlives its maker when it came as a result', async () => {
    assert.deepEqual([...(await run(targets.makeList, 'a', 1n, null))], ['a', 1n, null]);
  });

  test('no reader ever sees half an item, also when writers are killed at work', async () => {
    const list = new ShareableList<ListItem[]>([new Uint8Array([1])]);
    const stop = new SharedValue('uint8');
    const churners = [1, 2, 3].map(() => new Process({ target: targets.churn, args: [list, stop] }));
    for (const child of churners) child.start();
    const lengths = new Set<number>();
    const look = (): void => {
      const bytes = list.get(0) as Uint8Array;
      lengths.add(bytes.length);
      assert.ok(bytes.every((byte) => byte === bytes.length % 251));
    };
    const deadline = performance.now() + 20_000;
    while (lengths.size < 20 && performance.now() < deadline) look();
    churners[0]!.kill();
    churners[1]!.kill();
    for (let i = 0; i < 500; i++) look();
    stop.value = 1;
    assert.ok((await churners[2]!.result()) > 0);
    await Promise.all(churners.map((child) => child.join()));
    list.set(0, 'still works');
    assert.equal(list.get(0), 'still works');
  });

  test('replacing items for long needs no more memory', async () => {
    const list = new ShareableList<ListItem[]>([1, 2, 3]);
    await run(targets.setMany, list, 2000);
    const before = arenaBytes();
    await Promise.all([run(targets.setMany, list, 30_000), run(targets.setMany, list, 30_000)]);
    assert.ok(arenaBytes() - before < MiB, `${arenaBytes() - before} bytes`);
  });

  test('its memory is given back when nobody reaches it', async () => {
    const make = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) {
        new ShareableList(['x'.repeat(MiB), new Uint8Array(MiB).fill(1), i]);
        await collectUntil(() => true);
      }
    };
    await make();
    const before = arenaBytes();
    await make();
    assert.ok(await collectUntil(() => arenaBytes() - before < MiB), `${arenaBytes() - before} bytes`);
  });
});
