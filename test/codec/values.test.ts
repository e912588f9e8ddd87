import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { decode } from '../../src/codec/decode.ts';
import { encode } from '../../src/codec/encode.ts';

function copy<T>(value: T): T {
  return decode(encode(value, 'value')) as T;
}

test('primitives arrive exactly', () => {
  const values = [
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1,
    127,
    128,
    -1,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    0.1,
    Number.NaN,
  ];
  values.push(Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53);
  for (const value of values) assert.ok(Object.is(copy(value), value), String(value));
  for (const value of [
    0n,
    -1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 63n,
    -(2n ** 63n) - 1n,
    7n ** 1000n,
    -(7n ** 1000n),
  ]) {
    assert.equal(copy(value), value);
  }
});

test('strings arrive exactly, lone surrogates included', () => {
  const pieces = ['', 'a', 'é', 'ÿ', '中', '\ud800', '\udc00', '😀', '\0'];
  for (const piece of pieces) {
    for (const times of [1, 9, 11, 62, 63, 64, 200, 70_000])
      assert.equal(copy(piece.repeat(times)), piece.repeat(times));
  }
});

test('what structured clone copies arrives as structured clone copies it', () => {
  const value = fc.anything({
    // Of the dates only valid ones: Node 22 finds equal Sets that hold an invalid one unequal.
    values: [
      ...[fc.boolean(), fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.constant(undefined)],
      ...[fc.constant(Number.NaN), fc.constant(-0), fc.date({ noInvalidDate: true })],
    ],
    withBigInt: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
    withTypedArray: true,
    withBoxedValues: true,
    maxDepth: 4,
  });
  fc.assert(
    fc.property(value, (original) => assert.deepStrictEqual(copy(original), structuredClone(original))),
    { numRuns: 2000 },
  );
});

test('arrays keep their length, their holes and their other properties', () => {
  const named = Object.assign([1, 0, 'x'], { name: 'n', '-1': 'm', '4294967295': 'no index' });
  delete named[1];
  assert.deepStrictEqual(copy(named), named);
  assert.equal(1 in copy(named), false);
  const long = Object.assign(
    Array.from({ length: 100 }, (_, i) => i),
    { unit: 'ms' },
  );
  assert.deepStrictEqual(copy(long), long);
  const far: number[] = [];
  far[4_294_967_294] = 1;
  far[3] = 3;
  const farCopy = copy(far);
  assert.equal(farCopy.length, 4_294_967_295);
  assert.deepEqual(Object.keys(farCopy), ['3', '4294967294']);
  const tail = [1, 2, ...new Array(5000)];
  tail[4000] = 'late';
  delete tail[100];
  assert.deepStrictEqual(copy(tail), tail);
  assert.equal(copy(new Array(1_000_000)).length, 1_000_000);
});

test('arrays of numbers arrive exactly, whatever the mixture', () => {
  const number = fc.oneof(fc.integer(), fc.double(), fc.constant(-0), fc.constant(Number.NaN));
  fc.assert(
    fc.property(fc.array(number, { minLength: 8, maxLength: 40 }), (numbers) => {
      assert.deepStrictEqual(copy(numbers), numbers);
    }),
  );
  const many = Array.from({ length: 100_000 }, (_, i) => i / 3);
  assert.deepStrictEqual(copy(many), many);
});

