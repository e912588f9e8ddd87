import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { currentProcess, Process, type ProcessOptions, StateError, UnitCrashedError, ValidationError } from 'manyhands';
import { fixture, root, runProgram } from '../../support/program.ts';
import * as own from './options-targets.ts';
import * as targets from './targets.ts';
import { saysHere, watch } from './watch.ts';

type Options<A extends readonly unknown[], R> = ProcessOptions<A, R>;

async function run<A extends readonly unknown[], R>(options: Options<A, R>): Promise<Awaited<R>> {
  const child = new Process(options);
  child.start();
  return child.result();
}

describe('name and daemon', () => {
  test('a default name counts up, a given one need not be unique', () => {
    const numbers = [1, 2].map(() => Number(/^Process-(\d+)$/.exec(new Process({ target: own.folder }).name)![1]));
    assert.equal(numbers[1]! - numbers[0]!, 1);
    const twins = [1, 2].map(() => new Process({ target: own.folder, name: 'twin' }).name);
    assert.deepEqual(twins, ['twin', 'twin']);
  });

  test('children of a daemon are daemons unless told otherwise', async () => {
    assert.equal(new Process({ target: own.folder }).daemon, false);
    assert.deepEqual(await run({ target: own.daemonChildren }), [false, false]);
    assert.deepEqual(await run({ target: own.daemonChildren, daemon: true }), [true, false]);
  });

  test('a daemon ends with its parent, which does not wait for it', async () => {
    const { code, stdout, stderr } = await runProgram(fixture('process/daemon-left.ts'));
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(existsSync(`/proc/${stdout.trim()}`), false);
  });
});

describe('env', () => {
  test('adds and removes variables for the child, and leaves those of the parent alone', async () => {
    process.env.MANYHANDS_TEST_KEPT = 'kept';
    const before = { ...process.env };
    const env = { MANYHANDS_TEST_ADDED: 'added=1\n', MANYHANDS_TEST_KEPT: undefined, MANYHANDS_TEST_EMPTY: '' };
    assert.equal(await run({ target: own.variable, args: ['MANYHANDS_TEST_ADDED'], env }), 'added=1\n');
    assert.equal(await run({ target: own.variable, args: ['MANYHANDS_TEST_EMPTY'], env }), '');
    assert.equal(await run({ target: own.has, args: ['MANYHANDS_TEST_KEPT'], env }), false);
    assert.equal(await run({ target: own.variable, args: ['MANYHANDS_TEST_KEPT'] }), 'kept');
    assert.equal(await run({ target: own.has, args: ['MANYHANDS_TEST_ADDED'] }), false);
    assert.deepEqual({ ...process.env }, before);
    delete process.env.MANYHANDS_TEST_KEPT;
  });

  test('is read at the start, so that later changes of the parent are seen by later children', async () => {
    for (const value of ['one', 'two']) {
      process.env.MANYHANDS_TEST_CHANGED = value;
      assert.equal(await run({ target: own.variable, args: ['MANYHANDS_TEST_CHANGED'] }), value);
    }
    delete process.env.MANYHANDS_TEST_CHANGED;
    assert.equal(await run({ target: own.has, args: ['MANYHANDS_TEST_CHANGED'] }), false);
  });

  test('variables that Node reads when it boots count as well', async () => {
    await run({ target: own.folder }); // from here on there is a spare
    const facts = await run({ target: own.nodeFacts, env: { NODE_OPTIONS: '--expose-gc' } });
    assert.equal(facts.hasGc, true);
    assert.equal((await run({ target: own.nodeFacts })).hasGc, false);
  });

  test('nothing of the machinery shows in it', async () => {
    const { env } = await run({ target: targets.surroundings });
    const added = Object.keys(env).filter((key) => !(key in process.env));
    assert.deepEqual(added, []);
  });
});

