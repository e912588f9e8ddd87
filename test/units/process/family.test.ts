import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { activeChildren, currentProcess, isMainProcess, Process, parentProcess } from 'manyhands';
import { childrenOf, fixture, processesWith, type Running, runProgram, until } from '../../support/program.ts';
import * as targets from './targets.ts';
import { occurrences, saysHere } from './watch.ts';

let programs = 0;
/** A text that is in the environment of one program and its descendants. */
const newMark = (): string => `family-${process.pid}-${++programs}-${Date.now()}`;

const end = (how: string) => {
  const mark = newMark();
  return runProgram(fixture('process/end.ts'), { args: [how], env: { FAMILY_MARK: mark } }).then((ended) => ({
    ...ended,
    mark,
  }));
};

test('a parent that reaches its end waits for its children, and they for theirs', async () => {
  const { stdout, stderr, code } = await end('waits');
  assert.deepEqual([stdout.trim().split('\n').sort(), stderr, code], [['child', 'grandchild', 'parent'], '', 0]);
});

test('daemons end with their parent, whatever becomes of their output', async () => {
  const { stdout, stderr, code, mark } = await end('daemon');
  assert.deepEqual([stdout, stderr, code], ['parent\n', '', 0]);
  await until(() => processesWith(mark).length === 0, 1000);
});

test('a daemon that is joined is waited for', async () => {
  assert.equal((await end('joined daemon')).stdout, 'daemon\nparent\n');
});

test('children of a daemon are daemons unless told otherwise', async () => {
  assert.equal((await end('daemon of a daemon')).stdout, 'daemon true\nparent\n');
});

/** The processes of tree.ts that run a target, and their number at least with those that never came to it. */
const TREE = { here: 9, all: 12 };

async function treeIsThere(program: Running, mark: string): Promise<void> {
  await until(() => occurrences(program.stdout, 'here ') >= TREE.here, 20_000);
  assert.ok(processesWith(mark).length >= TREE.all, program.stdout);
  program.child.stdin?.write('suspend\n');
  await program.printed(/suspended/);
}

for (const [title, how, expected] of [
  ['process.exit() in the parent', 'exit', { code: 3, signal: null }],
  ['an uncaught error in the parent', 'throw', { code: 1, signal: null }],
  ['SIGKILL of the parent', 'SIGKILL', { code: null, signal: 'SIGKILL' }],
  ['SIGTERM of the parent', 'SIGTERM', { code: null, signal: 'SIGTERM' }],
  ['SIGINT of the parent', 'SIGINT', { code: null, signal: 'SIGINT' }],
] as const) {
  test(`${title} leaves no descendant: busy, stopped, held, deaf, or started by a thread`, async () => {
    const mark = newMark();
    let endedAt = 0;
    const { code, signal, stderr } = await runProgram(fixture('process/tree.ts'), {
      env: { FAMILY_MARK: mark },
      during: async (program) => {
        await treeIsThere(program, mark);
        program.child.once('exit', () => {
          endedAt = performance.now();
        });
        if (how.startsWith('SIG')) program.child.kill(how as NodeJS.Signals);
        else program.child.stdin?.write(`${how}\n`);
      },
    });
    assert.deepEqual({ code, signal }, expected, stderr);
    await until(() => processesWith(mark).length === 0, Math.max(0, endedAt + 1000 - performance.now()));
    if (how === 'throw') assert.equal(occurrences(stderr, 'Error: as told'), 1, stderr);
    else assert.equal(stderr, '');
  });
}

test('a child whose parent was killed before it could bind itself to it ends all the same', async () => {
  for (let round = 0; round < 5; round++) {
    const mark = newMark();
    await runProgram(fixture('process/tree.ts'), {
      env: { FAMILY_MARK: mark },
      during: async (program) => {
        await until(() => childrenOf(program.pid).length > 0);
        program.child.kill('SIGKILL');
      },
    });
    // They end as soon as they have booted, which takes its time on a busy machine.
    await until(() => processesWith(mark).length === 0);
  }
});

