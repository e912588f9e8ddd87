import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { Barrier, type Deadlock, deadlocks, Event, Lock, RLock, Semaphore, setDeadlockReport } from 'manyhands';
import { type Ended, root, runProgram, until } from '../support/program.ts';
import { endAll, start, waitsFor } from './children.ts';
import * as targets from './deadlock-targets.ts';

afterEach(endAll);

/** Resolves with the deadlocks once there are any. */
async function found(): Promise<Deadlock[]> {
  await until(() => deadlocks().length > 0);
  return deadlocks();
}

for (const [first, second] of [
  ['blocking', 'blocking'],
  ['awaited', 'awaited'],
  ['blocking', 'awaited'],
] as const) {
  test(`two processes that cross their locks (${first}, ${second}) are named, with what they hold and wait for`, async () => {
    const [left, right] = [new Lock({ name: 'left' }), new RLock({ name: 'right' })];
    const met = new Barrier(2);
    const one = start(targets.cross, first, left, right, met);
    const two = start(targets.cross, second, right, left, met);
    const [deadlock, ...others] = await found();
    assert.deepEqual(others, []);
    const sorted = [...deadlock!.cycle].sort((a, b) => a.holds!.localeCompare(b.holds!));
    assert.deepEqual(sorted, [
      { unit: `process "${one.name}"`, pid: one.pid, holds: 'lock "left"', waitsFor: 'rlock "right"' },
      { unit: `process "${two.name}"`, pid: two.pid, holds: 'rlock "right"', waitsFor: 'lock "left"' },
    ]);
    assert.match(deadlock!.text, /^deadlock of 2 units:\n {2}process ".*" \(pid \d+\) holds .* and waits for /);
    assert.ok(Object.isFrozen(deadlock) && Object.isFrozen(deadlock!.cycle) && Object.isFrozen(sorted[0]));
    one.kill();
    await one.join();
    await two.result();
    assert.deepEqual(deadlocks(), []);
  });
}

test('three units in a ring are one deadlock, in the order in which they wait', async () => {
  const locks = ['a', 'b', 'c'].map((name) => new Lock({ name }));
  const met = new Barrier(3);
  for (const i of [0, 1, 2]) start(targets.cross, 'blocking', locks[i]!, locks[(i + 1) % 3]!, met);
  const [deadlock] = await found();
  assert.equal(deadlock!.cycle.length, 3);
  for (const [i, { holds }] of deadlock!.cycle.entries()) assert.equal(deadlock!.cycle.at(i - 1)!.waitsFor, holds);
});

for (const manner of ['blocking', 'awaited'] as const) {
  test(`a unit that wants a lock twice (${manner}) is a deadlock with itself`, async () => {
    start(targets.twice, manner, new Lock({ name: 'again' }));
    const [deadlock] = await found();
    assert.match(
      deadlock!.text,
      /^deadlock of a unit with itself:\n {2}process .* holds lock "again" and waits for lock "again"$/,
    );
  });
}