describe('cwd', () => {
  test('is that of the parent by default, and may be relative to it', async () => {
    assert.equal(await run({ target: own.folder }), process.cwd());
    assert.equal(await run({ target: own.folder, cwd: '/' }), '/');
    const relative = process.cwd() === root.replace(/\/$/, '') ? 'src/units' : '.';
    assert.equal(await run({ target: own.folder, cwd: relative }), join(process.cwd(), relative).replace(/\/$/, ''));
  });

  test('a folder that is not there is an error that names it', async () => {
    const process = new Process({ target: own.folder, cwd: '/no/such/folder' });
    assert.throws(() => process.start(), { code: 'ERR_VALIDATION', message: /must be a folder .*\/no\/such\/folder/ });
    assert.equal(process.state, 'new');
  });
});

describe('execArgv', () => {
  test('is added to the options of the parent', async () => {
    const facts = await run({ target: own.nodeFacts, execArgv: ['--max-old-space-size=64', '--expose-gc'] });
    assert.equal(facts.hasGc, true);
    const { heapLimitBytes } = await run({ target: own.nodeFacts });
    assert.ok(facts.heapLimitBytes < heapLimitBytes, `${facts.heapLimitBytes} of ${heapLimitBytes}`);
  });

  test('an option that Node does not know ends the child, and Node says why', async () => {
    const end = await watch({ target: own.folder, execArgv: ['--no-such-option'] });
    assert.ok(end.error instanceof UnitCrashedError);
    assert.deepEqual({ ...end.exit }, { kind: 'error', code: 9 });
    assert.match(end.stderr, /bad option: --no-such-option/);
  });
});

describe('nice, affinity and memory', () => {
  test('nice is that of the child alone', async () => {
    const before = getPriority();
    assert.equal(await run({ target: own.priority, nice: 7 }), 7);
    assert.equal(await run({ target: own.priority }), before);
    assert.equal(getPriority(), before);
  });

  test('affinity holds for every thread of the child', async () => {
    const allowed = own.processors()[0]!;
    const one = Number(/\d+$/.exec(allowed)![0]);
    assert.deepEqual([...new Set(await run({ target: own.processors, affinity: [one] }))], [`${one}`]);
    assert.deepEqual([...new Set(await run({ target: own.processors }))], [allowed]);
  });

  test('memoryLimitBytes makes allocations beyond it fail, those below it not', async () => {
    const memoryLimitBytes = 256 * 2 ** 20;
    assert.equal(await run({ target: own.allocate, args: [16 * 2 ** 20], memoryLimitBytes }), 16 * 2 ** 20);
    const tooMuch = run({ target: own.allocate, args: [512 * 2 ** 20], memoryLimitBytes, stdio: 'ignore' });
    await assert.rejects(tooMuch, { name: 'RangeError', message: /allocation failed/ });
  });
});

describe('signal', () => {
  test('aborted before the start: start() throws the reason, and nothing was started', () => {
    const reason = new Error('no longer wanted');
    const child = new Process({ target: own.folder, signal: AbortSignal.abort(reason) });
    assert.throws(
      () => child.start(),
      (error) => error === reason,
    );
    assert.deepEqual([child.state, child.pid], ['new', undefined]);
  });

  test('aborted while it runs: the child is ended, and result() rejects with the reason', async () => {
    const controller = new AbortController();
    const reason = { why: 'no longer wanted' };
    const end = await watch({ target: targets.stay, signal: controller.signal }, () => controller.abort(reason));
    assert.equal(end.error, reason);
    assert.deepEqual({ ...end.exit }, { kind: 'killed', signal: 'SIGTERM' });
  });

  test('aborted while it runs and deaf to SIGTERM: SIGKILL follows', async () => {
    const controller = new AbortController();
    const end = await watch({ target: targets.ignoreTerminate, signal: controller.signal }, () => controller.abort());
    assert.equal(end.error.name, 'AbortError');
    assert.deepEqual({ ...end.exit }, { kind: 'killed', signal: 'SIGKILL' });
    assert.match(end.stdout, /heard/);
  });

  test('aborted after the end: nothing changes', async () => {
    const controller = new AbortController();
    const child = new Process({ target: targets.give, args: ['value'], signal: controller.signal });
    child.start();
    await child.join();
    controller.abort();
    assert.equal(await child.result(), 'value');
    assert.deepEqual({ ...child.exit }, { kind: 'normal', code: 0 });
  });

  test('one signal may end many', async () => {
    const controller = new AbortController();
    const ends = [1, 2, 3].map(() => {
      const child = new Process({ target: targets.stay, signal: controller.signal, stdio: 'pipe' });
      child.start();
      return child;
    });
    await Promise.all(ends.map(saysHere));
    controller.abort('all');
    const results = await Promise.allSettled(ends.map((child) => child.result()));
    assert.deepEqual(
      results.map((result) => result.status === 'rejected' && result.reason),
      ['all', 'all', 'all'],
    );
  });
});

