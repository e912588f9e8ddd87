import assert from 'node:assert/strict';
import { afterEach, describe } from 'node:test';
import { BufferTooShortError, type Connection, pipe, StateError, ValidationError } from 'manyhands';
import { endAll, isSettled, start } from '../sync/children.ts';
import { bounded, limit } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

bounded('bytes arrive as bytes, of whatever view they are', async () => {
  const [a, b] = pipe();
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
  const views: [ArrayBufferView, number[]][] = [
    [bytes, [...bytes]],
    [bytes.subarray(3, 6), [3, 4, 5]],
    [new DataView(bytes.buffer, 1, 2), [1, 2]],
    [new Uint16Array([0x0201, 0x0403]), [1, 2, 3, 4]],
    [new Float64Array(2), Array(16).fill(0)],
    [Buffer.from('pooled'), [...Buffer.from('pooled')]],
  ];
  for (const [view] of views) await a.sendBytes(view);
  for (const [, expected] of views) {
    const received = await b.recvBytes();
    assert.ok(received instanceof Uint8Array);
    assert.deepEqual([...received], expected);
  }
});

bounded('no bytes at all are a message', async () => {
  const [a, b] = pipe();
  await a.sendBytes(new Uint8Array(0));
  assert.equal(await b.poll(), true);
  assert.equal((await b.recvBytes()).length, 0);
  assert.equal(await b.poll(), false);
  await a.sendBytes(new Uint8Array(0));
  assert.equal(await b.recvBytesInto(new Uint8Array(0)), 0);
  assert.equal(await b.poll(), false);
});

bounded('recv gives the bytes of sendBytes, between the values of send', async () => {
  const [a, b] = pipe<unknown>();
  await a.send('before');
  await a.sendBytes(new Uint8Array([1, 2]));
  await a.sendBytes(new Uint8Array([3]));
  await a.send('behind');
  assert.equal(await b.recv(), 'before');
  assert.deepEqual(await b.recv(), new Uint8Array([1, 2]));
  assert.deepEqual(b.recvSync(limit), new Uint8Array([3]));
  assert.equal(await b.recv(), 'behind');
});

bounded('recvBytes refuses a message of send, which stays', async () => {
  const [a, b] = pipe<unknown>();
  for (const value of ['text', new Uint8Array([1])]) {
    await a.send(value);
    await assert.rejects(b.recvBytes(), StateError);
    await assert.rejects(b.recvBytesInto(new Uint8Array(100)), StateError);
    assert.deepEqual(await b.recv(), value);
    assert.equal(await b.poll(), false);
  }
});

bounded('recvBytes that waits is told of a message of send just the same', async () => {
  const [a, b] = pipe<unknown>();
  const waits = b.recvBytes();
  waits.catch(() => {});
  assert.equal(await isSettled(waits), false);
  a.sendSync('text');
  await assert.rejects(waits, StateError);
  assert.equal(await b.recv(), 'text');
});

bounded('bytes are changed neither by their sender afterwards nor by another receiver', async () => {
  const [a, b] = pipe();
  const bytes = new Uint8Array(100_000).fill(1);
  await a.sendBytes(bytes);
  bytes.fill(2);
  await a.sendBytes(bytes);
  const one = await b.recvBytes();
  const two = await b.recvBytes();
  one.fill(9);
  assert.deepEqual([one.length, two.length], [100_000, 100_000]);
  assert.ok(two.every((byte) => byte === 2));
  await a.sendBytes(bytes.fill(1));
  bytes.fill(3);
  assert.ok((await b.recvBytes()).every((byte) => byte === 1));
});

bounded('large bytes go to a child and back exactly', async () => {
  const [own, there] = pipe<unknown>();
  const child = start(targets.echoOver, 'awaited', there, 1);
  const bytes = Uint8Array.from({ length: 2_000_003 }, (_, i) => i % 251);
  await own.sendBytes(bytes);
  const back = (await own.recv()) as Uint8Array;
  assert.equal(Buffer.compare(back, bytes), 0);
  await child.result();
});

