import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Event, Thread, UnitCrashedError, type UnitOptions, wait } from 'manyhands';
import { runProgram, withProgram } from '../../support/program.ts';
import * as targets from './targets.ts';

function started<A extends readonly unknown[], R>(options: UnitOptions<A, R>): Thread<A, R> {
  const thread = new Thread(options);
  thread.start();
  return thread;
}

/** A thread that is busy for ever, once it is. */
function spinning(options: { signal?: AbortSignal } = {}): Thread {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const thread = started({ target: targets.spin, args: [words], ...options });
  Atomics.wait(words, 0, 0, 20_000);
  assert.equal(Atomics.load(words, 0), 1);
  return thread as unknown as Thread;
}

test('process.exit() ends the thread alone, and its code says how', async () => {
  const codes = [0, 3];
  const threads = codes.map((code) => started({ target: targets.exitWith, args: [code] }));
  const kinds = ['normal', 'error'];
  for (const [i, thread] of threads.entries()) {
    await assert.rejects(thread.result(), UnitCrashedError);
    assert.deepEqual(thread.exit, { kind: kinds[i], code: codes[i] });
    assert.equal(thread.exitCode, codes[i]);
  }
});

test('process.exitCode is the code of a thread whose target returns', async () => {
  const thread = started({ target: targets.setExitCode, args: [4] });
  assert.equal(await thread.result(), 'returned');
  assert.deepEqual(thread.exit, { kind: 'error', code: 4 });
});

test('a stray error ends the thread, and a target that can never go on is told of', async () => {
  const stray = started({ target: targets.raiseLater });
  const unsettled = started({ target: targets.neverSettles });
  await assert.rejects(stray.result(), targets.OrderError);
  assert.equal(stray.exit?.kind, 'fatal');
  await assert.rejects(unsettled.result(), /awaits something that can no longer happen/);
  assert.equal(unsettled.exitCode, 13);
});

test('a busy thread can be terminated', async () => {
  const thread = spinning();
  thread.terminate();
  assert.equal(await thread.join(), true);
  assert.deepEqual([thread.exit, thread.exitCode], [{ kind: 'killed' }, -15]);
  await assert.rejects(thread.result(), (error: unknown) => {
    assert.ok(error instanceof UnitCrashedError);
    assert.equal(error.exit.kind, 'killed');
    assert.match(error.message, /Thread "Thread-\d+" \(thread \d+\) was terminated before its target returned\./);
    return true;
  });
  thread.terminate();
});

test('a thread can be terminated at any moment of its start', async () => {
  const before = readdirSync('/proc/self/fd').length;
  const threads = Array.from({ length: 6 }, () => started({ target: targets.neverEnds }));
  for (const [i, thread] of threads.entries()) {
    for (let turn = 0; turn < i * 10; turn++) await new Promise(setImmediate);
    thread.terminate();
  }
  for (const thread of threads) {
    await thread.join();
    assert.equal(thread.exit?.kind, 'killed');
  }
  assert.ok(readdirSync('/proc/self/fd').length <= before + 2);
});

test('a thread can be terminated while it starts threads of its own', async () => {
  for (let turns = 0; turns < 60; turns += 20) {
    const event = new Event();
    const thread = started({ target: targets.nest, args: [event] });
    await event.wait();
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    thread.terminate();
    await thread.join();
    assert.equal(thread.exit?.kind, 'killed');
  }
});

test('joinSync() blocks until the end, however it comes', () => {
  const cases: [Thread, unknown][] = [
    [started({ target: targets.give, args: [1] }) as unknown as Thread, { kind: 'normal', code: 0 }],
    [started({ target: targets.exitWith, args: [3] }) as unknown as Thread, { kind: 'error', code: 3 }],
    [spinning(), { kind: 'killed' }],
    [started({ target: targets.neverEnds }) as unknown as Thread, { kind: 'killed' }],
  ];
  for (const [thread] of cases.slice(2)) {
    assert.equal(thread.joinSync(0), false);
    assert.equal(thread.joinSync(5), false);
    thread.terminate();
  }
  for (const [thread, exit] of cases) {
    assert.equal(thread.joinSync(), true);
    assert.deepEqual([thread.exit, thread.isAlive, thread.state], [exit, false, 'terminated']);
  }
});

test('a thread that blocks for a process can be terminated', async () => {
  const begun = new Event();
  const thread = started({ target: targets.joinForEver, args: [begun] });
  await begun.wait();
  thread.terminate();
  await thread.join();
  assert.equal(thread.exit?.kind, 'killed');
});

