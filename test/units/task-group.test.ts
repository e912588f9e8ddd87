import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CancelledError, checkpoint, Event, keepSpareProcesses, MemberError, TaskGroup } from 'manyhands';
import { until } from './coroutine/started.ts';
import * as targets from './siblings-targets.ts';

const never = new Event();
after(() => keepSpareProcesses(0));

test('join() gives the values of processes and coroutines in the order in which they were added', async () => {
  const group = new TaskGroup();
  group.process(targets.add, 1, 2);
  group.coroutine(targets.add, 3, 4);
  group.coroutine(targets.count, 5);
  const unit = group.process(targets.tellUnit);
  assert.deepEqual(await group.join(), [3, 7, 5, { kind: 'process', name: unit.name }]);
  assert.deepEqual(await new TaskGroup().join(), []);
});

test('threads are members as well: they give values, and are ended with the others', async () => {
  const group = new TaskGroup();
  const thread = group.thread(targets.tellUnit);
  group.thread(targets.add, 1, 2);
  assert.deepEqual(await group.join(), [{ kind: 'thread', name: thread.name }, 3]);

  const failing = new TaskGroup();
  const waiting = failing.thread(targets.waitForEver);
  failing.process(targets.fail);
  await assert.rejects(failing.join(), AggregateError);
  assert.deepEqual([waiting.isAlive, waiting.exit?.kind], [false, 'killed']);
});

test('the first failure cancels the others; join() waits for their ends and names each', async () => {
  const group = new TaskGroup({ name: 'all' });
  const log: string[] = [];
  const process = group.process(targets.waitForEver);
  const coroutine = group.coroutine(async () => {
    try {
      await never.wait();
    } finally {
      await checkpoint();
      log.push('rolled back');
    }
  });
  await until(() => coroutine.state === 'blocked');
  const failing = group.coroutine(targets.fail);
  const error = await group.join().catch((thrown: unknown) => thrown);
  assert.ok(error instanceof AggregateError);
  assert.deepEqual([log, process.exitCode, coroutine.exitCode], [['rolled back'], -15, -15]);
  assert.match(error.message, /^TaskGroup "all" failed: /);
  const [first, ...others] = error.errors as Error[];
  assert.ok(first instanceof MemberError && first.cause instanceof RangeError);
  assert.deepEqual([first.unit, first.exit.kind], [failing.name, 'fatal']);
  assert.deepEqual(
    others.map(({ name, message }) => [name, message]),
    [process, coroutine].map((unit) => ['CancelledError', `${unit} was cancelled by TaskGroup "all".`]),
  );
  assert.throws(() => group.coroutine(targets.add, 1, 2), { code: 'ERR_STATE', message: /has ended/ });
});

test('a process that fails cancels coroutines, and the failure of one that was cancelled is not lost', async () => {
  const group = new TaskGroup();
  const member = group.coroutine(async () => {
    await never.wait().catch(() => {});
    throw new TypeError('no way back');
  });
  await until(() => member.state === 'blocked');
  group.process(targets.fail);
  const error = (await group.join().catch((thrown: unknown) => thrown)) as AggregateError;
  assert.deepEqual(
    error.errors.map(({ cause }: Error) => (cause as Error).name),
    ['RangeError', 'TypeError'],
  );
});

test('cancel(), an aborted signal and a time that passed end all members, and are what join() rejects with', async () => {
  const cancelled = new TaskGroup();
  cancelled.coroutine(() => never.wait());
  cancelled.cancel('enough');
  assert.throws(() => cancelled.process(targets.add, 1, 2), { code: 'ERR_STATE', message: /is being ended/ });
  await assert.rejects(cancelled.join(), { name: 'CancelledError', cause: 'enough' });

  const controller = new AbortController();
  const aborted = new TaskGroup({ signal: controller.signal });
  const process = aborted.process(targets.waitForEver);
  controller.abort('no more');
  await assert.rejects(aborted.join(), (reason) => reason === 'no more');
  assert.equal(process.exitCode, -15);

  const late = new TaskGroup({ timeoutMs: 1 });
  late.coroutine(() => never.wait());
  await assert.rejects(late.join(), { name: 'TimeoutError', code: 'ERR_TIMEOUT' });
});

test('a group that is joined in a coroutine ends with it, before it', async () => {
  const outer = new TaskGroup();
  const log: string[] = [];
  const member = outer.coroutine(async () => {
    const inner = new TaskGroup({ name: 'inner' });
    inner.coroutine(async () => {
      log.push('began');
      try {
        await never.wait();
      } finally {
        await checkpoint();
        log.push('inner');
      }
    });
    try {
      await inner.join();
    } finally {
      log.push('outer');
    }
  });
  await until(() => member.waitingFor === 'task group "inner"' && log.length === 1);
  outer.cancel();
  await assert.rejects(outer.join(), CancelledError);
  assert.deepEqual([log, member.exitCode], [['began', 'inner', 'outer'], -15]);
});

test('members may add members, and join() waits for them', async () => {
  const group = new TaskGroup();
  group.coroutine(async () => {
    await checkpoint();
    group.coroutine(targets.add, 1, 2);
    return 'first';
  });
  assert.deepEqual(await group.join(), ['first', 3]);
});

test('disposing ends what still runs and waits for it; a failure that nobody joined is thrown', async () => {
  const group = new TaskGroup();
  const units = [group.coroutine(() => never.wait()), group.process(targets.waitForEver)];
  await group[Symbol.asyncDispose]();
  assert.deepEqual(
    units.map(({ exitCode }) => exitCode),
    [-15, -15],
  );
  const failed = new TaskGroup();
  const member = failed.coroutine(targets.fail);
  await member.join();
  await assert.rejects(failed[Symbol.asyncDispose](), AggregateError);
});