test('locks without names are told apart by their numbers', async () => {
  const [left, right] = [new Lock(), new Lock()];
  const met = new Barrier(2);
  start(targets.cross, 'blocking', left, right, met);
  start(targets.cross, 'blocking', right, left, met);
  const [{ cycle }] = (await found()) as [Deadlock];
  for (const { holds } of cycle) assert.match(holds!, /^lock #\d+$/);
  assert.notEqual(cycle[0]!.holds, cycle[1]!.holds);
});

describe('no deadlock is', () => {
  test('a chain that ends at somebody who runs', async () => {
    const [first, second] = [new Lock({ name: 'first' }), new Lock({ name: 'second' })];
    const lease = await second.acquire();
    const holds = new Event();
    const middle = start(targets.chain, first, second, holds);
    await holds.wait();
    const last = start(targets.take, first);
    await waitsFor(middle, 'lock "second"');
    await waitsFor(last, 'lock "first"');
    assert.deepEqual(deadlocks(), []);
    lease.release();
    await last.result();
  });

  test('a cycle in which one awaits something else as well, has a timer, or gives up at some time', async () => {
    const ways = [
      (a: Lock, b: Lock, met: Barrier) => start(targets.crossWithWayOut, a, b, met, new Semaphore(0)),
      (a: Lock, b: Lock, met: Barrier) => start(targets.crossWithTimer, a, b, met),
      (a: Lock, b: Lock, met: Barrier) => start(targets.crossWithLimit, a, b, met),
    ];
    // A true one comes last: when it is seen, the others have had their time.
    const all = [...ways, (a: Lock, b: Lock, met: Barrier) => start(targets.cross, 'awaited', a, b, met)];
    for (const [i, way] of all.entries()) {
      const [left, right] = [new Lock({ name: `left ${i}` }), new Lock({ name: `right ${i}` })];
      const met = new Barrier(2);
      const one = way(left, right, met);
      const two = start(targets.cross, 'awaited', right, left, met);
      await until(() => (one.waitingFor ?? '').includes(`${i}"`) || i === 0);
      await waitsFor(two, `lock "left ${i}"`);
    }
    const [deadlock, ...others] = await found();
    assert.deepEqual([deadlock!.cycle[0]!.holds?.slice(-2), others], ['3"', []]);
  });
});

const program = join(root, 'test/sync/deadlock-program.ts');

/** Runs a way of the program until `isOver`, or to its end. */
function run(way: string, reportMs: number | undefined, isOver?: (stderr: string) => boolean): Promise<Ended> {
  return runProgram(program, {
    args: [way],
    env: { MANYHANDS_DEADLOCK_REPORT_MS: reportMs?.toString() },
    during: async (running) => {
      if (isOver === undefined) return;
      await until(() => isOver(running.stderr));
      running.child.kill('SIGKILL');
    },
  });
}

const isReported = (stderr: string): boolean => stderr.includes('Nothing was ended.');

describe('a program in which all units wait for each other says so', { concurrency: true }, () => {
  for (const way of ['cross awaited', 'cross blocking', 'cross blocking joinSync']) {
    test(`${way}: once, with names and the deadlock`, async () => {
      // The second of two looks of each unit lies behind a further report's time.
      let reportedAtMs = 0;
      const { stderr } = await run(way, 150, (text) => {
        if (isReported(text) && reportedAtMs === 0) reportedAtMs = performance.now();
        return reportedAtMs > 0 && performance.now() > reportedAtMs + 800;
      });
      assert.equal(stderr.match(/^Manyhands: all units of this program wait for each other/gm)?.length, 1, stderr);
      assert.match(stderr, /^ {2}main process \(pid \d+\) waits for .*process "A"/m);
      assert.match(stderr, /^ {2}process "A" \(pid \d+\) waits for lock "right"$/m);
      assert.match(stderr, /^deadlock of 2 units:$/m);
    });
  }

  test('a parent that joins a child which wants its lock', async () => {
    for (const way of ['parent awaited', 'parent blocking']) {
      const { stderr } = await run(way, 100, isReported);
      assert.match(stderr, /^ {2}main process \(pid \d+\) holds lock "parent's" and waits for process "C"$/m);
      assert.match(stderr, /^ {2}process "C" \(pid \d+\) waits for lock "parent's"$/m);
    }
  });

  test('units that wait for what belongs to nobody: without a cycle', async () => {
    const { stderr } = await run('event', 100, isReported);
    assert.match(stderr, /^ {2}process "E" \(pid \d+\) waits for event "never"$/m);
    assert.doesNotMatch(stderr, /deadlock of/);
  });

  test('setDeadlockReport counts for all units, before the environment', async () => {
    assert.match((await run('set', 0, isReported)).stderr, /\(seen for 0\.12 s\)/);
  });
});

describe('a program is not reported', { concurrency: true }, () => {
  // Each ends by itself after many times the report's time.
  for (const [way, why] of Object.entries({
    timer: 'with a timer in its main process',
    'hidden timer': 'with a timer that does not keep it alive',
    server: 'with a server',
    'hidden server': 'with a server that does not keep it alive',
    signal: 'with a listener for a signal',
    limit: 'when a wait has a time',
    aborting: 'when a wait has a signal',
    busy: 'when a unit that uses no shared object is at work',
  })) {
    test(why, async () => {
      const { stderr, code } = await run(way, 50);
      assert.deepEqual([stderr, code], ['', 0]);
    });
  }

  test('when the environment switches that off, or the program does', async () => {
    for (const [way, ms] of [
      ['off', 0],
      ['set off', 50],
    ] as const) {
      const { stderr, code } = await run(way, ms);
      assert.deepEqual([stderr, code], ['', 0]);
    }
  });
});

test('a report after a time that is none is refused', () => {
  for (const options of [undefined, null, true, 5, {}, { afterMs: 0 }, { afterMs: 1.5 }, { afterMs: 2 ** 31 }]) {
    assert.throws(() => setDeadlockReport(options as never), {
      name: 'ValidationError',
      code: 'ERR_VALIDATION',
      message: /^setDeadlockReport\(\) takes false or \{ afterMs \}, an integer from 1 to 1073741824, and got /,
    });
  }
});
