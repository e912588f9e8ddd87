import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { afterEach } from 'node:test';
import {
  CloneError,
  type Connection,
  Event,
  Lock,
  type Process,
  pipe,
  Queue,
  StateError,
  TimeoutError,
} from 'manyhands';
import { endAll, inChild, isSettled, start, timed } from '../sync/children.ts';
import { blockedOn, bounded, limit, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

bounded('what one end sends the other receives, in order, both ways at once', async () => {
  const [a, b] = pipe<number>();
  for (const n of [0, 1, 2]) {
    await a.send(n);
    b.sendSync(10 + n);
  }
  for (const n of [0, 1, 2]) {
    assert.equal(await b.recv(), n);
    assert.equal(a.recvSync(limit), 10 + n);
  }
  assert.deepEqual([await a.poll(), await b.poll()], [false, false]);
});

bounded('receives are served in the order of the calls', async () => {
  const [a, b] = pipe<number>();
  const received = [b.recv(), b.recv(), b.recv()];
  assert.equal(await isSettled(received[0]!), false);
  for (const n of [0, 1, 2]) a.sendSync(n);
  assert.deepEqual(await Promise.all(received), [0, 1, 2]);
});

bounded('a pipe of one direction receives at its first end and sends at its second, and nothing else', async () => {
  const [reader, writer] = pipe<string>({ duplex: false });
  await writer.send('one way');
  assert.equal(await reader.recv(), 'one way');
  const misuse: [string, () => unknown][] = [
    ['send', () => reader.send('x')],
    ['sendBytes', () => reader.sendBytes(new Uint8Array(1))],
    ['recv', () => writer.recv()],
    ['recvBytes', () => writer.recvBytes()],
    ['recvBytesInto', () => writer.recvBytesInto(new Uint8Array(1))],
  ];
  for (const [name, call] of misuse) await assert.rejects(call as () => Promise<unknown>, StateError, name);
  assert.throws(() => reader.sendSync('x'), StateError);
  assert.throws(() => writer.recvSync(limit), StateError);
  assert.equal(await reader.poll(), false);
});

bounded('two pipes have nothing in common', async () => {
  const [[a, b], [c, d]] = [pipe<string>(), pipe<string>()];
  await a.send('ours');
  assert.deepEqual([await d.poll(), await c.poll(), await a.poll()], [false, false, false]);
  assert.equal(await b.recv(), 'ours');
  assert.deepEqual([c.closed, d.closed], [false, false]);
});

bounded('a duplex that is no boolean, and options that are none, are refused', () => {
  for (const duplex of ['yes', 0, 1, null, {}]) {
    assert.throws(() => pipe({ duplex: duplex as never }), { name: 'ValidationError', message: /duplex/ });
  }
  for (const options of [true, 'duplex', null]) {
    assert.throws(() => pipe(options as never), { name: 'ValidationError', message: /pipe\(\)/ });
  }
});

for (const manner of manners) {
  bounded(`a child gives back (${manner}) what it is sent, whatever it is`, async () => {
    const [own, there] = pipe<unknown>();
    const values = [
      undefined,
      2n ** 70n,
      new Map([['at', new Date(7)]]),
      { list: [Number.NaN, -0] },
      'x账'.repeat(2 ** 19),
      new Float64Array(300_000).fill(0.5),
      [],
    ];
    const child = start(targets.echoOver, manner, there, values.length);
    there.close();
    for (const [i, value] of values.entries()) {
      await own.send(value);
      assert.deepEqual(i % 2 === 0 ? await own.recv() : own.recvSync(limit), value);
    }
    await child.result();
  });

  bounded(`a child that waits in recv (${manner}) is blocked on its connection`, async () => {
    const [own, there] = pipe<string>();
    const child = start(targets.recvIn<string>, manner, there);
    await blockedOn(child as unknown as Process, /connection|pipe/);
    assert.equal(child.state, 'blocked');
    own.sendSync('go');
    assert.equal(await child.result(), 'go');
  });

  bounded(`a recv (${manner}) ends at its time, and takes nothing`, async () => {
    const [a, b] = pipe<string>();
    for (const timeoutMs of [0, 40]) {
      const { ms } = await timed(() => assert.rejects(targets.recvIn(manner, b, { timeoutMs }), TimeoutError));
      assert.ok(ms >= timeoutMs && ms < timeoutMs + 500, `${ms} ms instead of ${timeoutMs}`);
    }
    await a.send('late');
    assert.equal(await targets.recvIn(manner, b, { timeoutMs: 0 }), 'late');
  });
}

bounded('an aborted signal ends a recv with its reason, before and during it, and takes nothing', async () => {
  const [a, b] = pipe<unknown>();
  const receives: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => b.recv({ signal }),
    (signal) => b.recvBytes({ signal }),
    (signal) => b.recvBytesInto(new Uint8Array(9), { signal }),
  ];
  for (const receive of receives) {
    const controller = new AbortController();
    const waits = receive(controller.signal);
    assert.equal(await isSettled(waits), false);
    const reason = new Error('during');
    controller.abort(reason);
    await assert.rejects(waits, (error) => error === reason);
  }
  await a.send('kept');
  await assert.rejects(b.recv({ signal: AbortSignal.abort(new Error('before')) }), /before/);
  assert.equal(await b.recv(), 'kept');
});