describe('options of the parent’s Node', () => {
  const expected = 'parent: true\ninspector: none\ninspector: none\ninspector: none\n';

  /** Node says on stderr where a debugger can enter: once, for the parent. */
  function assertInspected(ended: { code: number | null; stdout: string; stderr: string }): void {
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.stdout, expected);
    assert.equal(ended.stderr.split('Debugger listening on').length, 2, ended.stderr);
    assert.doesNotMatch(ended.stderr, /address already in use/);
  }

  test('--inspect of the parent is not that of its children', async () => {
    assertInspected(await runProgram(fixture('process/inspected.ts'), { node: ['--inspect=0'] }));
  });

  test('nor is --inspect in NODE_OPTIONS, where a second process could not have the port', async () => {
    const port = await freePort();
    const env = { NODE_OPTIONS: `--no-warnings --inspect=127.0.0.1:${port}` };
    assertInspected(await runProgram(fixture('process/inspected.ts'), { env }));
  });

  test('--import and --enable-source-maps are passed on', async () => {
    const code = `
      import { Process } from 'manyhands';
      import { loaded, nodeFacts } from './options-targets.ts';
      for (const target of [loaded, nodeFacts]) {
        const child = new Process({ target });
        child.start();
        console.log(JSON.stringify(await child.result()));
      }`;
    const node = ['--import', fixture('process/preload.mjs'), '--enable-source-maps', '--input-type=module', '-e'];
    const { stdout, stderr } = await runProgram(code, { node, cwd: import.meta.dirname });
    assert.equal(stderr, '');
    const [loads, facts] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(loads, 1);
    assert.ok(facts.execArgv.includes('--enable-source-maps'));
    assert.ok(!facts.execArgv.some((option: string) => option.includes('input-type') || option === '-e'));
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('join', () => {
  test('resolves true after the end, at once and again', async () => {
    const child = new Process({ target: own.folder });
    child.start();
    assert.equal(await child.join(), true);
    assert.deepEqual(
      [await child.join(), await child.join(0), child.joinSync(), child.joinSync(0)],
      [true, true, true, true],
    );
  });

  test('of a child that failed does not reject', async () => {
    const child = new Process({ target: own.throwIt, stdio: 'ignore' });
    child.start();
    assert.equal(await child.join(), true);
    assert.equal(child.exitCode, 1);
  });

  test('gives up after the time given, 0 included, and can be asked again', async () => {
    await watch({ target: targets.stay }, async (child) => {
      assert.deepEqual([await child.join(0), await child.join(5)], [false, false]);
      assert.deepEqual([child.joinSync(0), child.joinSync(5)], [false, false]);
      const before = performance.now();
      assert.equal(child.joinSync(60), false);
      assert.ok(performance.now() - before >= 59);
      child.kill();
      assert.equal(await child.join(), true);
    });
  });

  test('Infinity, and more than a timer can do, wait for the end', async () => {
    for (const timeoutMs of [Number.POSITIVE_INFINITY, 2 ** 40]) {
      const child = new Process({ target: own.folder });
      child.start();
      assert.equal(await child.join(timeoutMs), true);
      const second = new Process({ target: own.folder });
      second.start();
      assert.equal(second.joinSync(timeoutMs), true);
    }
  });

  test('a time that is none is refused', async () => {
    const child = new Process({ target: own.folder });
    child.start();
    for (const timeoutMs of [-1, Number.NaN, '5', null, 5n, {}] as never[]) {
      const refusal = {
        name: 'ValidationError',
        code: 'ERR_VALIDATION',
        message: /takes a number of milliseconds, 0 or more, and got/,
      };
      await assert.rejects(child.join(timeoutMs), refusal);
      assert.throws(() => child.joinSync(timeoutMs), refusal);
    }
    assert.equal(await child.join(), true);
  });

  test('many may wait at once', async () => {
    const child = new Process({ target: targets.give, args: [1] });
    child.start();
    assert.deepEqual(await Promise.all([child.join(), child.join(60_000), child.result(), child.result()]), [
      true,
      true,
      1,
      1,
    ]);
  });

  test('joinSync uses no processor time', async () => {
    await watch({ target: targets.stay }, (child) => {
      const before = process.cpuUsage();
      assert.equal(child.joinSync(500), false);
      const { user, system } = process.cpuUsage(before);
      assert.ok(user + system < 100_000, `${user + system} µs of processor time in 500 ms`);
      child.kill();
    });
  });
});

describe('close and disposal', () => {
  test('close keeps how it ended, and lets go of a result that nobody took', async () => {
    const child = new Process({ target: targets.give, args: ['value'] });
    child.start();
    await child.join();
    child.close();
    child.close();
    assert.deepEqual([{ ...child.exit }, child.exitCode, child.state], [{ kind: 'normal', code: 0 }, 0, 'terminated']);
    assert.deepEqual([await child.join(), child.joinSync(), child.isAlive], [true, true, false]);
    await assert.rejects(child.result(), { code: 'ERR_STATE', message: /was closed before its result was taken/ });
    child.kill();
    assert.throws(() => child.start(), { code: 'ERR_STATE', message: /is closed and cannot be started/ });
  });

  test('a result that was taken stays after close', async () => {
    const child = new Process({ target: targets.give, args: ['value'] });
    child.start();
    await child.result();
    child.close();
    assert.equal(await child.result(), 'value');
  });

  test('close of one that runs is refused, with the ways to end it', async () => {
    await watch({ target: targets.stay, name: 'runner' }, (child) => {
      assert.throws(() => child.close(), {
        name: 'StateError',
        message: /"runner" still runs.* terminate\(\) or kill\(\)/,
      });
      child.kill();
    });
  });

  test('disposal ends what runs, and closes', async () => {
    const child = new Process({ target: targets.stay, stdio: 'pipe' });
    child.start();
    await saysHere(child);
    await child[Symbol.asyncDispose]();
    assert.deepEqual({ ...child.exit }, { kind: 'killed', signal: 'SIGTERM' });
    await assert.rejects(child.result(), { code: 'ERR_STATE' });
  });

  test('disposal of what was never started, or has ended, only closes', async () => {
    const fresh = new Process({ target: own.folder });
    await fresh[Symbol.asyncDispose]();
    assert.throws(() => fresh.start(), StateError);
    const ended = new Process({ target: own.folder });
    ended.start();
    await ended.join();
    await ended[Symbol.asyncDispose]();
    assert.deepEqual({ ...ended.exit }, { kind: 'normal', code: 0 });
  });
});

describe('misuse', () => {
  test('starting twice is refused, while it runs and afterwards', async () => {
    const child = new Process({ target: own.folder, name: 'once' });
    child.start();
    const refusal = {
      name: 'StateError',
      code: 'ERR_STATE',
      message: /"once" cannot be started twice\. Make a new Process/,
    };
    assert.throws(() => child.start(), refusal);
    await child.join();
    assert.throws(() => child.start(), refusal);
  });

  test('everything that needs a start says so', async () => {
    const child = new Process({ target: own.folder, name: 'fresh' });
    for (const call of ['join', 'joinSync', 'result', 'terminate', 'kill', 'interrupt', 'suspend', 'resume'] as const) {
      const refusal = {
        name: 'StateError',
        code: 'ERR_STATE',
        message: `Process "fresh" has not been started: call start() before ${call}().`,
      };
      await assert.rejects(async () => child[call](), refusal);
    }
    assert.deepEqual(
      [child.pid, child.stdout, child.stderr, child.exit, child.exitCode],
      [undefined, null, null, undefined, undefined],
    );
    assert.deepEqual([child.state, child.isAlive, child.waitingFor], ['new', false, undefined]);
  });

  test('a process cannot join itself', () => {
    const refusal = { name: 'StateError', message: /Process "MainProcess" cannot join itself/ };
    assert.throws(() => currentProcess().join(), refusal);
    assert.throws(() => currentProcess().joinSync(), refusal);
  });

  const wrong: readonly (readonly [title: string, options: unknown, mention: RegExp])[] = [
    ['no options', undefined, /needs an object with a target: new Process\(\{ target: fn \}\)/],
    ['a function in their place', own.folder, /takes an object\. Write new Process\(\{ target: fn, args: \[\.\.\.\] \}\)/],
    ['no target', {}, /target must be a function, and is undefined/],
    ['a target that is none', { target: 'work' }, /target must be a function, and is "work"/],
    ['a promise as target', { target: Promise.resolve() }, /target must be a function, and is a Promise/],
    ['a class as target', { target: URL }, /target must be a function to call, and is the class URL\. Write target: \(\.\.\.args\) => \{ new URL\(/],
    ['an unknown option', { timeoutMs: 5 }, /has no option "timeoutMs"\. It has: target, args, name, daemon/],
    ["Python's name", { func: own.folder }, /has no option "func"\. Did you mean "target"\?/],
    ['a wrong case', { execargv: [] }, /Did you mean "execArgv"\?/],
    ['a singular', { arg: [] }, /Did you mean "args"\?/],
    ['a memory limit by another name', { memoryLimit: 5 }, /Did you mean "memoryLimitBytes"\?/],
    ['args', { args: 5 }, /args must be an array of arguments: args: \[value\], and is 5/],
    ['name', { name: 5 }, /name must be a string, and is 5/],
    ['daemon', { daemon: 'yes' }, /daemon must be true or false, and is "yes"/],
    ['signal', { signal: {} }, /signal must be an AbortSignal, and is an object/],
    ['env', { env: ['A=1'] }, /env must be an object of strings, and is \["A=1"\]/],
    ['a variable', { env: { LEVEL: 5 } }, /env\.LEVEL must be a string without NUL, or undefined to remove it, and is 5/],
    ['a variable cut by NUL', { env: { LEVEL: 'a\0b' } }, /env\.LEVEL must be a string without NUL/],
    ['the name of a variable', { env: { 'A=B': 'c' } }, /env has the name "A=B"; a name is not empty and has no "="/],
    ['cwd', { cwd: new URL('file:///') }, /cwd must be the path of a folder, and is a URL/],
    ['execArgv', { execArgv: '--inspect' }, /execArgv must be an array of strings, and is "--inspect"/],
    ['stdio', { stdio: 'inherited' }, /stdio must be 'inherit', 'pipe', 'ignore' or 'prefix', and is "inherited"/],
    ['nice', { nice: 20 }, /nice must be an integer from −20 to 19, and is 20/],
    ['affinity', { affinity: [100_000] }, /affinity must be a list of processor indices from 0 to \d+, and is \[100000\]/],
    ['an empty affinity', { affinity: [] }, /affinity must be a list of processor indices/],
    ['memoryLimitBytes', { memoryLimitBytes: 100 }, /memoryLimitBytes must be a number of bytes, at least 67108864 .*, and is 100/],
  ]; // biome-ignore format: a table

  for (const [title, options, mention] of wrong) {
    test(`wrong options: ${title}`, () => {
      const isWhole = typeof options !== 'object' || options === null || 'target' in options || title === 'no target';
      const whole = isWhole ? options : { target: own.folder, ...options };
      assert.throws(
        () => new Process(whole as never),
        (error: ValidationError) => {
          assert.ok(error instanceof ValidationError);
          assert.equal(error.code, 'ERR_VALIDATION');
          assert.match(error.message, /^new Process\(\)/);
          assert.match(error.message, mention);
          return true;
        },
      );
    });
  }
});
