import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { decodeErrorClass, encodeErrorClass } from '../../src/codec/error-class.ts';
import * as errors from './fixtures/errors.ts';
import { OtherProcess } from './fixtures/parcel.ts';

const other = new OtherProcess();
after(() => other.close());

async function failureOf(fn: () => unknown): Promise<Error> {
  return other.call(fn).then(
    () => assert.fail('it did not throw'),
    (error: Error) => error,
  );
}

test('an error of the program has its class again, exported or not', async () => {
  const error = await failureOf(errors.fail);
  assert.equal(error.constructor, errors.OutOfInk);
  assert.equal((error as errors.OutOfInk).isEmpty(), true);
  assert.equal(error.message, '0 ml left');
  assert.equal((await failureOf(errors.failHidden)).constructor, errors.hiddenClass);
});

test('an error has its class in the other process, too', async () => {
  assert.equal(await other.call(errors.isOutOfInk, new errors.OutOfInk(0)), true);
  const sent = new errors.OutOfInk(3);
  await assert.rejects(other.call(errors.rethrow, sent), (error) => error instanceof errors.OutOfInk && error !== sent);
});

test('a class of which the program has one only is found though it is local to a function', async () => {
  const { Local, failLocal } = errors.makeLocal();
  const error = await failureOf(failLocal);
  assert.equal(error.constructor, Local);
});

test('a class that is not loaded here is left out, and found once it is', async () => {
  const error = await failureOf(errors.failElsewhere);
  assert.equal(error.constructor, RangeError);
  assert.equal(error.message, 'far away');
  const { Elsewhere } = await import('./fixtures/errors-elsewhere.ts');
  const reference = encodeErrorClass(Elsewhere);
  assert.equal(decodeErrorClass(reference), Elsewhere);
  assert.equal((await failureOf(errors.failElsewhere)).constructor, Elsewhere);
});

test('a class with another text or place is not the one', () => {
  const reference = encodeErrorClass(errors.OutOfInk) as Record<string, unknown>;
  assert.equal(decodeErrorClass(reference), errors.OutOfInk);
  assert.equal(decodeErrorClass({ ...reference, source: `${reference.source} ` }), undefined);
  assert.equal(decodeErrorClass({ ...reference, url: 'file:///elsewhere.ts' }), undefined);
  assert.equal(decodeErrorClass({ ...reference, line: 0 }), undefined);
});

test('searching takes a small share of the time, whatever is asked for', () => {
  const reference = encodeErrorClass(errors.OutOfInk) as Record<string, unknown>;
  decodeErrorClass({ ...reference, name: 'Unknown' });
  const before = process.cpuUsage();
  for (let i = 0; i < 200; i++) decodeErrorClass({ ...reference, name: `Unknown${i}` });
  // 200 searches would take seconds.
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 1_000_000, `${user + system} µs`);
});

test('never throws', () => {
  for (const strange of [
    Math.max,
    class {}.bind(null),
    runInNewContext('(class extends Error {})'),
    new Proxy(Error, {}),
  ]) {
    const reference = encodeErrorClass(strange);
    assert.doesNotThrow(() => decodeErrorClass(reference));
  }
  assert.equal(encodeErrorClass(Math.max), undefined);
  for (const strange of [undefined, null, 1, 'x', {}, { path: [1] }, []])
    assert.equal(decodeErrorClass(strange), undefined);
});
