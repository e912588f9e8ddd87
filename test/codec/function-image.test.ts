import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SourceImage } from '../../src/codec/function-image.ts';
import { describeFunction, describeImage } from '../../src/codec/function-image.ts';
import { ref } from '../../src/codec/function-reference.ts';
import type { AnyFunction } from '../../src/codec/types.ts';
import defaultFunction from './fixtures/default-function.ts';
import { OtherProcess } from './fixtures/parcel.ts';
import * as targets from './fixtures/targets.ts';

const require = createRequire(import.meta.url);
const common = require('./fixtures/common.cjs');
const defaultCommon = require('./fixtures/default-common.cjs');

// The functions to be called are all of fixtures: the other process imports their modules.
const other = new OtherProcess();
after(() => other.close());

const { all, callers, settings, Shape, Square } = targets;

function inline(): Record<string, AnyFunction> {
  return targets.inline({ factor: 5 });
}

function refusal(fn: AnyFunction, message: RegExp): void {
  assert.throws(() => describeImage(fn, 'target'), { name: 'CloneError', code: 'ERR_CANNOT_CLONE', message });
}

test('a function at module scope is found by its name, exported or not', async () => {
  assert.equal(await other.call(all.hidden!, 4), 12);
  assert.equal(await other.call(targets.arrow, 4), 13);
  assert.equal(await other.call(all.bare!, 4), 7);
  assert.equal(await other.call(targets.later, 4), 12);
  assert.deepEqual(describeImage(all.hidden!, 'target').captured, {});
  assert.deepEqual((describeImage(all.hidden!, 'target').image as SourceImage).path, ['hidden']);
});

test('members of classes and of objects at module scope are found', async () => {
  assert.equal(await other.call(settings.nested.run, 1), 4);
  assert.equal(await other.call(settings.method, 1), 10);
  assert.equal(await other.call((settings as unknown as Record<string, AnyFunction>).computed!, 1), 3);
  // Finds the class of the module, whose private counter it shares.
  assert.equal(await other.call(Shape.create, 2), 5);
  assert.equal(await other.call(Shape.make, 2), 4);
});

test('a class is passed as a value', async () => {
  assert.equal(await other.call(callers.area, Square), 10);
  assert.equal(await other.call(inline().construct!), 'base 5 derived from 6');
});

test('a getter can be passed', async () => {
  assert.equal(await other.call(Object.getOwnPropertyDescriptor(Shape.prototype, 'double')!.get!), 6);
  assert.equal(await other.call(inline().getter!), 5);
});

test('an inline function has its locals, its module, and what it captures captures in turn', async () => {
  const { direct, helper, hiddenToo, meta, method } = inline();
  assert.equal(await other.call(direct!, 1), 6);
  assert.equal(await other.call(helper!, 2), 13);
  assert.equal(await other.call(hiddenToo!, 1), 18);
  assert.equal(await other.call(meta!), 'targets.ts5');
  assert.equal(await other.call(method!, 1), 6);
});

test('functions that capture themselves or each other arrive so', async () => {
  assert.equal(await other.call(inline().factorial!, 5), 120);
  assert.equal(await other.call(inline().even!, 4), true);
});

test('functions keep their names and their kinds', async () => {
  const object = inline();
  assert.deepEqual(
    await other.call(callers.names, object),
    Object.values(object).map((fn) => fn.name),
  );
  assert.deepEqual(await other.call(callers.collect, object.generator!), [[5], 'odd5']);
});

test('what two functions capture together is one object there; a variable is passed as it is at the start', async () => {
  const [one, another, push] = targets.sharing();
  push(2);
  const result = other.call(callers.shared, one, another);
  push(3);
  assert.deepEqual(await result, [true, [1, 2, 'x'], 2]);
});

test('only what a function uses is passed', () => {
  assert.deepEqual(Object.keys(describeImage(inline().direct!, 'target').captured), ['local']);
});

test('an error that an evaluated function throws tells the true place', async () => {
  const { fails } = inline();
  let here: unknown;
  try {
    fails!(9);
  } catch (error) {
    here = error;
  }
  const firstFrame = (error: unknown) => /\(?(\S+targets\.ts:\d+:\d+)\)?/.exec((error as Error).stack!)?.[1];
  await assert.rejects(other.call(fails!, 9), (error: Error) => {
    assert.ok(error instanceof RangeError);
    assert.equal(firstFrame(error), firstFrame(here));
    return true;
  });
});

test('default exports, CommonJS modules and data: URLs are found', async () => {
  assert.equal(await other.call(defaultFunction, 1), 3);
  assert.equal(await other.call(common.run, 1), 10);
  assert.equal(await other.call(common.file, 1), 'common.cjsobject');
  assert.equal(await other.call(common.make(7), 1), 12);
  assert.equal(await other.call(common.plainFunction, 1), 5);
  assert.equal(await other.call(defaultCommon, 1), 0);
  const code = 'const k = 5; export const f = (x) => x + k; export const g = (y) => () => y + k';
  const module = await import(`data:text/javascript,${code}`);
  assert.equal(await other.call(module.f, 1), 6);
  assert.equal(await other.call(module.g(3)), 8);
});

