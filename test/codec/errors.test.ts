import assert from 'node:assert/strict';
import { test } from 'node:test';
import { types } from 'node:util';
import { runInNewContext } from 'node:vm';
import { decode } from '../../src/codec/decode.ts';
import { encode } from '../../src/codec/encode.ts';
import type { DecodeHooks, EncodeHooks } from '../../src/codec/types.ts';
import { TimeoutError, UnitCrashedError } from '../../src/errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: the tests look at what no type promises.
type AnyError = any;

function copy(value: unknown, encodeHooks?: EncodeHooks, decodeHooks?: DecodeHooks): AnyError {
  return decode(encode(value, 'error', encodeHooks), decodeHooks);
}

const builtins = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

test('the errors of the language keep class, message, stack and own properties', () => {
  for (const Class of builtins) {
    const error = Object.assign(new Class('broken', { cause: { deep: [1] } }), {
      code: 'E_X',
      info: new Map([[1, 2]]),
    });
    Object.defineProperty(error, 'hidden', { value: 5, enumerable: false });
    const result = copy(error);
    assert.equal(result.constructor, Class);
    assert.equal(types.isNativeError(result), true);
    assert.deepEqual(
      [result.name, result.message, result.stack, result.code],
      [Class.name, 'broken', error.stack, 'E_X'],
    );
    assert.deepEqual(result.cause, { deep: [1] });
    assert.deepEqual(result.info, new Map([[1, 2]]));
    assert.equal(result.hidden, 5);
    assert.deepEqual(Object.keys(result), ['code', 'info']);
    assert.equal(Object.hasOwn(result, 'name'), false);
  }
});

test('an AggregateError keeps its errors', () => {
  const result = copy(new AggregateError([new TypeError('a'), 0], 'all'));
  assert.ok(result instanceof AggregateError);
  assert.ok(result.errors[0] instanceof TypeError);
  assert.equal(result.errors[1], 0);
});

const Suppressed = (globalThis as Record<string, unknown>).SuppressedError as
  | (new (
      error: unknown,
      suppressed: unknown,
      message?: string,
    ) => Error)
  | undefined;
test('a SuppressedError keeps both errors', { skip: Suppressed === undefined && 'not in this Node' }, () => {
  const result = copy(new Suppressed!(new TypeError('one'), 'two', 'm'));
  assert.equal(result instanceof Suppressed!, true);
  assert.ok(result.error instanceof TypeError);
  assert.equal(result.suppressed, 'two');
});

test('a DOMException keeps name, code, cause and stack', () => {
  const error = new DOMException('gone', { name: 'AbortError', cause: 7 } as unknown as string);
  const result = copy(error);
  assert.ok(result instanceof DOMException);
  assert.deepEqual([result.name, result.code, result.message, result.cause], ['AbortError', 20, 'gone', 7]);
  assert.equal(result.stack, error.stack);
});

test('the errors of this library keep their class', () => {
  const late = copy(new TimeoutError('late', { code: 'ERR_LATE', cause: 1 }));
  assert.ok(late instanceof TimeoutError);
  assert.deepEqual([late.name, late.code, late.cause], ['TimeoutError', 'ERR_LATE', 1]);
  const crash = new UnitCrashedError('died', { exit: { kind: 'killed', signal: 'SIGKILL' } as never, unit: 'u' });
  const result = copy(crash);
  assert.equal(result.constructor, UnitCrashedError);
  assert.deepEqual([result.exit, result.unit], [crash.exit, 'u']);
});

class Broken extends RangeError {
  static made = 0;
  readonly part: string;
  constructor(part: string) {
    super(`broken ${part}`);
    this.part = part;
    Broken.made++;
  }
  get code(): string {
    return 'E_BROKEN';
  }
}
Object.defineProperty(Broken.prototype, 'name', { value: 'Broken' });

test('a class of the user is found again through the hooks, without running its constructor', () => {
  const error = new Broken('leg');
  const made = Broken.made;
  const result = copy(
    error,
    { encodeErrorClass: (errorClass) => (errorClass === Broken ? { module: 'm', name: 'Broken' } : undefined) },
    { decodeErrorClass: (reference) => ((reference as { name: string }).name === 'Broken' ? Broken : undefined) },
  );
  assert.ok(result instanceof Broken);
  assert.deepEqual([result.part, result.name, result.code, Broken.made], ['leg', 'Broken', 'E_BROKEN', made]);
  assert.equal(Object.hasOwn(result, 'code'), false);
});

