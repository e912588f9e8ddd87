import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../src/codec/decode.ts';
import { encode } from '../../src/codec/encode.ts';

function copy<T>(value: T): T {
  return decode(encode(value, 'value')) as T;
}

type Resizable = ArrayBuffer & { resizable: boolean; maxByteLength: number; resize(byteLength: number): void };
const ResizableArrayBuffer = ArrayBuffer as unknown as new (
  byteLength: number,
  options: { maxByteLength: number },
) => Resizable;

const names = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
];
names.push('BigInt64Array', 'BigUint64Array', 'Float16Array', 'Float32Array', 'Float64Array', 'DataView');

for (const name of names) {
  const View = (globalThis as Record<string, unknown>)[name] as Uint8ArrayConstructor | undefined;
  test(`a ${name} keeps its class, its place and its bytes`, { skip: View === undefined && 'not in this Node' }, () => {
    const buffer = new Uint8Array(64).map((_, i) => i).buffer;
    const view = new View!(buffer, 8, 3);
    const result = copy(view);
    assert.equal(result.constructor, View);
    assert.deepEqual([result.byteOffset, result.byteLength], [8, view.byteLength]);
    assert.deepStrictEqual(new Uint8Array(result.buffer), new Uint8Array(buffer));
  });
}

test('views on one ArrayBuffer still share it', () => {
  const buffer = new ArrayBuffer(16);
  const [bytes, numbers, same] = copy([new Uint8Array(buffer, 4), new Int32Array(buffer), buffer] as const);
  numbers[1] = 0x01020304;
  assert.deepEqual([...bytes.subarray(0, 4)], [4, 3, 2, 1]);
  assert.equal(same, numbers.buffer);
});

test('a resizable ArrayBuffer stays resizable, and views that follow it still do', () => {
  const buffer = new ResizableArrayBuffer(8, { maxByteLength: 32 });
  const [result, following, fixed] = copy([buffer, new Uint8Array(buffer), new Uint8Array(buffer, 0, 8)] as const);
  assert.deepEqual([result.resizable, result.maxByteLength, result.byteLength], [true, 32, 8]);
  result.resize(16);
  assert.deepEqual([following.length, fixed.length], [16, 8]);
});

test('a Buffer stays a Buffer and carries only its own bytes', () => {
  const small = Buffer.from('only this');
  const { head } = encode(small, 'value');
  assert.ok(head.length < 20);
  const result = copy(small);
  assert.ok(Buffer.isBuffer(result));
  assert.equal(result.toString(), 'only this');
  const large = Buffer.alloc(100_000, 'x').subarray(10, 90_010);
  assert.ok(large.equals(copy(large)));
});

test('an ArrayBuffer of 64 KiB is a blob on the same memory, a smaller one is in the head', () => {
  const large = new Uint8Array(64 * 1024);
  const small = new Uint8Array(64 * 1024 - 1);
  const { head, blobs } = encode([large, small, large], 'value');
  assert.equal(blobs.length, 1);
  assert.equal(blobs[0]?.buffer, large.buffer);
  assert.ok(head.length > small.length && head.length < small.length + 100);
});

test('a blob that is all of its ArrayBuffer is taken as it is, any other is copied', () => {
  const { head, blobs } = encode(new Uint8Array(70_000).fill(7), 'value');
  const whole = new Uint8Array(blobs[0]!);
  assert.equal((decode({ head, blobs: [whole] }) as Uint8Array).buffer, whole.buffer);
  const part = new Uint8Array(80_000).fill(7).subarray(8, 70_008);
  const result = decode({ head, blobs: [part] }) as Uint8Array;
  assert.notEqual(result.buffer, part.buffer);
  assert.deepEqual([result.length, result.every((byte) => byte === 7)], [70_000, true]);
});

test('what is decoded shares nothing with the head', () => {
  const { head, blobs } = encode([new Uint8Array([1, 2, 3]), Buffer.from([4])], 'value');
  const result = decode({ head, blobs });
  head.fill(0);
  assert.deepEqual(result, [new Uint8Array([1, 2, 3]), Buffer.from([4])]);
});
