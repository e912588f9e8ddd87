import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { keepSpareProcesses, Process, ValidationError } from 'manyhands';
import { childrenOf, fixture, processesWith, runProgram, until } from '../../support/program.ts';
import * as targets from './targets.ts';

/** Processes that this one has and that no `Process` of a test stands for. */
function spares(): number[] {
  return childrenOf(process.pid).flatMap(({ pid, state }) => (state === 'Z' ? [] : [pid]));
}

/** The only spare, once it is there. */
async function theSpare(): Promise<number> {
  await until(() => spares().length === 1);
  return spares()[0]!;
}

async function run<A extends readonly unknown[], R>(target: (...args: [...A]) => R, ...args: A) {
  const child = new Process({ target, args });
  child.start();
  const { pid } = child;
  const value = await child.result();
  return { pid, value };
}

beforeEach(async () => {
  keepSpareProcesses(1);
  await run(targets.give, 0);
  await theSpare();
});

after(() => keepSpareProcesses(0));

test('the first use leaves a spare, and the next start takes it', async () => {
  const spare = await theSpare();
  const { pid, value } = await run(targets.give, 'given');
  assert.deepEqual([pid, value], [spare, 'given']);
});

test('a spare is used once only', async () => {
  const used = new Set<number | undefined>();
  for (let i = 0; i < 5; i++) {
    const spare = await theSpare();
    assert.equal(used.has(spare), false);
    const { pid } = await run(targets.give, i);
    assert.equal(pid, spare);
    used.add(pid);
  }
  assert.equal(used.size, 5);
});

test('a spare that has been used keeps nothing of its parent but what a start gives', async () => {
  await theSpare();
  const { value } = await run(targets.relations);
  assert.equal(value.ppid, process.pid);
  assert.deepEqual(value.children, []);
});

test('the start after a spare was killed works, and leaves a new spare', async () => {
  const killed = await theSpare();
  process.kill(killed, 'SIGKILL');
  await until(() => spares().length === 0);
  const { pid, value } = await run(targets.give, 'given');
  assert.notEqual(pid, killed);
  assert.equal(value, 'given');
  assert.notEqual(await theSpare(), killed);
});

test('a start right after its spare was killed works or says that the process was killed', async () => {
  for (let i = 0; i < 10; i++) {
    process.kill(await theSpare(), 'SIGKILL');
    const child = new Process({ target: targets.give, args: [i] });
    child.start();
    const outcome = await child.result().catch((error: { code: string }) => error.code);
    assert.ok(outcome === i || outcome === 'ERR_UNIT_CRASHED', String(outcome));
  }
});

test('more starts than spares all work', async () => {
  const values = await Promise.all([1, 2, 3, 4].map((n) => run(targets.give, n)));
  assert.deepEqual(
    values.map(({ value }) => value),
    [1, 2, 3, 4],
  );
});

test('keepSpareProcesses() sets how many there are', async () => {
  keepSpareProcesses(3);
  await run(targets.give, 0);
  await until(() => spares().length === 3);
  keepSpareProcesses(0);
  await until(() => childrenOf(process.pid).length === 0);
  await run(targets.give, 0);
  await new Promise(setImmediate); // when a spare would be booted
  await new Promise(setImmediate);
  assert.deepEqual(spares(), []);
});

test('keepSpareProcesses() refuses what is no such number', () => {
  for (const count of [-1, 1.5, 65, Number.NaN, '2']) {
    assert.throws(() => keepSpareProcesses(count as number), ValidationError);
  }
});

test('a failed start keeps the spare for the next one', async () => {
  const spare = await theSpare();
  const child = new Process({ target: targets.give, args: [Symbol('no')] });
  assert.throws(() => child.start(), { code: 'ERR_TARGET' });
  const { pid, value } = await run(targets.give, 'given');
  assert.deepEqual([pid, value], [spare, 'given']);
});