bounded('poll looks, or waits for its time, and takes nothing', async () => {
  const [a, b] = pipe<string>();
  assert.deepEqual([await b.poll(), await b.poll(0)], [false, false]);
  const { value, ms } = await timed(() => b.poll(40));
  assert.equal(value, false);
  assert.ok(ms >= 40 && ms < 540, `${ms}`);
  const polled = b.poll(8000);
  assert.equal(await isSettled(polled), false);
  a.sendSync('message');
  assert.equal(await polled, true);
  assert.deepEqual([await b.poll(), await b.poll(8000), await a.poll()], [true, true, false]);
  assert.equal(await b.recv(), 'message');
  assert.equal(await b.poll(), false);
});

bounded('what is changed after the call is not seen by the receiver', async () => {
  const [a, b] = pipe<{ bytes: Uint8Array }>();
  const value = { bytes: new Uint8Array(700_000).fill(1) };
  const sends = [a.send(value)];
  value.bytes.fill(2);
  sends.push(a.send(value)); // it waits for room
  value.bytes.fill(3);
  assert.equal(await isSettled(sends[1]!), false);
  for (const n of [1, 2]) {
    const { bytes } = await b.recv();
    assert.ok(bytes.every((byte) => byte === n));
    bytes.fill(9);
  }
  await Promise.all(sends);
  assert.equal(value.bytes[0], 3);
});

bounded('what cannot travel is refused by its place, and nothing is sent', async () => {
  const [a, b] = pipe<unknown>();
  const refused = (error: unknown): boolean => {
    assert.ok(error instanceof CloneError, String(error));
    assert.match(error.message, /^value\.socket \(a Socket\)/);
    return true;
  };
  const value = { socket: new Socket() };
  await assert.rejects(a.send(value), refused);
  assert.throws(() => a.sendSync(value), refused);
  assert.equal(await b.poll(), false);
  await a.send('sound');
  assert.equal(await b.recv(), 'sound');
});

bounded('locks, events and queues travel over a pipe as themselves', async () => {
  const [own, there] = pipe<unknown>();
  const child = start(targets.echoOver, 'awaited', there, 1);
  const [lock, event, queue] = [new Lock({ name: 'sent' }), new Event(), new Queue<number>({ name: 'sent' })];
  await own.send({ lock, event, queue });
  const back = (await own.recv()) as { lock: Lock; event: Event; queue: Queue<number> };
  await child.result();
  await lock.acquire();
  event.set();
  queue.putSync(7);
  assert.deepEqual(
    [String(back.lock), back.lock.isLocked, back.event.isSet, String(back.queue), back.queue.tryGet()],
    ['lock "sent"', true, true, 'queue "sent"', { value: 7 }],
  );
});

bounded('a connection that comes over a pipe serves the child that receives it', async () => {
  const [carrier, carrierThere] = pipe<Connection<string>>();
  const [own, given] = pipe<string>();
  const child = start(targets.recvOverReceived, carrierThere);
  await carrier.send(given);
  given.close();
  await own.send('hello');
  assert.equal(await own.recv(), 'HELLO');
  assert.equal(await child.result(), 'hello');
});

bounded('a pipe made in the parent joins two children', async () => {
  const [one, other] = pipe<unknown>();
  const echo = start(targets.echoOver, 'blocking', other, 1);
  await inChild(targets.sendAll, 'awaited', one, ['across']);
  await echo.result();
  assert.equal(await one.recv(), 'across');
});