test('a child whose thread ended before it could bind itself to it ends all the same', async () => {
  // Without spares, for a thread must not be ended amid a call of koffi, and a spare is booted behind our back.
  const { stdout, stderr } = await runProgram(fixture('process/ended-thread.ts'), {
    env: { MANYHANDS_SPARE_PROCESSES: '0' },
  });
  assert.deepEqual([stdout, stderr], ['alive 0\n', '']);
});

test('children that have ended are reaped', async () => {
  const children = Array.from({ length: 5 }, () => new Process({ target: targets.give }));
  for (const child of children) child.start();
  const pids = new Set(children.map(({ pid }) => pid));
  await Promise.all(children.map((child) => child.join()));
  assert.deepEqual(
    childrenOf(process.pid).filter(({ pid }) => pids.has(pid)),
    [],
  );
});

test('a child that was waited for by blocking is reaped as soon as the event loop goes on', async () => {
  const child = new Process({ target: targets.give });
  child.start();
  child.joinSync();
  await until(() => childrenOf(process.pid).every(({ pid }) => pid !== child.pid));
});

test('default names count, and inside of Process-2 they are Process-2:1 and on', async () => {
  const numbers = Array.from({ length: 2 }, () => /^Process-(\d+)$/.exec(new Process({ target: targets.give }).name));
  assert.equal(Number(numbers[1]?.[1]), Number(numbers[0]?.[1]) + 1);
  const child = new Process({ target: targets.familyRelations });
  child.start();
  const [own, ...children] = await child.result();
  assert.equal(own!.current.name, child.name);
  assert.deepEqual(own!.children, [`${child.name}:1`, `${child.name}:2`]);
  assert.deepEqual(
    children.map(({ current }) => current.name),
    [`${child.name}:3`, `${child.name}:4`],
  );
  for (const { parent, ppid } of children) {
    assert.deepEqual(parent, { pid: child.pid, name: child.name, isAlive: true });
    assert.equal(ppid, child.pid);
  }
});

test('a process knows itself and its parent', async () => {
  const child = new Process({ target: targets.relations, name: 'worker', daemon: true });
  child.start();
  const seen = await child.result();
  assert.deepEqual(seen.current, { pid: child.pid, name: 'worker', daemon: true });
  assert.deepEqual(seen.parent, { pid: process.pid, name: 'MainProcess', isAlive: true });
  assert.deepEqual(seen.children, []);
});

test('the main process has no parent among processes, and cannot join itself', () => {
  const { pid, name, daemon, join, joinSync } = currentProcess();
  assert.deepEqual([pid, name, daemon], [process.pid, 'MainProcess', false]);
  assert.deepEqual([isMainProcess, parentProcess()], [true, undefined]);
  for (const call of [join, joinSync]) assert.throws(call, { code: 'ERR_STATE' });
});

test('activeChildren() holds what was started and has not ended, in the order of the starts', async () => {
  const make = (name: string) => new Process({ target: targets.stay, name, stdio: 'pipe' });
  const [first, second] = [make('first'), make('second')];
  assert.deepEqual(activeChildren(), []);
  second.start();
  first.start();
  const names = () => activeChildren().map(({ name }) => name);
  assert.deepEqual(names(), ['second', 'first']);
  await Promise.all([saysHere(first), saysHere(second)]);
  second.kill();
  second.joinSync();
  assert.deepEqual(names(), ['first']);
  first.kill();
  await first.join();
  assert.deepEqual(activeChildren(), []);
});

for (const [how, count] of [
  ['in a row', 100],
  ['at once', 50],
] as const) {
  test(`${count} processes ${how} leave no descriptor, mapping, process or file behind`, async () => {
    const mark = newMark();
    const folder = mkdtempSync(join(tmpdir(), 'manyhands-family-'));
    try {
      const ended = await runProgram(fixture('process/many.ts'), {
        args: [how, String(count)],
        env: { FAMILY_MARK: mark, TMPDIR: folder },
      });
      assert.deepEqual([ended.code, ended.stderr], [0, '']);
      const { before, after, active } = JSON.parse(ended.stdout);
      assert.deepEqual(after, before);
      assert.equal(active, 0);
      assert.deepEqual(readdirSync(folder), []);
      await until(() => processesWith(mark).length === 0, 1000);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
