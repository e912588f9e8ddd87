import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'node:test';
import { Process, UnitCrashedError } from 'manyhands';
import * as targets from './targets.ts';
import { occurrences, type Watched, watch } from './watch.ts';

/** Keeps the thread busy until `condition` holds, so that Node learns of nothing meanwhile. */
function spinUntil(condition: () => boolean): void {
  const deadline = performance.now() + 20_000;
  while (!condition()) assert.ok(performance.now() < deadline, 'it did not come true in time');
}

/** Whether child `pid` has ended and Node has not reaped it. */
function isZombie(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // Its main thread may be a zombie while others still end.
  return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z' && readdirSync(`/proc/${pid}/task`).length === 1;
}

/** Checks that `result()` rejected because the process ended before the target returned. */
function assertCrashed({ error, exit, process: child }: Watched<unknown>, mention: RegExp): void {
  assert.ok(error instanceof UnitCrashedError, `${error}`);
  assert.equal(error.code, 'ERR_UNIT_CRASHED');
  assert.equal(error.unit, 'subject');
  assert.deepEqual({ ...error.exit }, { ...exit });
  assert.match(error.message, /Process "subject"/);
  assert.match(error.message, mention);
  assert.equal(child.isAlive, false);
  assert.equal(child.state, 'terminated');
}

test('a target that returns ends its process normally', async () => {
  const end = await watch({ target: targets.give, args: [{ a: 1 }] });
  assert.deepEqual({ ...end.exit }, { kind: 'normal', code: 0 });
  assert.deepEqual([end.value, end.process.exitCode], [{ a: 1 }, 0]);
  assert.deepEqual([end.stdout, end.stderr], ['', '']);
});

test('nothing is said of the end while the process runs', async () => {
  await watch({ target: targets.stay }, (child) => {
    assert.deepEqual([child.exit, child.exitCode, child.isAlive], [undefined, undefined, true]);
    child.kill();
  });
});

test('an exit code that a target sets and returns under is an error exit, and the result stays', async () => {
  const end = await watch({ target: targets.setExitCode, args: [5] });
  assert.deepEqual({ ...end.exit }, { kind: 'error', code: 5 });
  assert.deepEqual([end.value, end.process.exitCode], ['returned', 5]);
});

test('process.exit(0) before the target returned is a normal exit without a result', async () => {
  const end = await watch({ target: targets.exitWith, args: [0] });
  assert.deepEqual({ ...end.exit }, { kind: 'normal', code: 0 });
  assert.equal(end.process.exitCode, 0);
  assertCrashed(end, /exited with code 0 before its target returned/);
});

test('process.exit(n) is an error exit with that code', async () => {
  for (const code of [3, 1, 255]) {
    const end = await watch({ target: targets.exitWith, args: [code] });
    assert.deepEqual({ ...end.exit }, { kind: 'error', code });
    assert.equal(end.process.exitCode, code);
    assertCrashed(end, new RegExp(`exited with code ${code}`));
    assert.equal(end.stderr, '');
  }
});

test('what a target throws is what result() rejects with, and its process ended fatally with code 1', async () => {
  for (const value of [undefined, null, 0, '', false, Number.NaN, 10n, { plain: true }]) {
    const end = await watch({ target: targets.raise, args: [value] });
    assert.equal(end.rejected, true);
    assert.deepEqual(end.error, value);
    assert.deepEqual({ ...end.exit }, { kind: 'fatal', code: 1, error: value });
    assert.ok('error' in end.exit);
    assert.equal(end.process.exitCode, 1);
    assert.equal(occurrences(end.stderr, 'Process "subject"'), 1, end.stderr);
  }
});

test('a thrown value that cannot be copied is described in its place', async () => {
  const end = await watch({ target: targets.raiseSymbol });
  assert.equal(end.exit.kind, 'fatal');
  assert.match(end.error.message, /cannot be copied/);
  assert.match(end.error.message, /secret/);
});

test('a thrown error keeps class, name, code, cause, own properties and its remote stack', async () => {
  const { error, exit, stderr } = await watch({ target: targets.refuseOrder, args: [7] });
  assert.ok(error instanceof targets.OrderError);
  assert.ok(error instanceof Error);
  assert.deepEqual([error.name, error.message, error.code], ['OrderError', 'no stock', 'ERR_ORDER']);
  assert.deepEqual(error.item, { id: 7 });
  assert.equal(error.describe(), 'no stock (item 7)');
  assert.ok(error.cause instanceof RangeError);
  assert.equal((error.cause as Error).message, 'the shelf is empty');
  assert.match(error.stack ?? '', /refuseOrder.*targets\.ts:\d+:\d+/);
  assert.equal(exit.error, error);
  assert.deepEqual([exit.kind, exit.code], ['fatal', 1]);
  assert.equal(occurrences(stderr, 'OrderError: no stock'), 1, stderr);
});