test('a module with a byte order mark and Windows line ends is read', async () => {
  const bom = '%EF%BB%BFconst k = 1;\r\nexport const f = (x) => () => x + k;'.replace('\r\n', '%0D%0A');
  const module = await import(`data:text/javascript,${bom}`);
  assert.equal(await other.call(module.f(2)), 3);
});

test('functions made by eval and new Function travel by their text', async () => {
  assert.equal(await other.call(new Function('a', 'return a + 1'), 1), 2);
  assert.equal(await other.call(targets.evaluated('(a) => a + z'), 1), 6);
});

test('functions and modules of Node itself are found there', async () => {
  assert.equal(await other.call(Math.max, 1, 2), 2);
  assert.equal(await other.call(join, 'a', 'b'), 'a/b');
  assert.equal(await other.call(targets.moduleUser(fs)), 'function');
  assert.deepEqual(await other.call(callers.map, Math.abs, [-1, 2]), [1, 2]);
});

test('ref names an export outright', async () => {
  const url = new URL('./fixtures/targets.ts', import.meta.url);
  assert.equal(await other.call(ref(url, 'arrow'), 4), 13);
  await assert.rejects(other.call(ref(url, 'hidden'), 4), {
    name: 'TargetError',
    message: /the module exports no such name\. Its exports: Shape, Square, /,
  });
});

test('refuses what has no code of its own, and says what to write instead', () => {
  refusal(Array.prototype.slice, /^target \("slice"\) is native: .* Wrap it: \(\.\.\.args\) => theFunction/);
  refusal(targets.arrow.bind(null), /^target \("bound arrow"\) was made by bind\(\)/);
  refusal(new Proxy(targets.arrow, {}), /^target is a Proxy/);
});

test('refuses what uses this, arguments or super of the code around it', () => {
  refusal(
    targets.thisUser.call({ size: 1 }),
    /^target uses `this` of the code around it.* Pass what it needs as an argument/,
  );
  refusal(targets.argumentsUser(1), /^target uses `arguments`/);
});

test('refuses a variable that is not initialised yet, and names it', () => {
  let checked = false;
  targets.setProbe((fn) => {
    refusal(
      fn,
      /^target \("inner"\) uses "late", which is not initialised yet\. Start it after the line that declares it/,
    );
    checked = true;
  });
  targets.early();
  assert.equal(checked, true);
});

test('names the captured variable that cannot travel', async () => {
  await assert.rejects(other.call(targets.capturing(Symbol('s'))), {
    code: 'ERR_CANNOT_CLONE',
    message: /^captured variable value of target \(Symbol\(s\)\) cannot be copied/,
  });
});

test('describes a function for messages', () => {
  assert.match(describeFunction(targets.arrow), /^"arrow" \(targets\.ts:\d+:\d+\)$/);
  assert.match(
    describeFunction(() => 1),
    /^an anonymous function \(function-image\.test\.ts:\d+:\d+\)$/,
  );
  assert.equal(describeFunction(Math.max), '"max"');
});

const parcel = JSON.stringify(new URL('./fixtures/parcel.ts', import.meta.url).href);
const programs = {
  'a classic script': `
    const { sep } = require('node:path'); const path = require('path'); let base = 2;
    function twice(x) { return x * base } class Base { n() { return base } }
    const work = (x) => [twice(x), path.join('a', 'b') + sep, os.EOL, typeof require, new (class extends Base {})().n()];
    import(${parcel}).then(async ({ OtherProcess }) => {
      const other = new OtherProcess(); console.log(JSON.stringify(await other.call(work, 4))); await other.close();
    })`,
  'a module': `
    import os, { EOL } from 'node:os'; import * as path from 'node:path'; import { sep } from 'node:path'; let base = 2;
    const twice = (x) => x * base; class Base { n() { return base } }
    const work = (x) => [twice(x), path.join('a', 'b') + sep, os.EOL, 'function', new (class extends Base {})().n()];
    const { OtherProcess } = await import(${parcel});
    const other = new OtherProcess(); console.log(JSON.stringify(await other.call(work, 4))); await other.close();`,
};
for (const [kind, program] of Object.entries(programs)) {
  test(`a function of node -e travels with all that it uses: ${kind}`, () => {
    const type = kind === 'a module' ? 'module' : 'commonjs';
    const { stdout, stderr } = spawnSync(process.execPath, [`--input-type=${type}`, '-e', program], {
      timeout: 20_000,
      encoding: 'utf8',
    });
    assert.equal(stdout, '[8,"a/b/","\\n","function",2]\n', stderr);
  });
}