test('keys keep their order, and __proto__ is a key like any other', () => {
  const value = JSON.parse('{"b":1,"2":2,"a":3,"1":4,"__proto__":{"x":1}}') as object;
  const result = copy(value);
  assert.deepEqual(Object.keys(result), ['1', '2', 'b', 'a', '__proto__']);
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
  assert.equal(Object.getPrototypeOf(copy(Object.create(null))), Object.prototype);
  const large = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key ${i}`, i]));
  assert.deepStrictEqual(copy(large), large);
});

test('an instance arrives as a plain object of its own enumerable string keys', () => {
  const hidden: unique symbol = Symbol('hidden');
  class Point {
    x = 1;
    #secret = 2;
    [hidden] = 3;
    get sum(): number {
      return this.x + this.#secret;
    }
  }
  const point = Object.defineProperty(new Point(), 'unlisted', { value: 1 });
  Object.defineProperty(point, 'computed', { enumerable: true, get: () => 5 });
  assert.deepStrictEqual(copy(point) as unknown, { x: 1, computed: 5 });
});

test('dates, expressions and boxed values arrive, subclasses and replaced prototypes too', () => {
  class Registry extends Map {}
  const value = [new Date(5), /a+\/b/giu, Object(1), Object('s'), Object(false), Object(2n)];
  assert.deepStrictEqual(copy(value), value);
  assert.ok(Number.isNaN(copy(new Date(Number.NaN)).getTime()));
  assert.deepStrictEqual(copy(new Registry().set(1, 2)) as unknown, new Map([[1, 2]]));
  assert.deepStrictEqual(copy(Object.setPrototypeOf(new Set([1]), Object.prototype)), new Set([1]));
  assert.deepStrictEqual(copy(Object.create(Map.prototype)), {});
});

test('the environment of the process can be copied', () => {
  assert.deepStrictEqual(copy(process.env), { ...process.env });
});

test('values of another realm arrive as those of this one', () => {
  const foreign: unknown = runInContext(
    '({ list: [1], map: new Map([[1, { a: 1 }]]), date: new Date(3) })',
    createContext(),
  );
  assert.deepStrictEqual(copy(foreign), { list: [1], map: new Map([[1, { a: 1 }]]), date: new Date(3) });
});

test('one object in two places is one object afterwards, cycles included', () => {
  const shared = { name: 'shared' };
  const value: Record<string, unknown> = {
    shared,
    list: [shared],
    map: new Map([[shared, shared]]),
    date: new Date(0),
  };
  value.self = value;
  value.set = new Set([value, value.date]);
  const result = copy(value) as typeof value & { list: unknown[]; map: Map<unknown, unknown>; set: Set<unknown> };
  assert.equal(result.self, result);
  assert.equal(result.list[0], result.shared);
  assert.equal(result.map.get(result.shared), result.shared);
  assert.deepEqual([...result.set], [result, result.date]);
});

test('records of one shape write their keys once', () => {
  const records = Array.from({ length: 1000 }, (_, i) => ({ identifier: i % 100, description: 'text' }));
  const { head } = encode(records, 'records');
  assert.equal(Buffer.from(head).toString('latin1').split('identifier').length, 2);
  assert.deepStrictEqual(decode({ head, blobs: [] }), records);
});

test('an object that a getter changes meanwhile is copied as far as it is still there', () => {
  const value: Record<string, unknown> = {
    get first(): number {
      delete value.second;
      value.third = 'changed';
      value.fourth = 'too late';
      return 1;
    },
    second: 2,
    third: 3,
  };
  assert.deepStrictEqual(copy(value), { first: 1, third: 'changed' });
});

test('encoding inside an encoding leaves both whole', () => {
  const inner: unknown[] = [];
  const value = {
    before: 'b',
    get nested(): number {
      inner.push(copy({ before: 'other', list: new Array(10_000).fill('grows the scratch memory') }));
      return 1;
    },
    after: { before: 'b' },
  };
  assert.deepStrictEqual(copy(value), { before: 'b', nested: 1, after: { before: 'b' } });
  assert.equal((inner[0] as { list: unknown[] }).list.length, 10_000);
});

test('a head stays as it is while others are made', () => {
  const heads = Array.from({ length: 2000 }, (_, i) => encode({ i, text: 'x'.repeat(i % 90) }, 'value'));
  for (const [i, head] of heads.entries()) assert.deepStrictEqual(decode(head), { i, text: 'x'.repeat(i % 90) });
  const large = ['large'.repeat(400_000), 'more'];
  const first = encode(large, 'value');
  encode(large.toReversed(), 'value');
  assert.deepStrictEqual(decode(first), large);
});
