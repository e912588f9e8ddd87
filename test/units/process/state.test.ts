import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { Process, type ProcessOptions } from 'manyhands';
import { until } from '../../support/program.ts';
import { slowSpin } from './slow-import.ts';
import * as targets from './targets.ts';
import { saysHere } from './watch.ts';

const living: Process[] = [];

/** A started process, killed after the test. */
function started<A extends readonly unknown[], R>(options: ProcessOptions<A, R>): Process<A, R> {
  const child = new Process({ stdio: 'pipe', ...options });
  child.start();
  living.push(child as unknown as Process);
  return child;
}

afterEach(async () => {
  for (const child of living.splice(0)) {
    child.kill();
    await child.join();
  }
});

/** Keeps the thread busy, so that Node learns of nothing, until `condition` holds. */
function spinUntil(condition: () => boolean): void {
  const deadline = performance.now() + 20_000;
  while (!condition()) assert.ok(performance.now() < deadline, `${condition}`);
}

test('a process that was not started is new', () => {
  const child = new Process({ target: targets.give });
  assert.deepEqual([child.state, child.waitingFor, child.isAlive, child.pid], ['new', undefined, false, undefined]);
});

test('a started process is ready until its target runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-state-'));
  const file = join(folder, 'go');
  const child = started({ target: slowSpin, env: { IMPORT_UNTIL: file } });
  assert.deepEqual([child.state, child.waitingFor, child.isAlive], ['ready', undefined, true]);
  try {
    // Its boot and its import are no concern of the target, although Node blocks and runs meanwhile.
    await saysHere(child);
    for (let look = 0; look < 100; look++) {
      assert.deepEqual([child.state, child.waitingFor], ['ready', undefined]);
      await new Promise(setImmediate);
    }
    writeFileSync(file, '');
    await until(() => child.state === 'running');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a target in a busy loop is running and waits for nothing', async () => {
  const child = started({ target: targets.spin });
  await saysHere(child);
  // Now and then its thread waits for V8's own ones, to hand over code that was compiled.
  await until(() => child.state === 'running' && child.waitingFor === undefined);
});

test('a suspended process is ready, and goes on where it was', async () => {
  const child = started({ target: targets.spin });
  await saysHere(child);
  child.suspend();
  assert.equal(child.state, 'ready');
  child.suspend(); // twice is once
  assert.deepEqual([child.state, child.waitingFor, child.isAlive], ['ready', undefined, true]);
  child.resume();
  await until(() => child.state === 'running');
  child.resume();
});

test('a process stopped by somebody else is ready as well', async () => {
  const child = started({ target: targets.spin });
  await saysHere(child);
  process.kill(child.pid!, 'SIGSTOP');
  await until(() => child.state === 'ready');
  process.kill(child.pid!, 'SIGCONT');
  await until(() => child.state === 'running');
});

test('a process suspended right after its start does not run its target before it is resumed', async () => {
  const child = started({ target: targets.give, args: ['done'] });
  child.suspend();
  assert.equal(await child.join(300), false);
  assert.deepEqual([child.state, child.isAlive], ['ready', true]);
  child.resume();
  assert.equal(await child.result(), 'done');
});

test('a suspended process can be terminated', async () => {
  for (const call of ['terminate', 'kill', 'interrupt'] as const) {
    const child = started({ target: targets.stay });
    if (call !== 'terminate') await saysHere(child);
    child.suspend();
    child[call]();
    assert.equal(await child.join(), true);
    assert.equal(child.exit?.kind, 'killed');
    assert.equal(child.state, 'terminated');
  }
});

test('a target that waits for a timer is blocked and waits for an event', async () => {
  const child = started({ target: targets.stay });
  await saysHere(child);
  // On the way there, it may wait for V8's own threads.
  await until(() => child.waitingFor?.includes('event') === true);
  await until(() => child.state === 'blocked');
});

test('a target in Atomics.wait is blocked and waits for another thread', async () => {
  const child = started({ target: targets.waitOnAtomics });
  await saysHere(child);
  // A kernel may keep to itself where a process sleeps.
  await until(() => /another thread|an event/.test(child.waitingFor ?? ''));
  await until(() => child.state === 'blocked');
});

test('a process that joins another one, blocking or not, waits for that process by name', async () => {
  for (const target of [targets.joinChildSync, targets.awaitChild]) {
    const child = started({ target, args: ['x'] });
    await until(() => child.waitingFor === 'process "x"');
    await until(() => child.state === 'blocked');
  }
});

test('what a process waited for is forgotten once it goes on', async () => {
  const child = started({ target: targets.waitForTwo, args: ['first', 'second'] });
  const isHere = saysHere(child);
  await until(() => child.waitingFor === 'process "second"');
  await isHere;
  for (let look = 0; look < 100; look++) assert.doesNotMatch(child.waitingFor ?? '', /process/);
  await until(() => child.state === 'running');
});

test('a process that has ended is terminated', async () => {
  const child = started({ target: targets.give });
  await child.join();
  assert.deepEqual([child.state, child.waitingFor, child.isAlive, child.exitCode], ['terminated', undefined, false, 0]);
  child.close();
  assert.deepEqual([child.state, child.isAlive, child.exitCode], ['terminated', false, 0]);
});

test('a busy parent sees the end of its child without its event loop', () => {
  for (const [code, look] of [
    [3, (child: Process<[number]>) => child.exitCode !== undefined],
    [4, (child: Process<[number]>) => !child.isAlive],
    [5, (child: Process<[number]>) => child.state === 'terminated'],
    [6, (child: Process<[number]>) => child.exit !== undefined],
  ] as const) {
    const child = started<[number], unknown>({ target: targets.exitWith, args: [code], stdio: 'inherit' });
    spinUntil(() => look(child));
    assert.deepEqual([child.exitCode, child.isAlive, child.state], [code, false, 'terminated']);
    assert.deepEqual({ ...child.exit }, { kind: 'error', code });
  }
});

test('state, isAlive and exitCode agree at every moment of an end', async () => {
  for (let round = 0; round < 10; round++) {
    const child = started({ target: targets.give, stdio: 'inherit' });
    spinUntil(() => {
      const { state } = child;
      // The later look may see the end that the earlier one did not, and never the other way round.
      if (state === 'terminated') assert.deepEqual([child.isAlive, child.exitCode], [false, 0]);
      return state === 'terminated';
    });
    await child.join();
  }
});

test('joinSync sees the end, times out without it, and uses no processor', () => {
  const child = started({ target: targets.exitWith, args: [7], stdio: 'inherit' });
  child.suspend();
  const before = process.cpuUsage();
  assert.equal(child.joinSync(250), false);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 125_000, `${user + system} µs`);
  child.resume();
  assert.equal(child.joinSync(), true);
  assert.deepEqual([child.exitCode, child.state], [7, 'terminated']);
  assert.equal(child.joinSync(), true);
});
