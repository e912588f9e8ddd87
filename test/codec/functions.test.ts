import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../src/codec/decode.ts';
import { encode } from '../../src/codec/encode.ts';
import type { AnyFunction, DecodeHooks, EncodeHooks } from '../../src/codec/types.ts';

const captured = new Map<AnyFunction, Record<string, unknown>>();
const paths: string[] = [];
const encodeHooks: EncodeHooks = {
  encodeFunction(fn, path) {
    paths.push(path);
    // Hooks may encode in turn.
    encode({ name: fn.name, more: ['x'.repeat(40_000)] }, 'inner');
    return { image: { name: fn.name, list: [1] }, captured: captured.get(fn) ?? {} };
  },
};

interface Revived extends AnyFunction {
  captured?: Record<string, unknown>;
}
const decodeHooks: DecodeHooks = {
  decodeFunction(image) {
    const { name } = image as { name: string };
    const fn: Revived = Object.defineProperty(() => name, 'name', { value: name });
    let filled = 0;
    return {
      fn,
      fill(values) {
        assert.equal(++filled, 1);
        fn.captured = values;
      },
    };
  },
};

function copy<T>(value: T): T {
  return decode(encode(value, 'args', encodeHooks), decodeHooks) as T;
}

test('a function travels as its image, with its captured variables', () => {
  function first(): void {}
  captured.set(first, { limit: 5, list: [1, 2] });
  const result = copy([{ callback: first }, first, { callback: first }]);
  const fn = result[1] as Revived;
  assert.equal(fn.name, 'first');
  assert.deepEqual(fn.captured, { limit: 5, list: [1, 2] });
  assert.deepEqual(result, [{ callback: fn }, fn, { callback: fn }]);
});

test('functions that capture each other, themselves and the value around them arrive so', () => {
  function even(): void {}
  function odd(): void {}
  const value = { even, odd };
  captured.set(even, { odd, even, value });
  captured.set(odd, { even });
  const result = copy(value) as unknown as { even: Revived; odd: Revived };
  assert.equal(result.even.captured?.odd, result.odd);
  assert.equal(result.even.captured?.even, result.even);
  assert.equal(result.even.captured?.value, result);
  assert.equal(result.odd.captured?.even, result.even);
});

test('the hook is told where the function is, and a captured value that cannot travel is named', () => {
  function outer(): void {}
  function inner(): void {}
  captured.set(inner, {});
  captured.set(outer, { options: { inner, 'odd name': [Symbol('s')] } });
  paths.length = 0;
  assert.throws(() => copy([{ outer }]), {
    code: 'ERR_CANNOT_CLONE',
    message: /^captured variable options\["odd name"\]\[0\] of args\[0\]\.outer \(Symbol\(s\)\) cannot be copied/,
  });
  assert.deepEqual(paths, ['args[0].outer', 'captured variable options.inner of args[0].outer']);
});

test('what the hooks throw passes through, and the next encoding is whole', () => {
  const thrown = new Error('mine');
  const hooks: EncodeHooks = {
    encodeFunction() {
      throw thrown;
    },
  };
  assert.throws(
    () => encode([() => 1], 'args', hooks),
    (error) => error === thrown,
  );
  assert.deepEqual(copy({ a: [1] }), { a: [1] });
  const failing: DecodeHooks = {
    decodeFunction() {
      throw thrown;
    },
  };
  const encoded = encode(() => 1, 'target', encodeHooks);
  assert.throws(
    () => decode(encoded, failing),
    (error) => error === thrown,
  );
  assert.throws(() => decode(encoded), { code: 'ERR_CORRUPT_MESSAGE' });
});