describe('recvBytesInto', () => {
  bounded('writes into its target, tells how much, and touches nothing else', async () => {
    const [a, b] = pipe();
    const memory = new Uint8Array(8).fill(9);
    await a.sendBytes(new Uint8Array([1, 2, 3]));
    assert.equal(await b.recvBytesInto(memory.subarray(2, 7)), 3);
    assert.deepEqual([...memory], [9, 9, 1, 2, 3, 9, 9, 9]);
    await a.sendBytes(new Uint8Array([4, 5]));
    assert.equal(await b.recvBytesInto(memory.subarray(0, 2)), 2);
    assert.deepEqual([...memory], [4, 5, 1, 2, 3, 9, 9, 9]);
  });

  bounded('gives the whole message with the error when its target is too small, and leaves the target', async () => {
    const [a, b] = pipe();
    const target = new Uint8Array(2).fill(9);
    await a.sendBytes(new Uint8Array([1, 2, 3]));
    await a.sendBytes(new Uint8Array([4]));
    await assert.rejects(b.recvBytesInto(target), (error) => {
      assert.ok(error instanceof BufferTooShortError, String(error));
      assert.deepEqual([...error.bytes], [1, 2, 3]);
      return true;
    });
    assert.deepEqual([...target], [9, 9]);
    // As in Python, the error has taken the message.
    assert.deepEqual(await b.recvBytes(), new Uint8Array([4]));
  });

  bounded('refuses a target that is no bytes, and takes nothing', async () => {
    const [a, b] = pipe();
    await a.sendBytes(new Uint8Array([1]));
    for (const target of [undefined, 5, 'x', [], new ArrayBuffer(8)]) {
      await assert.rejects(b.recvBytesInto(target as never), ValidationError);
    }
    assert.equal((await b.recvBytes()).length, 1);
  });
});

bounded('sendBytes refuses what is no view, and sends nothing', async () => {
  const [a, b] = pipe();
  for (const bytes of ['text', new ArrayBuffer(2), [1, 2], 5, null, undefined]) {
    await assert.rejects(a.sendBytes(bytes as never), (error) => {
      assert.ok(error instanceof ValidationError, String(error));
      assert.match(error.message, /sendBytes\(\)/);
      return true;
    });
  }
  assert.equal(await b.poll(), false);
});

describe('an option of a connection that makes no sense is refused where it is given', () => {
  const bad: [unknown, RegExp][] = [
    [{ timeoutMs: -1 }, /timeoutMs .* is -1/],
    [{ timeoutMs: 'x' }, /timeoutMs .* is x/],
    [5, /takes an object, .* got 5/],
    [null, /takes an object/],
  ];
  const calls: Record<string, (end: Connection, options: never) => Promise<unknown>> = {
    recv: (end, options) => end.recv(options),
    recvBytes: (end, options) => end.recvBytes(options),
    recvBytesInto: (end, options) => end.recvBytesInto(new Uint8Array(9), options),
    recvSync: async (end, options) => end.recvSync(options),
  };
  for (const [name, call] of Object.entries(calls)) {
    bounded(name, async () => {
      const [a, b] = pipe();
      await a.sendBytes(new Uint8Array([7]));
      const cases = name === 'recvSync' ? bad : [...bad, [{ signal: {} }, /signal must be an AbortSignal/] as const];
      for (const [options, message] of cases) {
        await assert.rejects(call(b, options as never), (error) => {
          assert.ok(error instanceof ValidationError, String(error));
          assert.match(error.message, message);
          assert.ok(error.message.includes(`${name}()`), `${error.message} names the call`);
          return true;
        });
      }
      assert.deepEqual(await b.recv(), new Uint8Array([7]), 'a refused call takes nothing');
    });
  }

  bounded('poll', async () => {
    const [a, b] = pipe();
    await a.send(1);
    for (const timeoutMs of [-1, Number.NaN, 'x', null]) {
      await assert.rejects(b.poll(timeoutMs as never), { name: 'ValidationError', message: /poll\(\).*timeoutMs/ });
    }
  });
});
