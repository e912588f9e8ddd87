import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CloneError, Process } from 'manyhands';
import * as targets from './values-targets.ts';

async function run<A extends readonly unknown[], R>(target: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
  const child = new Process<A, R>({ target: target as (...args: [...A]) => R, args });
  child.start();
  return child.result();
}

const MiB = 2 ** 20;

describe('arguments and results', () => {
  test('primitives arrive exactly', async () => {
    const values = [
      undefined,
      null,
      true,
      -0,
      Number.NaN,
      Number.MAX_VALUE,
      5e-324,
      -(2n ** 200n),
      0n,
      '',
      '子\ud800\0',
      'é👍',
    ];
    assert.deepEqual(await run(targets.echoAll, ...values), values);
    assert.deepEqual(await run(targets.kinds, -0, 2n ** 70n, '½'), ['number -0', `bigint ${2n ** 70n}`, 'string ½']);
  });

  test('what structured clone copies arrives as it is there, and comes back', async () => {
    const values = [
      new Map<unknown, unknown>([
        ['a', 1],
        [{ deep: 'key' }, new Set([1])],
      ]),
      new Set(['b', 2]),
      new Date(86_400_000),
      /a+/giu,
      new Uint8Array([1, 2]),
      new Float32Array([1.5]),
      new BigInt64Array([-5n]),
      Buffer.from('bytes'),
      Object.assign(new Array(3), { 0: 1, 2: 3 }),
      Object.assign(Object.create(null), { bare: true }),
      new DataView(new ArrayBuffer(4), 1, 2),
      Object(5),
    ];
    const back = await run(targets.echoAll, ...values);
    assert.deepEqual(back.slice(0, 9), values.slice(0, 9));
    assert.ok(Buffer.isBuffer(back[7]));
    assert.equal(1 in (back[8] as object), false);
    assert.deepEqual({ ...(back[9] as object) }, { bare: true });
    assert.deepEqual([(back[10] as DataView).byteLength, (back[11] as object).valueOf()], [2, 5]);
    assert.deepEqual(await run(targets.kinds, ...values.slice(1, 8)), [
      ...['Set b,2', 'Date 1970-01-02T00:00:00.000Z', 'RegExp /a+/giu', 'Uint8Array 1,2', 'Float32Array 1.5'],
      ...['BigInt64Array -5', 'Buffer 6279746573'],
    ]);
  });

  test('an object given twice is one object there: across arguments, in cycles, and as memory', async () => {
    const one: { self?: unknown; list: unknown[] } = { list: [] };
    one.self = one;
    const bytes = new Uint8Array(8);
    const seen = await run(targets.identities as (...args: unknown[]) => unknown, one, one, bytes, bytes.subarray(4));
    assert.deepEqual(seen, { same: true, cycle: true, inner: true, memory: true });
    const [first, second] = await run(targets.echoAll, one, { again: one });
    assert.equal(second.again, first);
    assert.equal(first.self, first);
    assert.equal(bytes[4], 0, 'the memory of the parent is not that of the child');
  });

  test('arguments are copied at the start: later changes are not seen', async () => {
    const list = [1];
    const child = new Process({ target: targets.echo<number[]>, args: [list] });
    child.start();
    list.push(2);
    assert.deepEqual(await child.result(), [1]);
    assert.deepEqual(list, [1, 2]);
  });

  test('each call of result() gives the same value', async () => {
    const child = new Process({ target: targets.echo<object>, args: [{}] });
    child.start();
    const [first, second] = await Promise.all([child.result(), child.result()]);
    assert.equal(first, second);
    assert.equal(await child.result(), first);
  });

  test('a small Buffer does not drag its pool along', async () => {
    const buffer = Buffer.from('small');
    assert.ok(buffer.buffer.byteLength > 1000);
    assert.equal((await run(targets.echo<Buffer>, buffer)).toString(), 'small');
  });

  test('deep nesting', async () => {
    let value: unknown = 'bottom';
    for (let i = 0; i < 500; i++) value = i % 2 === 0 ? [value] : { value };
    assert.deepEqual(await run(targets.echo, value), value);
  });
});

