import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ref, Thread, type UnitOptions } from 'manyhands';
import * as targets from './targets.ts';

function started<A extends readonly unknown[], R>(options: UnitOptions<A, R>): Thread<A, R> {
  const thread = new Thread(options);
  thread.start();
  return thread;
}

test('the target runs in a thread of this process, and its value comes back', async () => {
  const thread = started({ target: targets.whereAmI });
  const { threadId } = thread;
  const { pid } = process;
  assert.deepEqual(await thread.result(), {
    isMainThread: false,
    isMainProcess: false,
    main: false,
    pid,
    name: 'MainProcess',
    parent: undefined,
    threadId,
  });
});

test('a target may be async, a generator, an inline function with captured locals, or a reference', async () => {
  const threads = [
    started({ target: targets.later, args: ['late'] }),
    started({ target: targets.count, args: [3] }),
    started({ target: targets.scaledBy({ by: 3, since: new Date(5), big: 2n ** 70n }), args: [4] }),
    started({ target: ref<typeof targets.add>(new URL('./targets.ts', import.meta.url), 'add'), args: [1, 2] }),
  ];
  const results = await Promise.all(threads.map((thread) => thread.result()));
  assert.deepEqual(results, ['late', 'counted to 3', [7, new Date(5), 2n ** 70n], 3]);
});

test('arguments are copied, however large, and keep what they share', async () => {
  const bytes = new Uint8Array(300_000).fill(7);
  const shared = { list: [1.5, null, 3], map: new Map([['a', new Set([1])]]) };
  const thread = started({ target: targets.give<unknown>, args: [{ bytes, one: shared, two: shared }] });
  bytes.fill(0);
  const back = (await thread.result()) as { bytes: Uint8Array; one: object; two: object };
  assert.deepEqual(back.bytes, new Uint8Array(300_000).fill(7));
  assert.equal(back.one, back.two);
  assert.deepEqual(back.one, shared);
});

test('a SharedArrayBuffer is shared with a thread', async () => {
  const words = new Int32Array(new SharedArrayBuffer(16), 4, 2);
  const threads = [1, 2].map(() => started({ target: targets.addTo, args: [words, 1000] }));
  await Promise.all(threads.map((thread) => thread.result()));
  assert.deepEqual([...words], [2000, 0]);
});

test('an error keeps its class, code, cause and the stack of the thread', async () => {
  const thread = started({ target: targets.raiseOrder });
  await assert.rejects(thread.result(), (error: unknown) => {
    assert.ok(error instanceof targets.OrderError);
    assert.equal(error.code, 'ERR_ORDER');
    assert.match(error.stack ?? '', /raiseOrder .*targets\.ts/);
    assert.ok(error.cause instanceof RangeError);
    assert.equal(thread.exit?.error, error);
    return true;
  });
  assert.equal(thread.exit?.kind, 'fatal');
  assert.equal(thread.exitCode, 1);
});

test('what is thrown may be any value', async () => {
  const thread = started({ target: targets.raise, args: [0] });
  await assert.rejects(thread.result(), (error: unknown) => error === 0);
});

test('a thread starts threads and processes of its own', async () => {
  const outer = new Thread({ target: targets.inner, args: [2] });
  const child = started({ target: targets.askProcess, args: [2, 3] });
  outer.start();
  assert.deepEqual(await outer.result(), [`${outer.name}:1`, `${outer.name}:1:1`]);
  assert.equal(await child.result(), 5);
});