test('a signal ends the thread, and result() rejects with its reason', async () => {
  const controller = new AbortController();
  const thread = spinning({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(thread.result(), /^Error: enough$/);
  assert.equal(thread.exit?.kind, 'killed');
  const late = new Thread({ target: targets.give, args: [1], signal: controller.signal });
  assert.throws(() => late.start(), /enough/);
});

test('disposing ends the thread and waits for that', async () => {
  const thread = spinning();
  assert.equal(thread.isAlive, true);
  await thread[Symbol.asyncDispose]();
  assert.deepEqual([thread.isAlive, thread.exit?.kind], [false, 'killed']);
});

test('wait() waits for threads', async () => {
  const slow = spinning();
  const quick = started({ target: targets.give, args: [1] }) as unknown as Thread;
  assert.deepEqual(await wait([slow, quick]), [quick]);
  slow.terminate();
  assert.deepEqual(await wait([slow]), [slow]);
});

test('a thread that runs out of memory ends alone', async () => {
  const files = {
    'program.ts': `
      import { Thread } from 'manyhands';
      function fill(): void {
        const kept: unknown[] = [];
        for (;;) kept.push(new Array(10_000).fill(kept.length));
      }
      if (import.meta.main ?? true) {
        for (const isBlocked of [false, true]) {
          const thread = new Thread({ target: fill, name: 'filler' });
          thread.start();
          if (isBlocked) thread.joinSync();
          const error = await thread.result().catch((error) => error);
          console.log(error.code, error.unit, thread.exit.kind, thread.exitCode, error.cause.code);
        }
      }`,
  };
  const { stdout, code } = await withProgram(files, (folder) =>
    runProgram(`${folder}/program.ts`, { node: ['--max-old-space-size=32'] }),
  );
  assert.equal(stdout, 'ERR_UNIT_CRASHED filler fatal 1 ERR_WORKER_OUT_OF_MEMORY\n'.repeat(2));
  assert.equal(code, 0);
});

test('the program waits for its threads, daemons excepted, and ends with them', async () => {
  const files = {
    'program.ts': `
      import { isMainProcess, Thread } from 'manyhands';
      export async function work(): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 50));
        console.log('worked');
      }
      export function idle(): void {
        setInterval(() => {}, 1000);
      }
      if (isMainProcess) {
        new Thread({ target: work }).start();
        new Thread({ target: idle, daemon: true }).start();
        console.log('main is through');
      }`,
  };
  const ended = await withProgram(files, (folder) => runProgram(`${folder}/program.ts`));
  assert.deepEqual([ended.stdout, ended.stderr, ended.code], ['main is through\nworked\n', '', 0]);
});

test('a program may exit while its threads are still starting', async () => {
  const files = {
    'program.ts': `
      import { isMainProcess, Thread } from 'manyhands';
      export function idle(): void {}
      if (isMainProcess) {
        for (let i = 0; i < 4; i++) new Thread({ target: idle }).start();
        process.exit(5);
      }`,
  };
  const ended = await withProgram(files, (folder) => runProgram(`${folder}/program.ts`));
  assert.deepEqual([ended.stderr, ended.signal, ended.code], ['', null, 5]);
});

test('a thread started by the import of its module is refused, once and clearly', async () => {
  const files = {
    'program.ts': `
      import { Thread } from 'manyhands';
      export function work(): void {}
      new Thread({ target: work }).start();`,
  };
  const ended = await withProgram(files, (folder) => runProgram(`${folder}/program.ts`));
  assert.match(
    ended.stderr,
    /^StartDuringImportError: Thread "[^"]+" was started by code that runs when a thread imports/,
  );
  assert.equal(ended.stderr.match(/StartDuringImportError/g)?.length, 1);
  assert.equal(ended.code, 1);
});

test('what a thread prints is there when joinSync() returns', async () => {
  const files = {
    'program.ts': `
      import { writeSync } from 'node:fs';
      import { isMainProcess, Thread } from 'manyhands';
      export function say(): void {
        for (let i = 0; i < 3; i++) console.log('line', i);
      }
      if (isMainProcess) {
        const thread = new Thread({ target: say });
        thread.start();
        thread.joinSync();
        writeSync(1, 'joined\\n');
      }`,
  };
  const ended = await withProgram(files, (folder) => runProgram(`${folder}/program.ts`));
  assert.equal(ended.stdout, 'line 0\nline 1\nline 2\njoined\n');
});