test('the stack of an uncaught error stands on standard error once, with the name of the process', async () => {
  for (const target of [targets.rejectLater, targets.leaveThrow, targets.leaveRejection]) {
    const { stderr, error } = await watch<[], unknown>({ target });
    assert.ok(error instanceof TypeError);
    assert.equal(occurrences(stderr, `TypeError: ${error.message}`), 1, stderr);
    assert.equal(occurrences(stderr, 'Process "subject" (pid '), 1, stderr);
    assert.match(stderr, /targets\.ts:\d+:\d+/);
  }
});

test('an unhandled rejection in the process is a fatal end, also after the target returned', async () => {
  const { error, exit, process: child } = await watch({ target: targets.leaveRejection });
  assert.ok(error instanceof TypeError);
  assert.equal(error.message, 'nobody caught this');
  assert.deepEqual([exit.kind, exit.code, child.exitCode], ['fatal', 1, 1]);
  assert.equal(exit.error, error);
});

test('a stray throw after the target returned is a fatal end', async () => {
  const { error, exit } = await watch({ target: targets.leaveThrow });
  assert.ok(error instanceof TypeError);
  assert.equal(error.message, 'thrown by a timer');
  assert.match(error.stack ?? '', /targets\.ts/);
  assert.equal(exit.kind, 'fatal');
});

test('a stray thrown 0 is not lost', async () => {
  const end = await watch({ target: targets.leaveThrownZero });
  assert.deepEqual([end.rejected, end.error, end.exit.kind, end.exit.code], [true, 0, 'fatal', 1]);
});

test('an uncaught error that the target deals with itself ends nothing', async () => {
  const end = await watch({ target: targets.surviveThrow });
  assert.deepEqual([end.value, end.exit.kind, end.stderr], ['TypeError: dealt with', 'normal', '']);
});

test('process.abort() is a fatal end with SIGABRT', async () => {
  const end = await watch({ target: targets.abort });
  assert.deepEqual({ ...end.exit }, { kind: 'fatal', signal: 'SIGABRT' });
  assert.equal(end.process.exitCode, -6);
  assertCrashed(end, /broke down with SIGABRT/);
});

test('a segmentation fault is a fatal end with SIGSEGV', async () => {
  for (const target of [targets.faultItself, targets.writeToNowhere]) {
    const end = await watch({ target });
    assert.deepEqual({ ...end.exit }, { kind: 'fatal', signal: 'SIGSEGV' });
    assert.equal(end.process.exitCode, -11);
    assertCrashed(end, /broke down with SIGSEGV/);
  }
});

test('a full V8 heap is a fatal end by a signal', async () => {
  const end = await watch({ target: targets.fillHeap, execArgv: ['--max-old-space-size=32'] });
  assert.equal(end.exit.kind, 'fatal');
  assert.ok(end.exit.signal !== undefined && (end.process.exitCode ?? 0) < 0, `${end.process.exitCode}`);
  assertCrashed(end, /broke down with SIG/);
  assert.match(end.stderr, /heap out of memory/);
});

const memoryLimitBytes = 128 * 2 ** 20;

test('memoryLimitBytes bounds buffers: allocation fails with an error of the language', async () => {
  const end = await watch({ target: targets.fillBuffers, args: [4 * memoryLimitBytes], memoryLimitBytes });
  assert.equal(end.exit.kind, 'fatal');
  assert.ok(end.error instanceof Error, `${end.error}`);
  if (!(end.error instanceof UnitCrashedError)) assert.match(end.error.message, /memory|allocation/i);
});

test('what fits under memoryLimitBytes is untouched by it', async () => {
  const end = await watch({ target: targets.fillBuffers, args: [memoryLimitBytes / 4], memoryLimitBytes });
  assert.deepEqual([end.value, end.exit.kind], [memoryLimitBytes / 4, 'normal']);
});

test('memoryLimitBytes bounds the V8 heap: the process ends fatally', async () => {
  const end = await watch({ target: targets.fillHeap, memoryLimitBytes });
  assert.equal(end.exit.kind, 'fatal');
  assertCrashed(end, /broke down with SIG/);
});