test('a class that cannot be found falls to the nearest known one, and name and code stay visible', () => {
  const failing = { encodeErrorClass: () => assert.fail('no') };
  for (const hooks of [undefined, { encodeErrorClass: () => undefined }, failing]) {
    const result = copy(new Broken('arm'), hooks);
    assert.equal(result.constructor, RangeError);
    assert.deepEqual([result.name, result.code, result.message], ['Broken', 'E_BROKEN', 'broken arm']);
    assert.deepEqual(Object.keys(result), ['part']);
  }
  const lost = copy(new Broken('arm'), { encodeErrorClass: () => 1 }, { decodeErrorClass: () => assert.fail('no') });
  assert.equal(lost.constructor, RangeError);
});

test("Node's own errors keep their public class and code", () => {
  try {
    Buffer.alloc('x' as never);
  } catch (error) {
    const result = copy(error);
    assert.equal(result.constructor, TypeError);
    assert.deepEqual([result.code, result.stack], ['ERR_INVALID_ARG_TYPE', (error as Error).stack]);
  }
});

test('what cannot travel in an error is replaced by a line about it', () => {
  const socket = { fd: 3, read: () => 1 };
  const shared = { kept: true };
  const error = Object.assign(new Error('m'), { first: shared, handler: () => 1, socket, weak: new WeakMap(), shared });
  Object.defineProperty(error, 'bad', {
    get() {
      throw new TypeError('no');
    },
    enumerable: true,
  });
  const result = copy({ errors: [error, error], shared });
  const arrived = result.errors[0];
  assert.equal(arrived.handler, '[cannot travel: [Function: handler]]');
  assert.match(arrived.socket, /^\[cannot travel: \{ fd: 3, read: \[Function/);
  assert.match(arrived.weak, /^\[cannot travel: WeakMap/);
  assert.match(arrived.bad, /^\[cannot travel: its getter threw TypeError: no/);
  assert.equal(arrived.shared, result.shared);
  assert.equal(result.errors[1], arrived);
});

test('a property that fails half-way leaves no trace in what follows', () => {
  const record = { left: 1, right: { far: true } };
  const bytes = new Uint8Array(70_000).fill(9);
  const error = Object.assign(new Error('m'), { half: { record, bytes, stop: Symbol('s') }, record, bytes });
  const result = copy([error, { left: 1, right: 2 }, record, bytes]);
  assert.match(result[0].half, /^\[cannot travel/);
  assert.deepEqual(result[0].record, record);
  assert.equal(result[0].record, result[2]);
  assert.deepEqual(result[1], { left: 1, right: 2 });
  assert.equal(result[3], result[0].bytes);
  assert.equal(result[3][69_999], 9);
});

test('an error that is its own cause arrives as such', () => {
  const error = new Error('m');
  error.cause = error;
  const result = copy(error);
  assert.equal(result.cause, result);
});

test('a long chain of causes loses its end and not its beginning', () => {
  let error = new Error('first');
  for (let i = 0; i < 20_000; i++) error = new Error(`error ${i}`, { cause: error });
  const result = copy(error);
  assert.equal(result.message, 'error 19999');
  assert.equal(result.cause.message, 'error 19998');
});

test('errors of another realm, without a stack, or by hand arrive as native errors', () => {
  const foreign = copy(runInNewContext('new TypeError("far")'));
  assert.deepEqual([foreign.constructor, foreign.message], [TypeError, 'far']);
  const bare = new Error('bare');
  delete bare.stack;
  assert.equal(copy(bare).stack, undefined);
  const manual = Object.assign(Object.create(SyntaxError.prototype), { message: 'by hand' });
  assert.ok(types.isNativeError(copy(manual)));
  assert.ok(copy(manual) instanceof SyntaxError);
  const renamed = Object.assign(new Error('m'), { name: 'Mine' });
  assert.equal(copy(renamed).name, 'Mine');
});

test('a stack that a program made into something else arrives as far as it can', () => {
  const error = new Error('m');
  Object.defineProperty(error, 'stack', { value: ['a', 'b'] });
  assert.deepEqual(copy(error).stack, ['a', 'b']);
});
