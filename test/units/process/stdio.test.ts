import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { Process } from 'manyhands';
import { PrefixWriter } from '../../../src/units/process/prefix-writer.ts';
import { type Ended, fixture, runProgram, until } from '../../support/program.ts';
import * as targets from './stdio-targets.ts';

/** 10 MB */
const manyLines = 100_000;

type Wait = 'join' | 'joinSync';

/** What a program prints that starts a process and waits for it; the program's own lines are `joined` and the result. */
async function outputOf(stdio: string, target: keyof typeof targets, wait: Wait, ...args: unknown[]): Promise<Ended> {
  const ended = await runProgram(fixture('process/outputs.ts'), {
    args: [JSON.stringify([stdio, target, wait, ...args])],
    during: (program) => program.child.stdin!.end('what the user types'),
  });
  assert.equal(ended.code, 0, ended.stderr);
  return ended;
}

/** A title is enough to see where a long text differs. */
function assertSame(actual: string, expected: string): void {
  if (actual === expected) return;
  let at = 0;
  while (actual[at] === expected[at]) at++;
  const [was, wanted] = [actual, expected].map((whole) => JSON.stringify(whole.slice(at, at + 60)));
  assert.fail(`${actual.length} characters for ${expected.length}; at ${at} ${was} for ${wanted}`);
}

function lines(prefix: string, count: number = manyLines): string {
  return Array.from({ length: count }, (_, number) => `${prefix}${targets.line(number)}\n`).join('');
}

describe('inherit', () => {
  test('is the default: output and input are those of the parent', async () => {
    const { stdout, stderr } = await outputOf('inherit', 'both', 'join');
    assert.equal(stdout, 'to stdout\njoined\nundefined\n');
    assert.equal(stderr, 'to stderr\n');
    const input = await outputOf('inherit', 'readInput', 'join');
    assert.equal(input.stdout, 'joined\n"what the user types"\n');
  });

  test('there are no streams for the parent', async () => {
    const child = new Process({ target: targets.readInput, stdio: 'ignore' });
    child.start();
    assert.deepEqual([child.stdout, child.stderr], [null, null]);
    await child.join();
  });

  for (const wait of ['join', 'joinSync'] as const) {
    test(`large output is complete before ${wait} says so`, async () => {
      const { stdout } = await outputOf('inherit', 'flood', wait, manyLines);
      assertSame(stdout, `${lines('')}joined\n"flooded"\n`);
    });
  }
});

describe('pipe', () => {
  function start<A extends readonly unknown[], R>(target: (...args: A) => R, ...args: A): Process<A, R> {
    const child = new Process({ target: target as (...args: [...A]) => R, args, stdio: 'pipe' });
    child.start();
    return child;
  }

  test('stdout and stderr are streams to read', async () => {
    const child = start(targets.both);
    assert.deepEqual(await Promise.all([text(child.stdout!), text(child.stderr!)]), ['to stdout\n', 'to stderr\n']);
    assert.equal(await child.join(), true);
  });

  for (const [name, fd] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    test(`10 MB of ${name} arrive whole`, async () => {
      const child = start(targets.flood, manyLines, fd);
      const [whole, result] = await Promise.all([text(child[name]!), child.result()]);
      assertSame(whole, lines(''));
      assert.equal(result, 'flooded');
    });

    test(`10 MB of ${name} do not block a parent in joinSync, and can be read afterwards`, async () => {
      const child = start(targets.flood, manyLines, fd);
      assert.equal(child.joinSync(60_000), true);
      assert.equal(await child.result(), 'flooded');
      assertSame(await text(child[name]!), lines(''));
    });
  }

  test('what comes before, during and after a joinSync that gives up stays in order', async () => {
    const child = start(targets.flood, manyLines);
    const reading = text(child.stdout!);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.joinSync(1);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.joinSync();
    assertSame(await reading, lines(''));
  });

  test('what nobody read while it ran can be read after the end', async () => {
    const child = start(targets.both);
    await child.join();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await Promise.all([text(child.stdout!), text(child.stderr!)]), ['to stdout\n', 'to stderr\n']);
  });

  test('a stream that the program does not want any more can be destroyed', async () => {
    const child = start(targets.flood, manyLines);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    (child.stdout as Readable).destroy();
    assert.equal(await child.join(), true);
  });

  test('streams that nobody reads keep no descriptor', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    await start(targets.both).join();
    const before = count();
    for (let i = 0; i < 5; i++) await start(targets.both).join();
    await until(() => count() <= before);
  });

  test('there is no input', async () => {
    assert.equal(await start(targets.readInput).result(), '');
  });

  test('an uncaught error is told there', async () => {
    const child = start(targets.fail);
    const [stderr] = await Promise.all([text(child.stderr!), child.join()]);
    assert.match(stderr, /^Process "Process-\d+" \(pid \d+\) failed:\nError: failed in the child\n {4}at fail /);
  });
});