test('a target that awaits what can never happen ends its process with code 13 and says so', async () => {
  const end = await watch({ target: targets.awaitNothing });
  assert.deepEqual({ ...end.exit }, { kind: 'error', code: 13 });
  assertCrashed(end, /awaits something that can no longer happen/);
  assert.equal(occurrences(end.stderr, 'Process "subject"'), 1, end.stderr);
});

test('a signal from another process kills, and the end names it', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP'] as const) {
    const end = await watch({ target: targets.stay }, (child) => process.kill(child.pid!, signal));
    assert.deepEqual({ ...end.exit }, { kind: 'killed', signal });
    assert.equal(end.process.exitCode, -constants.signals[signal]);
    assertCrashed(end, new RegExp(`was killed by ${signal}`));
    assert.equal(end.stderr, '');
  }
});

test('a result stands, also when a signal ends the process after the target returned', async () => {
  const end = await watch({ target: targets.linger }, (child) => child.kill());
  assert.deepEqual([end.value, { ...end.exit }], ['returned', { kind: 'killed', signal: 'SIGKILL' }]);
});

test('a busy loop is killed by SIGTERM as well', async () => {
  const end = await watch({ target: targets.spin }, (child) => process.kill(child.pid!, 'SIGTERM'));
  assert.deepEqual({ ...end.exit }, { kind: 'killed', signal: 'SIGTERM' });
});

test('terminate(), kill() and interrupt() send SIGTERM, SIGKILL and SIGINT', async () => {
  const calls: [(child: Process<[], Promise<never>>) => void, string][] = [
    [(child) => child.terminate(), 'SIGTERM'],
    [(child) => child.kill(), 'SIGKILL'],
    [(child) => child.interrupt(), 'SIGINT'],
  ];
  for (const [call, signal] of calls) {
    const end = await watch({ target: targets.stay }, call);
    assert.deepEqual({ ...end.exit }, { kind: 'killed', signal });
    call(end.process as unknown as Process<[], Promise<never>>); // once more, to no effect
  }
});

test('a process can be ended right after start(), before its target runs', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGINT'] as const) {
    const child = new Process({ target: targets.stay, name: 'subject', stdio: 'ignore' });
    child.start();
    process.kill(child.pid!, signal);
    await assert.rejects(child.result(), UnitCrashedError);
    assert.deepEqual({ ...child.exit }, { kind: 'killed', signal });
  }
});

test('a target that handles SIGTERM leaves in its own way', async () => {
  const end = await watch({ target: targets.leaveOnTerminate, args: ['cleaned up'] }, (child) => child.terminate());
  assert.deepEqual([end.value, { ...end.exit }], ['cleaned up', { kind: 'normal', code: 0 }]);
});

test('a target that ignores SIGTERM goes on, and kill() ends it', async () => {
  const end = await watch({ target: targets.ignoreTerminate }, async (child) => {
    const heard = new Promise<void>((resolve) => {
      child.stdout!.on('data', (chunk) => String(chunk).includes('heard') && resolve());
    });
    child.terminate();
    await heard;
    assert.equal(child.isAlive, true);
    child.kill();
  });
  assert.deepEqual({ ...end.exit }, { kind: 'killed', signal: 'SIGKILL' });
});

test('processes that ended together are all known to have ended as soon as one of them is', async () => {
  const children = Array.from({ length: 6 }, (_, index) => new Process({ target: targets.exitWith, args: [index] }));
  for (const child of children) child.start();
  // Node learns of all their ends at once, when its event loop goes on.
  spinUntil(() => children.every((child) => isZombie(child.pid!)));
  const seen = await Promise.all(
    children.map(async (child) => {
      await child.join();
      return children.map(({ exitCode, isAlive }) => [exitCode, isAlive]);
    }),
  );
  for (const codes of seen)
    assert.deepEqual(
      codes,
      [0, 1, 2, 3, 4, 5].map((code) => [code, false]),
    );
});

test('join(0) sees an end of which Node has not told yet', async () => {
  const child = new Process({ target: targets.give, args: [1] });
  child.start();
  spinUntil(() => !child.isAlive);
  assert.equal(await child.join(0), true);
});

test('what a target threw when it was aborted stands in exit, and the reason in result()', async () => {
  const abort = new AbortController();
  const end = await watch({ target: targets.throwOnTerminate, signal: abort.signal }, () => abort.abort('enough'));
  assert.deepEqual([end.rejected, end.error, end.exit.kind], [true, 'enough', 'fatal']);
  assert.ok(end.exit.error instanceof TypeError);
});
