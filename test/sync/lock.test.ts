import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { Event, type Lease, Lock, NotOwnerError, type Process, Semaphore, TimeoutError } from 'manyhands';
import { runProgram, until, withProgram } from '../support/program.ts';
import {
  assertOnTime,
  endAll,
  inChild,
  isSettled,
  killed,
  sleep,
  start,
  timed,
  untilIdle,
  waitsFor,
} from './children.ts';
import * as targets from './targets.ts';

afterEach(endAll);
const folder = mkdtempSync(join(tmpdir(), 'manyhands-lock-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
function newFile(text = ''): string {
  const file = join(folder, String(files++));
  writeFileSync(file, text);
  return file;
}
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const manners = ['awaited', 'blocking'] as const;

function released(lease: Lease): boolean {
  lease.release();
  return lease.abandoned;
}

test('a lock is acquired once and released once', async () => {
  const lock = new Lock();
  assert.equal(lock.isLocked, false);
  const lease = await lock.acquire();
  assert.deepEqual([lock.isLocked, lease.abandoned, lock.tryAcquire()], [true, false, undefined]);
  lock.release();
  assert.equal(lock.isLocked, false);
  assert.throws(() => lock.release(), { code: 'ERR_NOT_OWNER', message: 'lock cannot be released: nobody holds it.' });
  assert.throws(
    () => new Lock({ name: 'mine' }).release(),
    (error) => {
      assert.ok(error instanceof NotOwnerError);
      assert.match(error.message, /lock "mine"/);
      return true;
    },
  );
});

test('acquireSync and tryAcquire take a free lock', () => {
  const lock = new Lock();
  lock.acquireSync().release();
  const lease = lock.tryAcquire();
  assert.ok(lease);
  lease.release();
  assert.equal(lock.isLocked, false);
});

test('coroutines get the lock in order of arrival', async () => {
  const lock = new Lock();
  const first = await lock.acquire();
  const order: number[] = [];
  const all = Array.from({ length: 20 }, async (_, i) => {
    const lease = await lock.acquire();
    order.push(i);
    await new Promise(setImmediate);
    lease.release();
  });
  await sleep(3); // past the time in which it may be overtaken
  first.release();
  await Promise.all(all);
  assert.deepEqual(order, [...Array(20).keys()]);
});

test('10,000 coroutines on one lock are all served', async () => {
  const lock = new Lock();
  const first = await lock.acquire();
  let served = 0;
  let inside = 0;
  const all = Array.from({ length: 10_000 }, async () => {
    const lease = await lock.acquire();
    assert.equal(++inside, 1);
    if (served++ % 100 === 0) await new Promise(setImmediate);
    inside--;
    lease.release();
  });
  const before = process.cpuUsage();
  first.release();
  await Promise.all(all);
  const { user, system } = process.cpuUsage(before);
  assert.equal(served, 10_000);
  assert.ok(user + system < 5_000_000, `${user + system} µs`);
});

describe('leases', () => {
  test('a second release of a lease does nothing', async () => {
    const lock = new Lock();
    const lease = await lock.acquire();
    lease.release();
    const other = await lock.acquire();
    lease.release();
    lease[Symbol.dispose]();
    assert.equal(lock.isLocked, true);
    other.release();
    assert.equal(lock.isLocked, false);
  });

  test('a lease past which the lock was released does nothing', async () => {
    const lock = new Lock();
    const lease = await lock.acquire();
    lock.release();
    lease.release();
    assert.equal(lock.isLocked, false);
    const stale = await lock.acquire();
    lock.release();
    const other = await lock.acquire();
    stale.release();
    assert.equal(lock.isLocked, true);
    other.release();
  });

  test('a lease past which the lock was released in another process does nothing', async () => {
    const lock = new Lock();
    const lease = await lock.acquire();
    await inChild(targets.releaseIt, lock);
    assert.equal(lock.isLocked, false);
    const other = await lock.acquire();
    lease.release();
    assert.equal(lock.isLocked, true);
    other.release();
  });

  test('disposing lets go, once', async () => {
    const lock = new Lock();
    const lease = await lock.acquire();
    // What `using` does, which Node 22 does not read.
    lease[Symbol.dispose]();
    assert.equal(lock.isLocked, false);
    const other = await lock.acquire();
    lease[Symbol.dispose]();
    assert.equal(lock.isLocked, true);
    other.release();
  });
});

test('run gives what its body gives, and releases also when the body throws', async () => {
  const lock = new Lock();
  assert.equal(await lock.run(() => 7), 7);
  assert.equal(await lock.run(async () => lock.isLocked), true);
  await assert.rejects(
    lock.run(() => {
      throw new RangeError('sync');
    }),
    /sync/,
  );
  await assert.rejects(
    lock.run(() => Promise.reject(new RangeError('async'))),
    /async/,
  );
  assert.equal(lock.isLocked, false);
  await lock.acquire();
  await assert.rejects(
    lock.run(() => assert.fail('it ran'), { timeoutMs: 5 }),
    TimeoutError,
  );
});

for (const manner of manners) {
  test(`a lock held by a child (${manner}) is seen, waited for, and got`, async () => {
    const lock = new Lock({ name: 'shared' });
    const [holds, letGo] = [new Event(), new Event()];
    const child = start(targets.hold, manner, lock, holds, letGo);
    await holds.wait();
    assert.deepEqual([lock.isLocked, lock.tryAcquire()], [true, undefined]);
    const waits = lock.acquire();
    assert.equal(await isSettled(waits), false);
    letGo.set();
    (await waits).release();
    assert.equal(await child.result(), false);
  });

  test(`a child waits (${manner}) for the lock of its parent, by name`, async () => {
    const lock = new Lock({ name: 'accounts' });
    const lease = await lock.acquire();
    const child = start(targets.pass, manner, lock);
    await waitsFor(child, 'lock "accounts"');
    lease.release();
    assert.equal(await child.result(), false);
    assert.equal(lock.isLocked, false);
  });

  test(`a child that waits (${manner}) uses no processor time`, async () => {
    const lock = new Lock({ name: 'idle' });
    const lease = await lock.acquire();
    const child = start(targets.pass, manner, lock);
    await waitsFor(child, 'lock "idle"');
    await untilIdle(child.pid!);
    lease.release();
    await child.result();
  });

  test(`the lock of a killed child passes on to who waits (${manner}), and says so`, async () => {
    const lock = new Lock({ name: 'left' });
    const holds = new Event();
    const holder = start(targets.hold, 'blocking', lock, holds);
    await holds.wait();
    const heir = start(targets.pass, manner, lock);
    const own = lock.acquire();
    await waitsFor(heir, 'lock "left"');
    await killed(holder);
    const [here, there] = await Promise.all([own.then(released), heir.result()]);
    assert.deepEqual([here, there].sort(), [false, true], 'only the first heir is told');
    assert.equal((await lock.acquire()).abandoned, false);
  });

  test(`who comes (${manner}) after the death of a holder is told`, async () => {
    const lock = new Lock();
    const holds = new Event();
    const holder = start(targets.hold, manner, lock, holds);
    await holds.wait();
    await killed(holder);
    assert.equal(lock.isLocked, false);
    assert.equal(await inChild(targets.pass, manner, lock), true);
    assert.equal(await inChild(targets.pass, manner, lock), false);
  });
}

test('after the death of a holder, tryAcquire and acquireSync get the lock, abandoned', async () => {
  for (const take of [(lock: Lock) => lock.tryAcquire()!, (lock: Lock) => lock.acquireSync()]) {
    const lock = new Lock();
    const holds = new Event();
    const holder = start(targets.hold, 'awaited', lock, holds);
    await holds.wait();
    await killed(holder);
    const lease = take(lock);
    assert.equal(lease.abandoned, true);
    lease.release();
    assert.equal(lock.tryAcquire()?.abandoned, false);
  }
});

test('the lock of a killed grandchild passes on to the waiting grandparent', async () => {
  const lock = new Lock();
  const holds = new Event();
  const child = start(targets.killHolder, lock, holds);
  await holds.wait();
  assert.equal((await lock.acquire()).abandoned, true);
  await child.result();
});

test('a child that ends normally while it holds a lock leaves it abandoned', async () => {
  const lock = new Lock();
  await inChild(targets.acquireAndKeep, lock);
  assert.equal((await lock.acquire()).abandoned, true);
});

type Waiter = Pick<Process<readonly unknown[], Promise<boolean>>, 'kill' | 'join' | 'result'>;

test('a waiter killed in the queue is passed over, and the others are served in order', async () => {
  const lock = new Lock({ name: 'queue' });
  const file = newFile();
  const lease = await lock.acquire();
  const children: Waiter[] = [];
  for (const [i, manner] of (['blocking', 'awaited', 'awaited', 'blocking', 'awaited'] as const).entries()) {
    const child = start(targets.sign, manner, lock, file, String(i));
    await waitsFor(child, 'lock "queue"');
    children.push(child);
  }
  await killed(children[1]!);
  await killed(children[3]!);
  lease.release();
  const rest = [children[0]!, children[2]!, children[4]!];
  assert.deepEqual(await Promise.all(rest.map((child) => child.result())), [false, false, false]);
  assert.deepEqual(linesOf(file), ['0', '2', '4']);
});

test('a waiter that dies just as it is given the lock keeps nobody waiting', async () => {
  const lock = new Lock({ name: 'given' });
  for (const manner of manners) {
    const lease = await lock.acquire();
    const victim = start(targets.pass, manner, lock);
    await waitsFor(victim, 'lock "given"');
    const other = start(targets.pass, manner, lock);
    await waitsFor(other, 'lock "given"');
    process.kill(victim.pid!, 'SIGKILL');
    lease.release();
    await other.result();
    (await lock.acquire()).release();
    await victim.join();
  }
});

test('awaiting and blocking waiters of several processes stand in one queue', async () => {
  const lock = new Lock({ name: 'mixed' });
  const file = newFile();
  const lease = await lock.acquire();
  const order: string[] = [];
  const waiters: Promise<unknown>[] = [];
  for (let i = 0; i < 6; i++) {
    if (i % 3 === 0) {
      waiters.push(targets.sign('awaited', lock, file, `${i}`));
    } else {
      const child = start(targets.sign, i % 3 === 1 ? 'blocking' : 'awaited', lock, file, `${i}`);
      await waitsFor(child, 'lock "mixed"');
      waiters.push(child.result());
    }
    order.push(`${i}`);
  }
  lease.release();
  await Promise.all(waiters);
  assert.deepEqual(linesOf(file), order);
});

test('a lock reaches the third generation', async () => {
  const lock = new Lock({ name: 'family' });
  const file = newFile();
  const lease = await lock.acquire();
  const child = start(targets.nest, lock, file, 2);
  await until(() => child.waitingFor?.startsWith('process') === true);
  assert.deepEqual(linesOf(file), []);
  lease.release();
  await child.result();
  assert.deepEqual(linesOf(file), ['grandchild']);
});

test('processes and coroutines exclude one another', async () => {
  const lock = new Lock();
  const file = newFile('0');
  const [rounds, here] = [200, 5];
  const children = manners.map((manner) => start(targets.count, manner, lock, file, rounds));
  const coroutines = Array.from({ length: here }, () => targets.count('awaited', lock, file, rounds / here));
  await Promise.all([...children.map((child) => child.result()), ...coroutines]);
  assert.equal(readFileSync(file, 'utf8'), String(rounds * 3));
});

// How equal the shares are depends on who else wants the processors: `npm run bench -- lock` measures it.
for (const manner of manners) {
  test(`beside one who wants it all the time, another gets it (${manner}) again and again`, async () => {
    const lock = new Lock();
    const greedy = start(targets.compete, lock, setEvent(), 60_000);
    await until(() => lock.isLocked);
    await inChild(targets.passTimes, manner, lock, 200);
    assert.equal(greedy.isAlive, true);
  });
}

describe('timeouts', () => {
  for (const manner of manners) {
    test(`a wait (${manner}) ends at its time, and leaves the lock as it was`, async () => {
      const lock = new Lock({ name: 'busy' });
      const lease = await lock.acquire();
      for (const timeoutMs of [0, 1, 30.5, 150]) {
        const { ms } = await timed(() =>
          assert.rejects(targets.acquireIn(manner, lock, timeoutMs), (error) => {
            assert.ok(error instanceof TimeoutError);
            assert.match(error.message, /lock "busy" was not free within [\d.]+ ms/);
            return true;
          }),
        );
        assertOnTime(ms, timeoutMs);
      }
      lease.release();
      assert.equal(lock.isLocked, false);
      (await targets.acquireIn(manner, lock, 0)).release();
    });
  }

  test('the timeout of a blocked child is told as what it is', async () => {
    const lock = new Lock({ name: 'busy' });
    await lock.acquire();
    const { error, ms } = (await inChild(targets.acquireError, lock, 50)) as { error: Error; ms: number };
    assert.ok(error instanceof TimeoutError && error.code === 'ERR_TIMEOUT');
    assertOnTime(ms, 50);
  });

  test('a thousand waits with random times, some of them in vain, leave the lock working', async () => {
    const seed = Date.now() % 1e6;
    const random = targets.randomOf(seed);
    const lock = new Lock();
    const lease = await lock.acquire();
    let got = 0;
    let inVain = 0;
    const all = Array.from({ length: 1000 }, async (_, i) => {
      try {
        const own = await lock.acquire({ timeoutMs: i % 100 === 0 ? undefined : random() * 100 });
        got++;
        own.release();
      } catch (error) {
        assert.ok(error instanceof TimeoutError, String(error));
        inVain++;
      }
    });
    // Some have waited in vain by then, and some wait without a limit.
    await until(() => inVain > 0);
    lease.release();
    await Promise.all(all);
    assert.equal(got + inVain, 1000);
    assert.ok(got >= 10, `seed ${seed}: ${got} ${inVain}`);
    assert.equal(lock.isLocked, false, `seed ${seed}`);
    (await lock.acquire({ timeoutMs: 0 })).release();
  });
});

describe('signals', () => {
  test('an aborted signal rejects at once, with its reason, and takes nothing', async () => {
    const lock = new Lock();
    const reason = new Error('enough');
    await assert.rejects(lock.acquire({ signal: AbortSignal.abort(reason) }), (error) => error === reason);
    assert.equal(lock.isLocked, false);
  });

  test('a signal aborted during the wait ends it with its reason', async () => {
    const lock = new Lock();
    const lease = await lock.acquire();
    for (const reason of [new Error('enough'), 0, 'text', null]) {
      const controller = new AbortController();
      const waits = lock.acquire({ signal: controller.signal });
      assert.equal(await isSettled(waits), false);
      controller.abort(reason);
      const caught = await waits.then(
        () => 'granted',
        (error: unknown) => ({ error }),
      );
      assert.deepEqual(caught, { error: reason });
    }
    const waits = lock.acquire();
    lease.release();
    (await waits).release();
    assert.equal(lock.isLocked, false);
  });

  test('a signal aborted after the grant changes nothing', async () => {
    const lock = new Lock();
    const controller = new AbortController();
    const lease = await lock.acquire({ signal: controller.signal });
    controller.abort();
    assert.equal(lock.isLocked, true);
    lease.release();
    assert.equal(lock.isLocked, false);
  });

  test('a grant and an abort in the same moment never lose the lock', async () => {
    for (let i = 0; i < 60; i++) {
      const lock = new Lock();
      const first = await lock.acquire();
      const controller = new AbortController();
      const waits = lock.acquire({ signal: controller.signal });
      const behind = lock.acquire();
      if (i % 3 === 0) await sleep(2);
      const acts = [() => first.release(), () => controller.abort()];
      if (i % 2 === 0) acts.reverse();
      for (const act of acts) {
        act();
        if (i % 5 === 0) await Promise.resolve();
      }
      const outcome = await waits.catch(() => undefined);
      outcome?.release();
      (await behind).release();
      assert.equal(lock.isLocked, false);
    }
  });

  test('a child that releases while its parent aborts never loses the lock', async () => {
    const lock = new Lock();
    const child = start(targets.compete, lock, setEvent(), 300);
    let got = 0;
    let aborted = 0;
    for (let i = 0; child.isAlive && i < 100_000; i++) {
      const controller = new AbortController();
      const waits = lock.acquire({ signal: controller.signal }).then(
        (lease) => {
          got++;
          lease.release();
        },
        () => aborted++,
      );
      await new Promise(setImmediate);
      controller.abort();
      await waits;
    }
    await child.join();
    assert.equal(lock.isLocked, false);
    assert.ok(got > 0, `${got} ${aborted}`);
  });

  test('a thousand waits on one signal end with it, without a warning', async () => {
    const ended = await withProgram(
      {
        'main.ts': `
          import { Lock } from 'manyhands';
          const lock = new Lock();
          await lock.acquire();
          const controller = new AbortController();
          const all = Array.from({ length: 1000 }, () => lock.acquire({ signal: controller.signal }));
          controller.abort(new Error('enough'));
          const ends = await Promise.allSettled(all);
          console.log(ends.filter((end) => end.status === 'rejected' && end.reason.message === 'enough').length);`,
      },
      (folder) => runProgram(join(folder, 'main.ts')),
    );
    assert.deepEqual([ended.stdout, ended.stderr, ended.code], ['1000\n', '', 0]);
  });
});

function setEvent(): Event {
  const event = new Event();
  event.set();
  return event;
}

describe('the program', () => {
  const cases: [string, string, string][] = [
    [
      'waiting keeps it alive',
      `setTimeout(() => console.log('late'), 50).unref(); const l = await lock.acquire({ timeoutMs: 200 }).catch(() => 'timeout'); console.log(l)`,
      'late\ntimeout\n',
    ],
    [
      'a finished wait lets it end',
      `await lock.acquire({ timeoutMs: 10 }).catch(() => console.log('timeout'))`,
      'timeout\n',
    ],
    [
      'an abandoned attempt lets it end',
      `const c = new AbortController(); const w = lock.acquire({ signal: c.signal }).catch(() => console.log('aborted')); c.abort(); await w`,
      'aborted\n',
    ],
  ];
  for (const [title, text, stdout] of cases) {
    test(title, async () => {
      const source = `import { Lock } from 'manyhands'; const lock = new Lock(); await lock.acquire(); ${text}`;
      const ended = await withProgram({ 'main.ts': source }, (at) => runProgram(join(at, 'main.ts')));
      assert.deepEqual([ended.stdout, ended.stderr, ended.code], [stdout, '', 0]);
    });
  }

  test('an await without end, of a lock that a living child holds, keeps it alive', async () => {
    const files = {
      'main.ts': `
        import { Lock, Process } from 'manyhands';
        import { hold } from './target.ts';
        const lock = new Lock();
        const child = new Process({ target: hold, args: [lock], daemon: true });
        child.start();
        while (!lock.isLocked) await new Promise(setImmediate);
        (await lock.acquire()).release();
        console.log('got');`,
      'target.ts': `
        import type { Lock } from 'manyhands';
        export async function hold(lock: Lock): Promise<void> {
          const lease = await lock.acquire();
          await new Promise((resolve) => setTimeout(resolve, 200));
          lease.release();
          await new Promise((resolve) => setTimeout(resolve, 100));
        }`,
    };
    const ended = await withProgram(files, (at) => runProgram(join(at, 'main.ts')));
    assert.deepEqual([ended.stdout, ended.stderr, ended.code], ['got\n', '', 0]);
  });

  test('50,000 objects made and dropped leave the arena as small as it was', async () => {
    const heap = new URL('../../src/arena/heap.ts', import.meta.url).href;
    const source = `
      import { Barrier, Condition, Event, Lock, Semaphore } from '${new URL('../../src/index.ts', import.meta.url).href}';
      import { heapWords } from '${heap}';
      const makers = [() => new Lock(), () => new Semaphore(3), () => new Event(), () => new Condition(), () => new Barrier(2)];
      async function round(count: number): Promise<void> {
        for (let i = 0; i < count; i++) {
          const made = makers[i % makers.length]!();
          if (made instanceof Lock) made.acquireSync().release();
          if (i % 1000 === 999) { globalThis.gc!(); await new Promise((r) => setTimeout(r, 0)); }
        }
        globalThis.gc!();
        await new Promise((r) => setTimeout(r, 10));
      }
      await round(5000);
      const before = heapWords();
      await round(50_000);
      console.log(heapWords() - before);`;
    const ended = await withProgram({ 'main.ts': source }, (at) =>
      runProgram(join(at, 'main.ts'), { node: ['--expose-gc'] }),
    );
    assert.equal(ended.stderr, '');
    // Each takes 32 words; when the collector lags by a batch, that is no leak.
    assert.ok(Number(ended.stdout) <= 2000 * 64, ended.stdout);
  });
});

test('a storm of acquires, timeouts and deaths over four processes never lets two in', async () => {
  const seed = Date.now() % 1e6;
  const random = targets.randomOf(seed);
  console.log(`storm: seed ${seed}`);
  const [lock, semaphore, file] = [new Lock(), new Semaphore(2), newFile()];
  const ms = 2500;
  const common = { lock, semaphore, file, ms };
  const survivors = [1, 2, 3].map((n) => start(targets.storm, { ...common, seed: seed + n }));
  const end = performance.now() + ms - 400;
  // Victims use a semaphore of their own: the permits of the dead are lost by contract.
  for (let n = 1e6; performance.now() < end; n++) {
    const victim = start(targets.storm, { ...common, semaphore: new Semaphore(1), seed: n });
    await until(() => victim.state !== 'ready');
    await sleep(random() * 150);
    await killed(victim);
  }
  const held = await Promise.all(survivors.map((child) => child.result()));
  assert.equal(semaphore.value, 2, `seed ${seed}`);
  assert.equal(lock.isLocked, false, `seed ${seed}`);
  let inside = '';
  for (const line of linesOf(file)) {
    const who = line.slice(1);
    if (line.startsWith('+')) {
      // Of the dead one, no line says that it left.
      assert.ok(inside === '' || Number(inside) >= 1e6, `seed ${seed}: ${who} came in beside ${inside}`);
      inside = who;
    } else {
      assert.equal(inside, who, `seed ${seed}`);
      inside = '';
    }
  }
  assert.ok(Math.min(...held) > 20, `seed ${seed}: ${held}`);
});

test('every lease of a lock says when it was abandoned only once', async () => {
  const lock = new Lock();
  const leases: Lease[] = [];
  await inChild(targets.acquireAndKeep, lock);
  for (let i = 0; i < 3; i++) {
    const lease = await lock.acquire();
    leases.push(lease);
    lease.release();
  }
  assert.deepEqual(
    leases.map((lease) => lease.abandoned),
    [true, false, false],
  );
});