describe('ignore', () => {
  test('nothing is printed, errors included, and there is no input', async () => {
    assert.deepEqual(await silent('both'), ['joined\nundefined\n', '']);
    assert.deepEqual(await silent('fail'), ['joined\n"failed in the child"\n', '']);
    assert.deepEqual(await silent('readInput'), ['joined\n""\n', '']);
  });

  async function silent(target: keyof typeof targets): Promise<[string, string]> {
    const { stdout, stderr } = await outputOf('ignore', target, 'join');
    return [stdout, stderr];
  }
});

describe('prefix', () => {
  for (const wait of ['join', 'joinSync'] as const) {
    test(`each line stands behind the name, and is there before ${wait} says so`, async () => {
      const { stdout, stderr } = await outputOf('prefix', 'both', wait);
      assert.equal(stdout, '[worker] to stdout\njoined\nundefined\n');
      assert.equal(stderr, '[worker] to stderr\n');
    });

    test(`a last line without an end gets one, before ${wait} says so`, async () => {
      const { stdout, stderr } = await outputOf('prefix', 'partial', wait);
      assert.equal(stdout, '[worker] first\n[worker] second of worker\njoined\nundefined\n');
      assert.equal(stderr, '[worker] third\n');
    });

    test(`characters cut anywhere arrive whole, with ${wait}`, async () => {
      const written = '子进程 ½ 👩‍👩‍👧 é\n父进程';
      const { stdout } = await outputOf('prefix', 'bytewise', wait, written);
      assert.equal(stdout, `[worker] ${written.replace('\n', '\n[worker] ')}\njoined\nundefined\n`);
    });

    test(`10 MB are complete before ${wait} says so`, async () => {
      const { stdout } = await outputOf('prefix', 'flood', wait, manyLines);
      assertSame(stdout, `${lines('[worker] ')}joined\n"flooded"\n`);
    });
  }

  test('10 MB of stderr', async () => {
    const { stderr } = await outputOf('prefix', 'flood', 'join', manyLines, 2);
    assertSame(stderr, lines('[worker] '));
  });

  test('an uncaught error is told behind the name', async () => {
    const { stderr } = await outputOf('prefix', 'fail', 'join');
    assert.match(
      stderr,
      /^\[worker\] Process "worker" \(pid \d+\) failed:\n\[worker\] Error: failed in the child\n\[worker\] {5}at /,
    );
    assert.ok(
      stderr
        .trimEnd()
        .split('\n')
        .every((line) => line.startsWith('[worker] ')),
    );
  });

  test('there is no input', async () => {
    assert.equal((await outputOf('prefix', 'readInput', 'join')).stdout, 'joined\n""\n');
  });

  function written(chunks: readonly Uint8Array[], terminal: { hasColors?: () => boolean } = {}): string {
    let output = '';
    const writer = new PrefixWriter('w', { ...terminal, write: (piece) => (output += piece) });
    for (const chunk of chunks) writer.write(Buffer.from(chunk));
    writer.end();
    writer.end();
    return output;
  }

  test('the text is the same wherever it is cut', () => {
    const whole = Buffer.from('子进程\n\n½👍\r\nlast');
    for (let at = 0; at <= whole.length; at++) {
      assert.equal(written([whole.subarray(0, at), whole.subarray(at)]), '[w] 子进程\n[w] \n[w] ½👍\r\n[w] last\n');
    }
  });

  test('nothing is written for nothing, and half a character at the end is shown as such', () => {
    assert.equal(written([]), '');
    assert.equal(written([Buffer.from('子').subarray(0, 2)]), '[w] \ufffd\n');
  });

  test('a line without an end does not pile up in memory', () => {
    const chunk = Buffer.alloc(50_000, 'x');
    const output = written([chunk, chunk, chunk]);
    assert.equal(output.replace(/\[w\] |\n/g, '').length, 150_000);
    assert.ok(output.split('\n').length > 2);
  });

  test('the name is coloured where the destination shows colours, and there alone', () => {
    const coloured = written([Buffer.from('x\n')], { hasColors: () => true });
    assert.ok(coloured.startsWith('\u001b[') && coloured.endsWith('m[w]\u001b[39m x\n'), JSON.stringify(coloured));
    assert.equal(written([Buffer.from('x\n')], { hasColors: () => false }), '[w] x\n');
  });
});
