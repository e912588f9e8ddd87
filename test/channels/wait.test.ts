import assert from 'node:assert/strict';
import { afterEach, describe } from 'node:test';
import { type Connection, Event, type Process, pipe, Queue, ValidationError, type Waitable, wait } from 'manyhands';
import { endAll, inChild, isSettled, killed, start, timed } from '../sync/children.ts';
import { blockedOn, bounded, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

/** A process that goes on until it is killed. */
function living(): Process {
  const event = new Event();
  return start(targets.waitOn, event) as unknown as Process;
}

bounded('those that are ready are given in the order in which they were asked for', async () => {
  const [event, unset] = [new Event(), new Event()];
  const [queue, empty] = [new Queue<number>(), new Queue<number>()];
  const [[a, b], [c, d]] = [pipe<number>(), pipe<number>()];
  event.set();
  queue.putSync(1);
  await a.send(2);
  const objects: Waitable[] = [unset, b, empty, event, a, queue, c];
  assert.deepEqual(await places(objects), [1, 3, 5]);
  assert.deepEqual(await places(objects.toReversed()), [1, 3, 5]);
  assert.deepEqual(await places([queue, event, b]), [0, 1, 2]);
  assert.equal(d.closed, false, 'it was held up to here');
});

async function places(objects: readonly Waitable[], timeoutMs = 5000): Promise<number[]> {
  const ready = await wait(objects, { timeoutMs });
  return ready.map((object) => objects.indexOf(object));
}

bounded('it gives nothing when the time has passed, and not before', async () => {
  const [own, other] = pipe();
  const objects: Waitable[] = [new Queue(), new Event(), own, living()];
  for (const timeoutMs of [0, 40]) {
    const { value, ms } = await timed(() => wait(objects, { timeoutMs }));
    assert.deepEqual(value, []);
    assert.ok(ms >= timeoutMs && ms < timeoutMs + 500, `${ms} ms instead of ${timeoutMs}`);
  }
  assert.equal(other.closed, false, 'it was held up to here');
});

bounded('it takes nothing from what is ready', async () => {
  const [event, queue, [a, b]] = [new Event(), new Queue<string>(), pipe<string>()];
  event.set();
  queue.putSync('item');
  a.sendSync('message');
  for (let i = 0; i < 3; i++) assert.equal((await wait([event, queue, b] as Waitable[])).length, 3);
  assert.deepEqual([event.isSet, queue.size, await b.poll()], [true, 1, true]);
  assert.deepEqual([queue.tryGet(), await b.recv()], [{ value: 'item' }, 'message']);
  assert.deepEqual(await wait([queue, b] as Waitable[], { timeoutMs: 0 }), []);
});

bounded('an object may be asked for twice', async () => {
  const queue = new Queue<number>();
  const waits = wait([queue, queue]);
  assert.equal(await isSettled(waits), false);
  queue.putSync(1);
  assert.deepEqual(new Set(await waits), new Set([queue]));
  assert.deepEqual(new Set(await wait([queue, queue])), new Set([queue]));
});

describe('a wait ends when one of its objects becomes ready', () => {
  const cases: Record<string, () => { object: Waitable; ready: () => unknown }> = {
    'an item is put': () => {
      const queue = new Queue<number>();
      return { object: queue, ready: () => queue.putSync(1) };
    },
    'a queue is closed': () => {
      const queue = new Queue<number>();
      return { object: queue, ready: () => queue.close() };
    },
    'an event is set': () => {
      const event = new Event();
      return { object: event, ready: () => event.set() };
    },
    'a message is sent': () => {
      const [a, b] = pipe<number>();
      return { object: b, ready: () => a.sendSync(1) };
    },
    'bytes of length 0 are sent': () => {
      const [a, b] = pipe<number>();
      return { object: b, ready: () => a.sendBytes(new Uint8Array(0)) };
    },
    'the other end is closed': () => {
      const [a, b] = pipe<number>();
      return { object: b, ready: () => a.close() };
    },
    'a process is killed': () => {
      const child = living();
      return { object: child, ready: () => child.kill() };
    },
    'a child puts': () => {
      const queue = new Queue<number>();
      return { object: queue, ready: () => inChild(targets.putIn<number>, 'blocking', queue, 1) };
    },
    'a child sets an event': () => {
      const event = new Event();
      return { object: event, ready: () => inChild(targets.setIt, event) };
    },
    'a child closes a queue': () => {
      const queue = new Queue<number>();
      return { object: queue, ready: () => inChild(targets.closeIt, queue) };
    },
  };
  for (const [title, make] of Object.entries(cases)) {
    bounded(title, async () => {
      const { object, ready } = make();
      const idle = [new Event(), new Queue<number>()];
      const waits = wait<Waitable>([idle[0]!, object, idle[1]!]);
      assert.equal(await isSettled(waits), false);
      await ready();
      assert.deepEqual(await waits, [object]);
      assert.deepEqual(await wait([object]), [object], 'it is ready still');
    });
  }
});

bounded('a process that has ended is ready', async () => {
  const child = start(targets.nothing) as unknown as Process;
  assert.deepEqual(await wait([child]), [child]);
  assert.equal(child.isAlive, false);
  assert.deepEqual(await wait([child], { timeoutMs: 0 }), [child]);
});

bounded('the end of a child makes both it and its connection ready', async () => {
  const [own, there] = pipe<unknown>();
  const holds = new Event();
  const child = start(targets.holdEnds, [there], holds) as unknown as Process;
  there.close();
  await holds.wait();
  const waits = wait<Waitable>([own]);
  assert.equal(await isSettled(waits), false);
  await killed(child);
  assert.deepEqual(await waits, [own]);
  assert.deepEqual(await wait<Waitable>([child, own]), [child, own]);
});

for (const [title, isWaitFirst] of [
  ['before', true],
  ['behind', false],
] as const) {
  bounded(`a wait ${title} a get on the same queue does not take its item, nor its nudge`, async () => {
    const queue = new Queue<string>();
    let waits: Promise<Waitable[]> | undefined;
    if (isWaitFirst) waits = wait([queue]);
    const got = queue.get();
    waits ??= wait([queue]);
    assert.equal(await isSettled(Promise.race([waits, got])), false);
    queue.putSync('for the get');
    assert.equal(await got, 'for the get');
    // Whether it saw the item before the get had it is open; an item that nobody takes it must see.
    queue.putSync('left');
    assert.deepEqual(await waits, [queue]);
    assert.deepEqual(queue.tryGet(), { value: 'left' });
  });
}

for (const manner of manners) {
  bounded(`a wait does not keep an item from a child that waits in get (${manner})`, async () => {
    const queue = new Queue<string>({ name: 'watched' });
    const waits = wait([queue]);
    const child = start(targets.getIn<string>, manner, queue);
    await blockedOn(child as unknown as Process, /queue "watched"/);
    assert.equal(await isSettled(waits), false);
    queue.putSync('for the child');
    assert.equal(await child.result(), 'for the child');
    queue.putSync('left');
    assert.deepEqual(await waits, [queue]);
  });
}

bounded('everybody who waits for a queue is told of one item', async () => {
  const queue = new Queue<number>();
  const other = new Event();
  const waits = [wait([queue]), wait<Waitable>([other, queue]), wait([queue])];
  assert.equal(await isSettled(Promise.race(waits)), false);
  queue.putSync(1);
  assert.deepEqual(await Promise.all(waits), [[queue], [queue], [queue]]);
  assert.equal(queue.size, 1);
});

bounded('a child waits for several objects of its parent', async () => {
  const [queue, event, [own, there]] = [new Queue<number>(), new Event(), pipe<number>()];
  const child = start(targets.readyOf, [queue, there, event]);
  there.close();
  await blockedOn(child as unknown as Process, /./);
  own.sendSync(1);
  assert.deepEqual(await child.result(), [1]);
});

bounded('a wait that was killed leaves its objects whole', async () => {
  const [queue, event] = [new Queue<number>(), new Event()];
  const child = start(targets.readyOf, [queue, event]);
  await blockedOn(child as unknown as Process, /./);
  const [got, waits] = [queue.get(), wait([event])];
  await killed(child);
  queue.putSync(7);
  event.set();
  assert.deepEqual([await got, await waits], [7, [event]]);
});

// As Python's test of wait: three writers, whose ends come in any order.
bounded('what several children send is collected until each of them has closed', async () => {
  const readers: Connection<unknown>[] = [];
  for (const by of [0, 1, 2]) {
    const [reader, writer] = pipe<unknown>({ duplex: false });
    start(
      targets.sendAll,
      by % 2 === 0 ? 'awaited' : 'blocking',
      writer,
      [0, 1, 2, 3].map((n) => ({ by, n })),
    );
    writer.close();
    readers.push(reader);
  }
  const received: unknown[][] = [[], [], []];
  let turns = 0;
  for (let open = [...readers]; open.length > 0; ) {
    assert.ok(turns++ < 100, 'each turn has something to receive');
    for (const reader of await wait(open)) {
      const message = await reader.recv().catch((error: { code: string }) => error.code);
      if (message === 'ERR_CLOSED') open = open.filter((one) => one !== reader);
      else received[readers.indexOf(reader)]!.push(message);
    }
  }
  assert.deepEqual(
    received,
    [0, 1, 2].map((by) => [0, 1, 2, 3].map((n) => ({ by, n }))),
  );
});

bounded('an aborted signal ends a wait with its reason, and leaves nothing behind', async () => {
  const [queue, event] = [new Queue<number>(), new Event()];
  const before = new Error('before');
  await assert.rejects(wait([queue], { signal: AbortSignal.abort(before) }), (error) => error === before);
  const controller = new AbortController();
  const waits = wait<Waitable>([queue, event], { signal: controller.signal });
  assert.equal(await isSettled(waits), false);
  controller.abort(0);
  assert.deepEqual(
    await waits.then(
      () => 'done',
      (error: unknown) => ({ error }),
    ),
    { error: 0 },
  );
  const got = queue.get();
  queue.putSync(1);
  assert.equal(await got, 1);
});

bounded('what cannot be waited for is refused, by its place', async () => {
  const queue = new Queue<number>();
  queue.putSync(1);
  for (const other of [undefined, null, 5, 'queue', {}, Promise.resolve(), () => 1]) {
    await assert.rejects(wait([queue, queue, other] as never), (error) => {
      assert.ok(error instanceof ValidationError, String(error));
      assert.match(error.message, /wait\(\)/);
      assert.match(error.message, /\b2\b/);
      return true;
    });
  }
  for (const objects of [undefined, 5, queue]) {
    await assert.rejects(wait(objects as never), { name: 'ValidationError', message: /wait\(\)/ });
  }
});

bounded('an option of wait that makes no sense is refused', async () => {
  const event = new Event();
  event.set();
  const bad: [unknown, RegExp][] = [
    [{ timeoutMs: -1 }, /wait\(\).*timeoutMs .* is -1/],
    [{ timeoutMs: 'x' }, /wait\(\).*timeoutMs .* is x/],
    [{ signal: {} }, /wait\(\).*signal must be an AbortSignal/],
    [5, /wait\(\) takes an object, .* got 5/],
    [null, /wait\(\) takes an object/],
  ];
  for (const [options, message] of bad) {
    await assert.rejects(wait([event], options as never), { name: 'ValidationError', message });
  }
});
