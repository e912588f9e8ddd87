import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { ClosedError, type Connection, Event, pipe, Queue, TimeoutError } from 'manyhands';
import { endAll, inChild, isSettled, killed, start, timed } from '../sync/children.ts';
import { blockedOn, bounded, limit, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

bounded('an end that was closed here refuses every use here', async () => {
  const [a, b] = pipe<string>();
  await b.send('unread');
  assert.equal(a.closed, false);
  a.close();
  a.close();
  assert.equal(a.closed, true);
  const uses: [string, () => Promise<unknown>][] = [
    ['send', () => a.send('x')],
    ['recv', () => a.recv()],
    ['poll', () => a.poll()],
    ['sendBytes', () => a.sendBytes(new Uint8Array(1))],
    ['recvBytes', () => a.recvBytes()],
    ['recvBytesInto', () => a.recvBytesInto(new Uint8Array(1))],
    ['sendSync', async () => a.sendSync('x')],
    ['recvSync', async () => a.recvSync(limit)],
  ];
  for (const [name, use] of uses) {
    await assert.rejects(use, (error) => error instanceof ClosedError, name);
  }
  assert.equal(b.closed, false, 'the other end was not closed by anybody');
});

bounded('disposing closes', async () => {
  const [a, b] = pipe<string>();
  // What `using` does, which Node 22 does not read.
  a[Symbol.dispose]();
  a[Symbol.dispose]();
  assert.equal(a.closed, true);
  await assert.rejects(b.recv(), ClosedError);
});

bounded('after the other end was closed, an end receives what is left and then ClosedError', async () => {
  const [a, b] = pipe<string>();
  await a.send('one');
  await a.sendBytes(new Uint8Array([2]));
  await a.send('three');
  a.close();
  assert.equal(await b.poll(), true);
  assert.equal(await b.recv(), 'one');
  assert.deepEqual(await b.recvBytes(), new Uint8Array([2]));
  assert.equal(b.recvSync(limit), 'three');
  await assert.rejects(b.recv(), ClosedError);
  await assert.rejects(b.recvBytes(), ClosedError);
  await assert.rejects(b.recvBytesInto(new Uint8Array(1)), ClosedError);
  assert.throws(() => b.recvSync(limit), ClosedError);
  assert.deepEqual([await b.poll(), await b.poll(5000), b.closed], [true, true, false]);
});

bounded('nothing can be sent to an end that was closed', async () => {
  const [a, b] = pipe<string>();
  b.close();
  await assert.rejects(a.send('x'), ClosedError);
  await assert.rejects(a.sendBytes(new Uint8Array(1)), ClosedError);
  assert.throws(() => a.sendSync('x'), ClosedError);
});

bounded('closing a pipe of one direction ends it for the other side, from either', async () => {
  const [reader, writer] = pipe<string>({ duplex: false });
  await writer.send('last');
  writer.close();
  assert.equal(await reader.recv(), 'last');
  await assert.rejects(reader.recv(), ClosedError);
  const [first, second] = pipe<string>({ duplex: false });
  first.close();
  await assert.rejects(second.send('x'), ClosedError);
});

bounded('a close ends what waits at the other end', async () => {
  const [a, b] = pipe<Uint8Array>();
  await a.send(new Uint8Array(1_000_000));
  const waits = [a.send(new Uint8Array(1_000_000)), a.recv(), a.recvBytes()];
  const polled = a.poll(8000);
  assert.equal(await isSettled(Promise.race([...waits, polled])), false);
  b.close();
  assert.equal(await polled, true);
  for (const one of waits) await assert.rejects(one, ClosedError);
});

bounded('a close ends what waits at its own end', async () => {
  const [a, b] = pipe<Uint8Array>();
  await a.send(new Uint8Array(1_000_000));
  const waits = [a.send(new Uint8Array(1_000_000)), a.recv()];
  assert.equal(await isSettled(Promise.race(waits)), false);
  a.close();
  for (const one of waits) await assert.rejects(one, ClosedError);
  assert.equal((await b.recv()).length, 1_000_000);
  await assert.rejects(b.recv(), ClosedError, 'what waited at the close was not sent');
});

const ends: Record<string, (end: Connection<unknown>, values: readonly unknown[]) => Promise<unknown>> = {
  'has returned': async (end, values) => inChild(targets.sendAll, 'blocking', end, values),
  'has returned from awaiting': async (end, values) => inChild(targets.sendAll, 'awaited', end, values),
  'was killed': (end, values) => start(targets.sendAndDie, end, values).join(),
};
for (const [title, run] of Object.entries(ends)) {
  bounded(`what a child sent before it ${title} is received, and then ClosedError`, async () => {
    const [own, there] = pipe<unknown>();
    const values = ['one', new Uint8Array(100_000).fill(7), { three: 3 }];
    const ended = run(there, values);
    there.close();
    await ended;
    for (const value of values) assert.deepEqual(await own.recv(), value);
    const { ms } = await timed(() => assert.rejects(own.recv(), ClosedError));
    assert.ok(ms < 1000, `${ms} ms`);
    await assert.rejects(own.send('x'), ClosedError);
    assert.equal(await own.poll(), true);
  });
}

bounded('a child that closes its copy ends the pipe while it lives on', async () => {
  const [own, there] = pipe<unknown>();
  const letGo = new Event();
  const child = start(targets.sendAndClose, there, 'bye', letGo);
  there.close();
  assert.equal(await own.recv(), 'bye');
  await assert.rejects(own.recv(), ClosedError);
  assert.equal(child.isAlive, true);
  letGo.set();
  await child.result();
});

bounded('an end whose holder is killed is closed for who waits to receive, to poll and to send', async () => {
  const holds = new Event();
  const [[a, aThere], [b, bThere]] = [pipe<unknown>(), pipe<unknown>()];
  const child = start(targets.holdEnds, [aThere, bThere], holds);
  aThere.close();
  bThere.close();
  await holds.wait();
  await b.send(new Uint8Array(1_000_000));
  const waits = [a.recv(), a.recvBytes(), b.send(new Uint8Array(1_000_000))];
  const polled = a.poll(8000);
  assert.equal(await isSettled(Promise.race([...waits, polled])), false);
  const { ms } = await timed(async () => {
    process.kill(child.pid!, 'SIGKILL');
    for (const one of waits) await assert.rejects(one, ClosedError);
    assert.equal(await polled, true);
  });
  assert.ok(ms < 1000, `${ms} ms`);
});

bounded('a parent that blocks in recvSync is told when the holder of the other end is killed', async () => {
  const [own, there] = pipe<unknown>();
  const holds = new Event();
  // Nobody can see from elsewhere that this thread blocks: so the child leaves it the time.
  start(targets.dieAfter, there, holds, 150);
  there.close();
  await holds.wait();
  const begin = performance.now();
  assert.throws(() => own.recvSync(limit), ClosedError);
  assert.ok(performance.now() - begin < 1150, `${performance.now() - begin} ms`);
});

for (const manner of manners) {
  bounded(`a child that waits (${manner}) to receive or to send is told when its parent closes`, async () => {
    const [[own, there], [full, fullThere]] = [pipe<unknown>(), pipe<unknown>()];
    const receiver = start(targets.codeOfRecv, manner, there);
    const sender = start(targets.codeOfSends, manner, fullThere, new Uint8Array(300_000));
    there.close();
    fullThere.close();
    await blockedOn(receiver, /connection|pipe/);
    await blockedOn(sender, /connection|pipe/);
    own.close();
    full.close();
    assert.deepEqual([await receiver.result(), await sender.result()], ['ERR_CLOSED', 'ERR_CLOSED']);
  });
}

bounded('a parent that keeps its copy of an end sees no end, as in Python', async () => {
  const [own, there] = pipe<unknown>();
  await inChild(targets.sendAll, 'awaited', there, ['one']);
  assert.equal(await own.recv(), 'one');
  await assert.rejects(own.recv({ timeoutMs: 50 }), TimeoutError);
  assert.deepEqual([await own.poll(), there.closed], [false, false]);
  there.close();
  await assert.rejects(own.recv(), ClosedError);
});

bounded('an end is closed only when each of several processes has lost its copy', async () => {
  const [own, there] = pipe<unknown>();
  const [holds, also, go] = [new Event(), new Event(), new Event()];
  const one = start(targets.holdEnds, [there], holds);
  const two = start(targets.holdAndSend, there, also, go, 'from the other');
  there.close();
  await holds.wait();
  await also.wait();
  await killed(one);
  const waits = own.recv();
  assert.equal(await isSettled(waits), false);
  go.set();
  assert.equal(await waits, 'from the other');
  const last = own.recv();
  last.catch(() => {});
  assert.equal(await isSettled(last), false);
  await killed(two);
  await assert.rejects(last, ClosedError);
});

bounded('a copy in a message on the way counts', async () => {
  const carrier = new Queue<Connection<string>>();
  const [own, given] = pipe<string>();
  await carrier.put(given);
  given.close();
  const waits = own.recv();
  waits.catch(() => {});
  assert.equal(await isSettled(waits), false);
  await own.send('for whoever gets it');
  const arrived = await carrier.get();
  assert.equal(arrived.closed, false);
  assert.equal(await arrived.recv(), 'for whoever gets it');
  await arrived.send('thanks');
  assert.equal(await waits, 'thanks');
  arrived.close();
  await assert.rejects(own.recv(), ClosedError);
});

bounded('a copy in a message whose sender was killed is there for who gets it', async () => {
  const carrier = new Queue<Connection<string>>();
  const [own, given] = pipe<string>();
  const child = start(targets.passOnAndDie, carrier, given);
  given.close();
  await child.join();
  const arrived = await carrier.get();
  await arrived.send('still here');
  assert.equal(await own.recv(), 'still here');
  arrived.close();
  await assert.rejects(own.recv(), ClosedError);
});
