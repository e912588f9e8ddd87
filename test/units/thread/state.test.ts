import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { CloneError, Event, StateError, TargetError, Thread, ValidationError } from 'manyhands';
import { until } from '../../support/program.ts';
import * as targets from './targets.ts';

test('a thread is new, ready, running or blocked, and terminated', async () => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Thread({ target: targets.spin, args: [words], name: 'spinner' });
  assert.deepEqual([thread.state, thread.isAlive, thread.threadId, thread.exit], ['new', false, undefined, undefined]);
  thread.start();
  assert.deepEqual([thread.state, thread.isAlive], ['ready', true]);
  await until(() => Atomics.load(words, 0) === 1);
  assert.equal(thread.state, 'running');
  assert.equal(thread.waitingFor, undefined);
  assert.match(inspect(thread), /^<Thread 'spinner' threadId=\d+ running>$/);
  Atomics.store(words, 0, 2);
  await thread.join();
  assert.deepEqual([thread.state, thread.isAlive, thread.exitCode], ['terminated', false, 0]);
  assert.equal(String(thread), 'Thread "spinner"');
});

test('a blocked thread says what it waits for', async () => {
  for (const target of [targets.waitFor, targets.waitForSync]) {
    const event = new Event({ name: 'gate' });
    const args: [Event, Event] = [event, new Event()];
    const thread = new Thread<[Event, Event], unknown>({ target, args });
    thread.start();
    await until(() => thread.waitingFor === 'event "gate"');
    assert.equal(thread.state, 'blocked');
    event.set();
    assert.equal(await thread.result(), 'went on');
  }
});

test('join() gives up after its time, and joins again', async () => {
  const event = new Event();
  const thread = new Thread({ target: targets.waitFor, args: [event, new Event()] });
  thread.start();
  assert.equal(await thread.join(0), false);
  assert.equal(await thread.join(5), false);
  event.set();
  assert.equal(await thread.join(), true);
  assert.equal(await thread.join(0), true);
});

test('names count up, and whether a thread is a daemon comes from its parent', async () => {
  const thread = new Thread({ target: targets.daemonOfThread, daemon: true });
  assert.match(thread.name, /^Thread-\d+$/);
  assert.equal(new Thread({ target: targets.give, args: [1] }).daemon, false);
  thread.start();
  assert.deepEqual(await thread.result(), [`${thread.name}:1`, true]);
});

test('misuse is told at the call', async () => {
  const make = (options: unknown) => () => new Thread(options as { target: () => void });
  assert.throws(make(targets.give), { name: 'ValidationError', message: /Write new Thread\(\{ target: fn/ });
  assert.throws(make({ target: 1 }), /new Thread\(\): target must be a function, and is 1\./);
  assert.throws(make({ target: targets.give, cwd: '/' }), ValidationError);
  assert.throws(make({ target: targets.give, arg: [1] }), /new Thread\(\) has no option "arg"\./);
  const thread = new Thread({ target: targets.give, args: [1] });
  assert.throws(() => thread.joinSync(), {
    name: 'StateError',
    message: /has not been started: call start\(\) before joinSync/,
  });
  await assert.rejects(thread.join(), StateError);
  await assert.rejects(thread.result(), StateError);
  thread.start();
  assert.throws(() => thread.start(), /cannot be started twice/);
  assert.throws(() => thread.joinSync(-1), ValidationError);
  await thread.join();
  const disposed = new Thread({ target: targets.give, args: [1] });
  await disposed[Symbol.asyncDispose]();
  assert.throws(() => disposed.start(), StateError);
});

test('what cannot travel is named, and the thread can be started once it can', async () => {
  const args: [unknown] = [Symbol('here')];
  const thread = new Thread({ target: targets.give<unknown>, args });
  assert.throws(
    () => thread.start(),
    (error: unknown) => {
      assert.ok(error instanceof TargetError);
      assert.match(error.message, /^Cannot start thread "Thread-\d+" with .*args\[0\]/);
      return error.cause instanceof CloneError;
    },
  );
  args[0] = 'text';
  thread.start();
  assert.equal(await thread.result(), 'text');
  assert.throws(() => new Thread({ target: targets.give<unknown>, args: [thread] }).start(), TargetError);
});