describe('errors', () => {
  test('as arguments keep class, name, code, own properties, cause and stack', async () => {
    const error = new targets.TooSmallError('too small', 5, { cause: new TypeError('the cause') });
    const seen = await run(targets.describeError, error);
    assert.deepEqual(seen, [
      ...[true, true, 'TooSmallError', 'too small', 'ERR_TOO_SMALL', 5, 'TypeError: the cause', error.stack],
    ]);
  });

  test('as results are values like any other', async () => {
    const [own, several, stopped, plain] = (await run(targets.makeErrors)) as [
      ...[targets.TooSmallError, AggregateError, DOMException, NodeJS.ErrnoException],
    ];
    assert.ok(own instanceof targets.TooSmallError);
    assert.deepEqual(
      [own.name, own.code, own.least, (own.cause as Error).message],
      ['TooSmallError', 'ERR_TOO_SMALL', 5, 'the cause'],
    );
    assert.ok(several instanceof AggregateError);
    assert.equal(several.errors[0], own.cause);
    assert.deepEqual([several.errors[1], several.message], ['text', 'several']);
    assert.ok(stopped instanceof DOMException);
    assert.deepEqual([stopped.name, stopped.message], ['AbortError', 'stopped']);
    assert.deepEqual([plain.code, plain.path, plain.constructor], ['ENOENT', '/nowhere', Error]);
    assert.match(own.stack!, /values-targets\.ts/);
  });
});

describe('what cannot be copied back', () => {
  const mentions: Record<string, RegExp> = {
    function: /^result\.list\[0\]\.callback \(the function callback\) cannot be copied to another process: .*pass data/,
    symbol: /^result\.get\("key"\) \(Symbol\(s\)\).* pass a string/,
    promise: /^result\[0\]\.later \(a Promise\).* await it/,
    stream: /^result \(a \w+\) cannot be copied.* resources of this process/,
    shared: /^result \(a SharedArrayBuffer\).* use SharedArray/,
    weak: /^result\.cache \(a WeakMap\)/,
  };

  test('is a CloneError with its path, told on stderr as well, and the exit is fatal', async () => {
    for (const [name, mention] of Object.entries(mentions)) {
      const child = new Process({ target: targets.unclonable[name]!, stdio: 'pipe' });
      child.start();
      let stderr = '';
      child.stderr!.on('data', (chunk) => (stderr += String(chunk)));
      await assert.rejects(child.result(), (error: CloneError) => {
        assert.ok(error instanceof CloneError);
        assert.equal(error.code, 'ERR_CANNOT_CLONE');
        assert.match(error.message, mention);
        return true;
      });
      assert.equal(child.exit!.kind, 'fatal');
      assert.equal(child.exitCode, 1);
      assert.match(stderr, /CloneError: result/);
    }
  });
});

describe('much', () => {
  test('256 MiB of numbers go there and back', async (t) => {
    const length = (256 * MiB) / Float64Array.BYTES_PER_ELEMENT;
    const array = new Float64Array(length);
    for (let i = 0; i < length; i++) array[i] = i;
    const places = [0, 1, 2 ** 16, 2 ** 20 - 1, 2 ** 24 + 3, length >> 1, length - 2, length - 1];
    const startedAt = performance.now();
    const back = await run(targets.doubleAt, array, places);
    const milliseconds = performance.now() - startedAt;
    assert.equal(back.length, length);
    const doubled = new Set(places);
    let wrong = 0;
    for (let i = 0; i < length; i++) if (back[i] !== (doubled.has(i) ? i * 2 : i)) wrong++;
    assert.equal(wrong, 0);
    assert.equal(array[length - 1], length - 1, 'the array of the parent is as it was');
    const { arrayBuffers, rss } = process.memoryUsage();
    // The array and its copy; nothing else of that size stays.
    assert.ok(arrayBuffers < 2.5 * array.byteLength, `${arrayBuffers / MiB} MiB in buffers`);
    t.diagnostic(
      `${Math.round(milliseconds)} ms; then ${Math.round(rss / MiB)} MiB resident, ${Math.round(arrayBuffers / MiB)} in buffers`,
    );
  });

  test('a large result waits for a parent that does not ask', async () => {
    const child = new Process({ target: targets.make, args: [32 * MiB] });
    child.start();
    assert.equal(child.joinSync(), true);
    const value = await child.result();
    assert.deepEqual([value.length, value[0], value.at(-1)], [32 * MiB, 7, 7]);
  });

  test('hundreds of thousands of small objects', async () => {
    const list = Array.from({ length: 300_000 }, (_, id) => ({ id, name: `item ${id}`, isOdd: id % 2 === 1 }));
    const back = await run(targets.echo<typeof list>, list);
    assert.equal(back.length, list.length);
    assert.deepEqual([back[0], back.at(-1)], [list[0], list.at(-1)]);
  });

  test('fifty thousand arguments', async () => {
    const values = Array.from({ length: 50_000 }, (_, i) => i);
    assert.equal(await run(targets.sum, ...values), (49_999 * 50_000) / 2);
  });
});
