import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { afterEach } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CloneError, Event, Lock, Queue, SharedArray, TimeoutError } from 'manyhands';
import { until } from '../support/program.ts';
import { endAll, isSettled, start } from '../sync/children.ts';
import { bounded, limit, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

function everyKind(): unknown[] {
  const circle: Record<string, unknown> = { name: 'circle' };
  circle.self = circle;
  const map = new Map<unknown, unknown>([['list', [1, undefined, 3]]]);
  return [
    undefined,
    null,
    true,
    -0,
    Number.NaN,
    2n ** 70n,
    '',
    'Konto "β" 账户 😀',
    new Date(86_400_000),
    /a+/giu,
    map,
    new Set([map, 'x']),
    { deep: { list: [{ n: 1 }] } },
    circle,
    new Uint8Array([1, 2, 255]),
    new Float64Array(0),
    new BigInt64Array([-1n]),
    new DataView(new ArrayBuffer(3), 1),
    new ArrayBuffer(5),
  ];
}

bounded('values of all kinds arrive as they were', async () => {
  const queue = new Queue<unknown>();
  for (const value of everyKind()) await queue.put(value);
  for (const value of everyKind()) assert.deepEqual(await queue.get(), value);
});

for (const manner of manners) {
  bounded(`values of all kinds travel to a child and back (${manner})`, async () => {
    const [there, back] = [new Queue<unknown>(), new Queue<unknown>()];
    const values = everyKind();
    const child = start(targets.echo, manner, there, back, values.length);
    for (const value of values) there.putSync(value);
    for (const value of values) assert.deepEqual(await back.get(), value);
    await child.result();
  });
}

bounded('undefined is an item', async () => {
  const queue = new Queue<undefined>();
  queue.putSync(undefined);
  queue.putSync(undefined);
  assert.equal(queue.size, 2);
  assert.deepEqual(queue.tryGet(), { value: undefined });
  assert.equal(await queue.get(), undefined);
  assert.equal(queue.tryGet(), undefined);
});

bounded('errors keep their class, code, cause and own properties', async () => {
  const [there, back] = [new Queue<Error>(), new Queue<Error>()];
  start(targets.echo, 'awaited', there as Queue<unknown>, back as Queue<unknown>, 2);
  const made = Object.assign(new RangeError('too far', { cause: new TypeError('below') }), { code: 'E_FAR', at: 7 });
  await there.put(made);
  await there.put(new TimeoutError('late'));
  const far = (await back.get()) as typeof made;
  assert.ok(far instanceof RangeError);
  assert.deepEqual([far.message, far.code, far.at], ['too far', 'E_FAR', 7]);
  assert.ok(far.cause instanceof TypeError);
  assert.equal(far.cause.message, 'below');
  const late = await back.get();
  assert.ok(late instanceof TimeoutError);
  assert.equal(late.code, 'ERR_TIMEOUT');
});

for (const manner of manners) {
  bounded(`a string of 1 MiB comes back from a child (${manner}) as it went`, async () => {
    const [there, back] = [new Queue<unknown>(), new Queue<unknown>()];
    const child = start(targets.echo, manner, there, back, 2);
    const texts = [2 ** 20, 2 ** 19].map((length, i) => `${'ab'[i]}${'x账'.repeat(length / 2)}`.slice(0, length));
    for (const text of texts) await there.put(text);
    for (const text of texts) assert.ok((await back.get()) === text);
    await child.result();
  });

  bounded(
    `8 MiB of numbers are a child's own where they arrive (${manner}), and untouched where they were`,
    async () => {
      const [there, back] = [new Queue<Float64Array>(), new Queue<Float64Array>()];
      const child = start(targets.negate, manner, there, back);
      const sent = Float64Array.from({ length: 2 ** 20 }, (_, i) => i + 0.5);
      await there.put(sent);
      const received = await back.get();
      assert.ok(received instanceof Float64Array);
      assert.equal(received.length, sent.length);
      assert.ok(
        received.every((value, i) => value === -(i + 0.5)),
        'every element arrived and came back',
      );
      assert.ok(
        sent.every((value, i) => value === i + 0.5),
        'the sender keeps what it had',
      );
      await child.result();
    },
  );
}

bounded('what one receiver writes is seen by no other, and by no sender', async () => {
  const queue = new Queue<Uint8Array>();
  for (const length of [3, 100_000]) {
    const sent = new Uint8Array(length).fill(1);
    await queue.put(sent);
    await queue.put(sent);
    const [one, other] = [await queue.get(), await queue.get()];
    one.fill(2);
    assert.deepEqual([sent[0], one[length - 1], other[0], other[length - 1]], [1, 2, 1, 1]);
    sent.fill(3);
    assert.deepEqual([one[0], other[0]], [2, 1]);
  }
});

bounded('memory of an array that is still held is not given to the next item', async () => {
  const queue = new Queue<Uint8Array>();
  const held: Uint8Array[] = [];
  for (let n = 0; n < 30; n++) {
    queue.putSync(new Uint8Array(100_000).fill(n));
    held.push(await queue.get());
  }
  for (const [n, array] of held.entries())
    assert.ok(
      array.every((byte) => byte === n),
      `array ${n}`,
    );
});

bounded('what is changed after the call is not seen by the receiver', async () => {
  const queue = new Queue<{ list: number[]; bytes: Uint8Array }>({ maxItems: 2 });
  const value = { list: [1], bytes: new Uint8Array(50_000).fill(1) };
  const puts = [queue.put(value)];
  value.list.push(2);
  value.bytes.fill(2);
  queue.putSync(value);
  value.list.push(3);
  value.bytes.fill(3);
  puts.push(queue.put(value)); // it waits
  value.list.push(4);
  value.bytes.fill(4);
  for (const n of [1, 2, 3]) {
    const { list, bytes } = await queue.get();
    assert.deepEqual([list.length, bytes[0], bytes[49_999]], [n, n, n]);
  }
  await Promise.all(puts);
});

bounded('what cannot travel is refused at once, by its place, and nothing is put', async () => {
  const socket = new Socket();
  const queue = new Queue<unknown>({ maxItems: 1 });
  for (const state of ['empty', 'full']) {
    const cases: [unknown, RegExp][] = [
      [{ socket }, /^value\.socket \(a Socket\)/],
      [{ list: [1, { save() {} }] }, /^value\.list\[1\]\.save \(/],
      [function save() {}, /^value \(/],
    ];
    const size = queue.size;
    for (const [value, message] of cases) {
      const refused = (error: unknown): boolean => {
        assert.ok(error instanceof CloneError, String(error));
        assert.match(error.message, message);
        return true;
      };
      const put = queue.put(value);
      put.catch(() => {});
      assert.equal(await isSettled(put), true, `${state}: it does not wait for room first`);
      await assert.rejects(put, refused);
      assert.throws(() => queue.tryPut(value), refused);
      assert.throws(() => queue.putSync(value, limit), refused);
      assert.equal(queue.size, size);
    }
    queue.tryPut('sound');
  }
  assert.equal(await queue.get(), 'sound');
  assert.equal(queue.size, 0);
});

bounded('locks, events, arrays and queues inside an item arrive in a child as themselves', async () => {
  const queue = new Queue<targets.Handles>();
  const child = start(targets.useHandles, queue);
  const lock = new Lock({ name: 'inside' });
  await lock.acquire();
  const inner = new Queue<string>({ name: 'inner' });
  const [event, array] = [new Event(), new SharedArray(Int32Array, [1, 2])];
  await queue.put({ lock, deep: { event }, array, inner });
  assert.equal(await inner.get(), 'lock "inside" true');
  assert.equal(await child.result(), 'queue "inner"');
  assert.deepEqual([event.isSet, [...array.view]], [true, [1, 42]]);
});

bounded('a queue that comes through a queue is the one that went', async () => {
  const carrier = new Queue<{ list: Queue<number>[] }>();
  const carried = new Queue<number>({ maxItems: 1, name: 'carried' });
  carrier.putSync({ list: [carried, carried] });
  const [one, two] = (await carrier.get()).list;
  assert.equal(String(one), 'queue "carried"');
  one!.putSync(7);
  assert.deepEqual([two!.size, two!.isFull, carried.tryPut(8)], [1, true, false]);
  assert.equal(await carried.get(), 7);
});

bounded('a lock whose maker has ended is alive when it is got', async () => {
  const queue = new Queue<Lock>();
  const child = start(targets.leaveLock, queue);
  await child.join();
  const lock = await queue.get();
  assert.equal(String(lock), 'lock "left behind"');
  const lease = await lock.acquire();
  assert.equal(lease.abandoned, true);
  lease.release();
  assert.equal(lock.isLocked, false);
});

bounded('a lock that its sender has forgotten is alive when it is got', async () => {
  const queue = new Queue<Lock>();
  const forgotten = new WeakRef(putLock(queue));
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  await until(() => {
    gc();
    return forgotten.deref() === undefined;
  });
  // What the collector tells about it comes in turns of the loop.
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  new Lock({ name: 'in its place' }); // would take memory that was freed too early
  const lock = await queue.get();
  assert.equal(String(lock), 'lock "forgotten"');
  (await lock.acquire()).release();
});

function putLock(queue: Queue<Lock>): Lock {
  const lock = new Lock({ name: 'forgotten' });
  queue.putSync(lock);
  return lock;
}
