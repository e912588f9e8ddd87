import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Coroutine, keepSpareProcesses, Process, Thread, type Unit, type UnitOptions } from 'manyhands';
import * as targets from './siblings-targets.ts';

type Made<R> = Unit<R> & AsyncDisposable;
type Make = <A extends readonly unknown[], R>(options: UnitOptions<A, R>) => Made<R>;

/** What every kind of unit does. */
const kinds: Record<string, Make> = {
  Process: (options) => new Process(options),
  Thread: (options) => new Thread(options),
  Coroutine: (options) => new Coroutine(options),
};

after(() => keepSpareProcesses(0));

for (const [kind, make] of Object.entries(kinds)) {
  const start: Make = (options) => {
    const unit = make(options);
    unit.start();
    return unit;
  };

  test(`${kind}: its default name counts, and stands in its description`, () => {
    const [first, second] = [make({ target: targets.add }), make({ target: targets.add })];
    const number = Number(first.name.slice(kind.length + 1));
    assert.deepEqual([first.name, second.name], [`${kind}-${number}`, `${kind}-${number + 1}`]);
    assert.equal(String(make({ target: targets.add, name: 'x' })), `${kind} "x"`);
    assert.equal(first.daemon, false);
  });

  test(`${kind}: from new to terminated, with the target's value`, async () => {
    const unit = make({ target: targets.add, args: [1, 2] });
    assert.deepEqual([unit.state, unit.isAlive, unit.exit, unit.exitCode], ['new', false, undefined, undefined]);
    unit.start();
    assert.equal(unit.isAlive, true);
    assert.equal(await unit.join(), true);
    assert.deepEqual([unit.state, unit.isAlive, unit.exitCode], ['terminated', false, 0]);
    assert.deepEqual(unit.exit, { kind: 'normal', code: 0 });
    assert.equal(await unit.result(), 3);
  });

  test(`${kind}: what a generator returns is the result`, async () => {
    assert.equal(await start({ target: targets.count, args: [3] }).result(), 3);
  });

  test(`${kind}: what the target threw is what result() rejects with; join() does not`, async () => {
    const unit = start({ target: targets.fail });
    const result = assert.rejects(unit.result(), { name: 'RangeError', message: 'out of range' });
    assert.equal(await unit.join(), true);
    await result;
    assert.deepEqual([unit.exit?.kind, unit.exitCode], ['fatal', 1]);
    assert.ok(unit.exit?.error instanceof RangeError);
  });

  test(`${kind}: join(0) only looks, and a time that passes is false`, async () => {
    const unit = start({ target: targets.waitForEver });
    assert.equal(await unit.join(0), false);
    assert.equal(await unit.join(1), false);
    await unit[Symbol.asyncDispose]();
    assert.deepEqual([unit.state, unit.exitCode], ['terminated', -15]);
  });

  test(`${kind}: misuse is told at the call`, async () => {
    const unit = make({ target: targets.add, args: [1, 2] });
    await assert.rejects(unit.join(), { code: 'ERR_STATE', message: /has not been started/ });
    await assert.rejects(unit.result(), { code: 'ERR_STATE' });
    unit.start();
    assert.throws(() => unit.start(), { code: 'ERR_STATE', message: /cannot be started twice/ });
    await assert.rejects(unit.join(-1), { code: 'ERR_VALIDATION' });
    assert.throws(() => make({ target: 1 as never }), { code: 'ERR_VALIDATION', message: /target must be a function/ });
    assert.throws(() => make({ target: targets.add, nam: 'x' } as never), { code: 'ERR_VALIDATION', message: /"nam"/ });
    await unit.join();
  });

  test(`${kind}: a signal that is aborted ends it, and its reason is what result() rejects with`, async () => {
    const controller = new AbortController();
    const unit = start({ target: targets.waitForEver, signal: controller.signal });
    controller.abort(new Error('enough'));
    await assert.rejects(unit.result(), { message: 'enough' });
    assert.deepEqual([unit.exit?.kind, unit.exitCode], ['killed', -15]);
    assert.throws(() => start({ target: targets.add, signal: controller.signal }), { message: 'enough' });
  });
}