test('cwd, argv, umask and environment are those of the start, not those of the spare', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'manyhands-spares-')));
  process.env.SPARES_GONE = 'was here';
  await run(targets.give, 0);
  const spare = await theSpare();
  const before = { cwd: process.cwd(), umask: process.umask(0o027), argv: process.argv, zone: process.env.TZ };
  process.chdir(folder);
  process.argv = [...process.argv, 'added'];
  process.env.SPARES_NEW = 'new';
  process.env.TZ = 'Asia/Tokyo';
  delete process.env.SPARES_GONE;
  try {
    const { pid, value } = await run(targets.surroundings);
    assert.equal(pid, spare);
    assert.equal(value.cwd, folder);
    assert.deepEqual(value.argv.slice(1), process.argv.slice(1));
    assert.equal(value.umask, 0o027);
    // A child must not report to the test runner of its parent.
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    assert.deepEqual(value.env, environment);
    assert.equal(value.timeZone, 'Asia/Tokyo');
  } finally {
    process.chdir(before.cwd);
    process.umask(before.umask);
    process.argv = before.argv;
    delete process.env.SPARES_NEW;
    if (before.zone === undefined) delete process.env.TZ;
    else process.env.TZ = before.zone;
    rmdirSync(folder);
  }
});

test('what a Node reads only when it starts is that of the start as well', async () => {
  const ownLimitBytes = getHeapStatistics().heap_size_limit;
  const before = { options: process.env.NODE_OPTIONS, language: process.env.LC_ALL };
  process.env.NODE_OPTIONS = '--max-old-space-size=200';
  process.env.LC_ALL = 'de_DE.UTF-8';
  try {
    const { value } = await run(targets.surroundings);
    assert.ok(value.heapLimitBytes < ownLimitBytes, `${value.heapLimitBytes}`);
    assert.equal(value.locale, 'de-DE');
    // And once the spare has been booted with these.
    await theSpare();
    delete process.env.NODE_OPTIONS;
    delete process.env.LC_ALL;
    const later = await run(targets.surroundings);
    assert.equal(later.value.heapLimitBytes, ownLimitBytes);
    assert.notEqual(later.value.locale, 'de-DE');
  } finally {
    if (before.options === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before.options;
    if (before.language === undefined) delete process.env.LC_ALL;
    else process.env.LC_ALL = before.language;
  }
});

test('the language alone makes a spare of another one useless', async () => {
  const before = process.env.LC_ALL;
  process.env.LC_ALL = 'fr_FR.UTF-8';
  try {
    assert.equal((await run(targets.surroundings)).value.locale, 'fr-FR');
  } finally {
    if (before === undefined) delete process.env.LC_ALL;
    else process.env.LC_ALL = before;
  }
});

test('the options env and cwd reach a spare', async () => {
  const spare = await theSpare();
  const child = new Process({ target: targets.surroundings, env: { SPARES_OWN: '1', PATH: undefined }, cwd: '/' });
  child.start();
  assert.equal(child.pid, spare);
  const { env, cwd } = await child.result();
  assert.deepEqual([env.SPARES_OWN, env.PATH, env.HOME, cwd], ['1', undefined, process.env.HOME, '/']);
});

let programs = 0;
/** A text that is in the environment of one program and its descendants. */
const newMark = (): string => `spares-${process.pid}-${++programs}-${Date.now()}`;

test('a spare does not hold the program open, and ends with it', async () => {
  for (const [how, code] of [
    ['end', 0],
    ['exit', 5],
    ['end at once', 4],
  ] as const) {
    const mark = newMark();
    const ended = await runProgram(fixture('process/use-spare.ts'), { args: [how], env: { SPARES_MARK: mark } });
    assert.deepEqual([ended.code, ended.stderr], [code, '']);
    await until(() => processesWith(mark).length === 0, 1000);
  }
});

test('a spare does not outlive a killed program', async () => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const mark = newMark();
    const ended = await runProgram(fixture('process/use-spare.ts'), {
      args: ['stay'],
      env: { SPARES_MARK: mark },
      during: async (program) => {
        await program.printed(/spare \d+/);
        program.child.kill(signal);
      },
    });
    assert.equal(ended.signal, signal);
    // A spare that was not up yet ends as soon as it is, which takes its time on a busy machine.
    await until(() => processesWith(mark).length === 0);
  }
});

test('MANYHANDS_SPARE_PROCESSES=0 switches spares off', async () => {
  const mark = newMark();
  await runProgram(fixture('process/use-spare.ts'), {
    args: ['stay'],
    env: { SPARES_MARK: mark, MANYHANDS_SPARE_PROCESSES: '0' },
    during: async (program) => {
      await program.printed(/joined/);
      // A spare would be booted before the end of the first process, and would stay.
      assert.deepEqual(childrenOf(program.pid), []);
      program.child.kill();
    },
  });
});
