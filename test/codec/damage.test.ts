import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode } from '../../src/codec/decode.ts';
import { encode } from '../../src/codec/encode.ts';
import * as tags from '../../src/codec/tags.ts';
import type { DecodeHooks } from '../../src/codec/types.ts';
import { CloneError } from '../../src/errors.ts';

const hooks: DecodeHooks = { decodeFunction: () => ({ fn: () => 1, fill: () => {} }) };
const holes = new Array(200);
holes[150] = 1;
const sample = {
  numbers: [1, -5, 0.5, 10n, 10n ** 40n],
  texts: ['short', 'é'.repeat(100), '中'.repeat(3)],
  records: [{ a: 1 }, { a: 2 }],
  many: Array.from({ length: 20 }, (_, i) => i),
  halves: Array.from({ length: 20 }, (_, i) => i / 2),
  dictionary: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, i])),
  holes,
  others: [new Date(1), /x/g, Object(1), new Map([[1, 2]]), new Set([1])],
  memory: [new ArrayBuffer(3), new Uint16Array(4), new DataView(new ArrayBuffer(2)), Buffer.from('abc')],
  error: new TypeError('m', { cause: new DOMException('d', 'AbortError') }),
  fn: () => 1,
  large: new Uint8Array(70_000),
};
const whole = encode(sample, 'sample', { encodeFunction: () => ({ image: 1, captured: {} }) });

function onlyCorrupt(head: Uint8Array, blobs = whole.blobs): boolean {
  try {
    decode({ head, blobs }, hooks);
    return true;
  } catch (error) {
    assert.ok(error instanceof CloneError, `not a CloneError: ${String((error as Error).stack)}`);
    assert.equal(error.code, 'ERR_CORRUPT_MESSAGE');
    return false;
  }
}

test('a message cut at any byte, or with more behind it, is called corrupt', () => {
  assert.ok(onlyCorrupt(whole.head));
  for (let length = 0; length < whole.head.length; length++) {
    assert.equal(onlyCorrupt(whole.head.subarray(0, length)), false, `at ${length}`);
  }
  assert.equal(onlyCorrupt(new Uint8Array([...whole.head, 0])), false);
});

test('a message with bytes overwritten is read as something or called corrupt, at once', () => {
  const change = fc.array(fc.tuple(fc.nat(whole.head.length - 1), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(change, (changes) => {
      const head = new Uint8Array(whole.head);
      for (const [at, byte] of changes) head[at] = byte;
      onlyCorrupt(head);
    }),
    { numRuns: 5000 },
  );
});

test('any bytes at all are read as something or called corrupt', () => {
  const byte = fc.oneof(fc.integer({ min: 0, max: 0x20 }), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => void onlyCorrupt(new Uint8Array(bytes), [])),
    { numRuns: 20_000 },
  );
});

test('a count that no message could hold takes neither time nor memory', () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
  const counted = Object.entries(tags).filter(([name]) => /^[A-Z]/.test(name) && !name.startsWith('S')) as [
    string,
    number,
  ][];
  for (const [name, tag] of counted) {
    if (tag < tags.SHORT_STRING && tag !== tags.ARRAY_BUFFER_RESIZABLE)
      assert.equal(onlyCorrupt(new Uint8Array([tag, ...huge])), false, name);
  }
});

test('a missing blob, or one of another length, is called corrupt', () => {
  assert.equal(onlyCorrupt(whole.head, []), false);
  assert.equal(onlyCorrupt(whole.head, [new Uint8Array(10)]), false);
});
