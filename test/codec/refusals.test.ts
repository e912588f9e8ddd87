import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { encode } from '../../src/codec/encode.ts';
import { CloneError } from '../../src/errors.ts';

function refused(value: unknown, message: RegExp): void {
  assert.throws(
    () => encode([{ inner: value }], 'args'),
    (error) => {
      assert.ok(error instanceof CloneError);
      assert.equal(error.code, 'ERR_CANNOT_CLONE');
      assert.match(error.message, /^args\[0\]\.inner \(/);
      assert.match(error.message, message);
      return true;
    },
  );
}

test('what belongs to this process is refused, by its name and with a way out', async () => {
  refused(function save() {}, /\(the function save\) cannot be copied to another process: only functions/);
  refused(class {}, /\((the function|an anonymous function)/);
  refused(Symbol('x'), /\(Symbol\(x\)\).*pass a string/);
  refused(Object(Symbol('x')), /a Symbol/);
  refused(new Proxy({}, {}), /\(a Proxy\)/);
  refused(new Proxy([], {}), /\(a Proxy\)/);
  refused(new Proxy(() => 1, {}), /\(a Proxy\)/);
  refused(Promise.resolve(), /\(a Promise\).*await it/);
  refused(new (class Later extends Promise<void> {})(() => {}), /\(a Later\).*await it/);
  for (const weak of [new WeakMap(), new WeakSet(), new WeakRef({})]) refused(weak, /\(a Weak\w+\).*cannot be listed/);
  refused((function* () {})(), /\[\.\.\.iterator\]/);
  refused((async function* () {})(), /\[\.\.\.iterator\]/);
  refused(new Map().entries(), /\[\.\.\.iterator\]/);
  refused([1].values(), /\[\.\.\.iterator\]/);
  refused(await import('node:os'), /import it there/);
  refused(new SharedArrayBuffer(8), /SharedArrayBuffer cannot be shared with another process; use SharedArray/);
  refused(new Uint8Array(new SharedArrayBuffer(8)), /\(a Uint8Array\).*use SharedArray/);
  refused(Buffer.from(new SharedArrayBuffer(8)), /\(a Buffer\).*use SharedArray/);
  refused(new URL('http://a/'), /\(a URL\).*url\.href/);
  refused(new URLSearchParams('a=1'), /\(a URLSearchParams\).*params\.toString/);
});

test('streams, handles and objects of the platform are refused', async () => {
  refused(new Socket(), /\(a Socket\).*it holds resources of this process/);
  refused(new (class Bus extends EventEmitter {})(), /\(a Bus\).*it holds resources of this process/);
  refused(new EventTarget(), /\(an EventTarget\)/);
  refused(new AbortController().signal, /\(an AbortSignal\)/);
  refused(new AbortController(), /\(an AbortController\)/);
  refused(new Blob(['x']), /\(a Blob\).*arrayBuffer/);
  refused(new ReadableStream(), /\(a ReadableStream\)/);
  refused(new Headers(), /\(a Headers\)/);
  refused(createSecretKey(Buffer.alloc(8)), /export/);
  refused(await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']), /export/);
  refused(new Intl.NumberFormat(), /\(a NumberFormat\)/);
  refused(new FinalizationRegistry(() => {}), /\(a FinalizationRegistry\)/);
  const { port1, port2 } = new MessageChannel();
  refused(port1, /\(a MessagePort\)/);
  port1.close();
  port2.close();
  const file = await open('/dev/null');
  refused(file, /\(a FileHandle\)/);
  await file.close();
  const { TCP } = (
    process as unknown as { binding(name: string): Record<string, new (type: number) => object> }
  ).binding('tcp_wrap');
  const { emitWarning } = process;
  process.emitWarning = () => {};
  refused(new TCP!(0), /\(a TCP\).*an object of Node\.js/);
  process.emitWarning = emitWarning;
});

test('memory that was transferred away is refused', () => {
  const buffer = new ArrayBuffer(8);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  refused(buffer, /\(an ArrayBuffer\).*transferred away/);
  refused(view, /\(a Uint8Array\).*transferred away/);
});

test('the path leads through every kind of container', () => {
  const found = (value: unknown): string => {
    try {
      encode(value, 'args');
      return '';
    } catch (error) {
      return (error as Error).message.split(' cannot be copied')[0]!;
    }
  };
  const no = Symbol('no');
  assert.equal(found(no), 'args (Symbol(no))');
  assert.equal(found([[0, no]]), 'args[0][1] (Symbol(no))');
  assert.equal(found({ 'a b': { $c: no } }), 'args["a b"].$c (Symbol(no))');
  assert.equal(found({ m: new Map([['k', { x: no }]]) }), 'args.m.get("k").x (Symbol(no))');
  assert.equal(found(new Map([[{ x: no }, 1]])).startsWith('args (key { x: Symbol(no) }).x ('), true);
  assert.equal(found(new Set([[no]])).startsWith('args (member [ Symbol(no) ])[0] ('), true);
  assert.equal(found([new Error('kept', { cause: no }), no]), 'args[1] (Symbol(no))');
});

test('a getter that throws is the cause of the refusal, which names it', () => {
  const thrown = new Error('inside');
  const value = {
    get bad(): never {
      throw thrown;
    },
  };
  assert.throws(() => encode([value], 'args'), {
    code: 'ERR_CANNOT_CLONE',
    message: /^args\[0\]\.bad /,
    cause: thrown,
  });
  const list = Object.defineProperty(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    3,
    Object.getOwnPropertyDescriptor(value, 'bad')!,
  );
  assert.throws(() => encode(list, 'args'), { message: /^args\[3\] /, cause: thrown });
});

test('what is nested too deeply for the stack is refused, and the codec works on', () => {
  let value: unknown = 1;
  for (let i = 0; i < 100_000; i++) value = i % 2 === 0 ? [value] : { value };
  assert.throws(() => encode(value, 'args'), {
    code: 'ERR_CANNOT_CLONE',
    message: /^args cannot .* nested too deeply/,
  });
  assert.ok(encode([1], 'args').head.length < 10);
});
