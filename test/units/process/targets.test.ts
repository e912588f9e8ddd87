import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { build } from 'esbuild';
import { CloneError, Process, ref, TargetError, ValidationError } from 'manyhands';
import commonTyped from '../../fixtures/process/common-typed.cts';
import anonymous from '../../fixtures/process/default-anonymous.ts';
import arrow from '../../fixtures/process/default-arrow.ts';
import named from '../../fixtures/process/default-named.ts';
import { bundle } from '../../support/bundle.ts';
import { type Ended, fixture, root, runProgram, withProgram } from '../../support/program.ts';
import * as targets from './targets-targets.ts';

async function run<A extends readonly unknown[], R>(target: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
  const child = new Process<A, R>({ target: target as (...args: [...A]) => R, args });
  child.start();
  return child.result();
}

/** Runs a target that fails, and keeps its complaint off the output. */
function runFailing(target: () => unknown): Promise<unknown> {
  const child = new Process({ target, stdio: 'ignore' });
  child.start();
  return child.result();
}

function printed(ended: Ended): string {
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.stderr, '');
  return ended.stdout;
}

describe('a target is found by its name', () => {
  test('an exported function, in a process of its own', async () => {
    const text = await run(targets.exported, 1, 2);
    assert.match(text, /^43 in \d+$/);
    assert.doesNotMatch(text, new RegExp(`in ${process.pid}$`));
  });

  test('functions that are not exported', async () => {
    const { hidden, hiddenArrow, later } = targets.notExported;
    assert.deepEqual([await run(hidden, 1), await run(hiddenArrow, 1), await run(later, 1)], [41, 42, 41]);
  });

  test('generators run to their end, and what they return is the result', async () => {
    const { counting, countingLater } = targets.notExported;
    assert.equal(await run(counting, 3), 'counted to 3' as never);
    assert.equal(await run(countingLater, 3), 'counted slowly to 3' as never);
  });

  test('static methods, static fields, object methods and methods of a prototype', async () => {
    const { Shape, settings } = targets;
    assert.equal(await run(Shape.describe, 3), '4 sides of 3');
    assert.equal(await run(Shape.field, 3), '4 sides of 3');
    assert.equal(await run(settings.method, 3), '3 px');
    assert.equal(await run(settings.nested.run, 3), '3px');
    assert.equal(await run(Shape.prototype.area), 0);
  });

  test('a target is called without this', async () => {
    assert.equal(await run(targets.typeOfThis), 'undefined');
  });

  test('default exports with a name, without one, and arrow functions', async () => {
    assert.deepEqual([await run(named, 1), await run(anonymous, 1), await run(arrow, 1)], [2, 3, 4]);
  });

  test('import.meta is that of the module of the target', async () => {
    assert.equal(await run(targets.where), 'targets-targets.ts');
  });
});

describe('a target made inside of a function takes along what it closes over', () => {
  const inline = targets.inline('Ada') as Record<string, (...args: unknown[]) => unknown>;

  test('nested objects, with the identity between them', async () => {
    const [config, second] = (await run(inline.nested!)) as [{ list: unknown[]; when: Date }, unknown];
    assert.deepEqual(config, { list: [1, { deep: new Map([['key', 'Ada']]) }], when: new Date(0) });
    assert.equal(config.list[1], second);
  });

  test('functions that use functions, and functions that call themselves', async () => {
    assert.equal(await run(inline.byFunctions!, 3), 12);
    assert.equal(await run(inline.isEven!, 7), false);
  });

  test('classes, with private fields and their base class', async () => {
    assert.equal(await run(inline.byClass!), 'Hello Ada!');
  });

  test('imports and neighbours of its module', async () => {
    assert.deepEqual(await run(inline.neighbours!), [41, 41, 'b']);
  });

  test('inline generators', async () => {
    assert.equal(await run(inline.generator!, 2), 'Ada');
  });

  test('by value, as it is at the start: the changes of one side are not seen by the other', async () => {
    inline.count!();
    assert.equal(await run(inline.counted!), 2);
    assert.equal(await run(inline.counted!), 2);
    assert.equal(inline.counted!(), 2);
  });

  test('what it throws has the stack of the place where it is written', async () => {
    await assert.rejects(runFailing(inline.thrower!), (error: RangeError) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.stack!, /^RangeError: Ada is out of range\n {4}at thrower \(.*targets-targets\.ts:\d+:\d+\)/);
      const [, line] = /targets-targets\.ts:(\d+)/.exec(error.stack!)!;
      let local: RangeError | undefined;
      try {
        inline.thrower!();
      } catch (thrown) {
        local = thrown as RangeError;
      }
      assert.match(local!.stack!, new RegExp(`targets-targets\\.ts:${line}:`));
      return true;
    });
  });
});

describe('functions as arguments', () => {
  test('inline and named ones arrive as functions that can be called', async () => {
    assert.equal(await run(targets.apply<number>, targets.notExported.hidden, 3), 43);
    const { byFunctions } = targets.inline('Ada');
    assert.equal(await run(targets.apply<unknown>, byFunctions as (value: number) => unknown, 3), 12);
  });

  test('also deep in a value, with their names, and native ones too', async () => {
    const { hidden, hiddenArrow } = targets.notExported;
    assert.deepEqual(await run(targets.applyAll, { a: hidden, b: hiddenArrow, c: Math.sqrt }), {
      'a hidden': 41,
      'b hiddenArrow': 42,
      'c sqrt': 1,
    });
  });

  test("Node's own functions are targets", async () => {
    assert.equal(await run(Math.max, 1, 5), 5);
    assert.equal(await run(basename, '/a/b', undefined as never), 'b');
  });
});

describe('programs', () => {
  test('targets written inline in main', async () => {
    assert.equal(
      printed(await runProgram(fixture('process/inline-in-main.ts'))),
      "[\n  'apples',\n  '3 apples',\n  [ 1, 2 ],\n  'inline-in-main.ts',\n  false,\n  5,\n  'last'\n] 0\n",
    );
  });

  test('the module of the target is imported in each child, once, and is not main there', async () => {
    const line = 'imported 1 time, main: false';
    assert.deepEqual(printed(await runProgram(fixture('process/side-effects.ts'))).split('\n'), [
      ...['imported as main', 'imported as module', line, 'imported as module', line, ''],
    ]);
  });

  test('CommonJS: by name, assigned to exports, and inline', async () => {
    const { add, assigned, make } = createRequire(import.meta.url)(fixture('process/common.cjs')) as Record<
      string,
      (...args: unknown[]) => unknown
    >;
    assert.equal(await run(add!, 1), 11);
    assert.equal(await run(assigned!, 1), '11 in common.cjs');
    assert.equal(await run(make!(5) as () => unknown, ...([1] as unknown as [])), 16);
    assert.equal(printed(await runProgram(fixture('process/common.cjs'))), "[ 11, 'function', 'object' ]\n");
  });

  test('CommonJS in TypeScript', async () => {
    const { add, assigned } = commonTyped as Record<string, (a: number) => unknown>;
    assert.deepEqual([await run(add!, 1), await run(assigned!, 1)], [21, '21 function']);
  });

  test('JavaScript of a package in node_modules, hidden functions included', async () => {
    const files = {
      'node_modules/fake-package/package.json': '{ "name": "fake-package", "type": "module", "exports": "./index.js" }',
      'node_modules/fake-package/index.js':
        'const hidden = (a) => a + 1;\nexport const make = (b) => (a) => hidden(a) + b;\nexport { hidden as shown };\n',
      'main.mjs': `
        import { Process } from 'manyhands';
        import { make, shown } from 'fake-package';
        if (import.meta.main) {
          for (const target of [shown, make(10), (a) => shown(a) * 3]) {
            const child = new Process({ target, args: [1] });
            child.start();
            console.log(await child.result());
          }
        }`,
    };
    await withProgram(files, async (folder) => {
      assert.equal(printed(await runProgram(join(folder, 'main.mjs'))), '2\n12\n6\n');
    });
  });

  const evaluate = (code: string, ...node: string[]): Promise<Ended> =>
    runProgram(code, { node: [...node, '-e'], cwd: root });

  test('node -e: functions with what they use of the text, and require', async () => {
    const code = `
      const { Process } = require('manyhands');
      const k = 3, twice = (a) => a * 2;
      const child = new Process({ target: (a) => [a + k, twice(a), require('node:path').basename('/a/b')], args: [1] });
      child.start();
      child.result().then(console.log);`;
    assert.equal(printed(await evaluate(code)), "[ 4, 2, 'b' ]\n");
  });

  test('node -e: functions that are declared there', async () => {
    const code = `
      const { Process } = require('manyhands');
      function twice(a) { return a * 2 }
      var k = 3;
      const child = new Process({ target: (a) => twice(a) + k, args: [1] });
      child.start();
      child.result().then(console.log);`;
    assert.equal(printed(await evaluate(code)), '5\n');
  });

  test('node --input-type=module -e', async () => {
    const code = `
      import { Process } from 'manyhands';
      const k = 3;
      function twice(a) { return a * 2 }
      const child = new Process({ target: (a) => twice(a) + k, args: [1] });
      child.start();
      console.log(await child.result());`;
    assert.equal(printed(await evaluate(code, '--input-type=module')), '5\n');
  });
});

describe('ref', () => {
  const url = new URL('./targets-targets.ts', import.meta.url);

  test('names an export outright', async () => {
    assert.match(await run(ref<typeof targets.exported>(url, 'exported'), 1, 2), /^43 in /);
  });

  test('a name that the module does not export fails with the names that it does', async () => {
    await assert.rejects(runFailing(ref(url, 'hidden')), (error: TargetError) => {
      assert.ok(error instanceof TargetError);
      assert.equal(error.code, 'ERR_TARGET');
      assert.match(
        error.message,
        /targets-targets\.ts", "hidden"\): the module exports no such name\. Its exports: .*exported/,
      );
      return true;
    });
  });

  test('an export that is no function fails with what it is', async () => {
    await assert.rejects(runFailing(ref(url, 'notAFunction')), {
      name: 'TargetError',
      message: /the module exports a number of that name/,
    });
  });

  test('a module that is not there fails with its path', async () => {
    await assert.rejects(runFailing(ref(new URL('./nowhere.ts', url), 'x')), {
      code: 'ERR_MODULE_NOT_FOUND',
      message: /nowhere\.ts/,
    });
  });

  test('what is no URL, no name, or a call of the stand-in is refused at once', () => {
    for (const [moduleUrl, mention] of [
      ['./work.ts', /got ".\/work.ts"\. Write ref\(import\.meta\.url/],
      ['', /got ""/],
    ] as const) {
      assert.throws(() => ref(moduleUrl, 'x'), { name: 'ValidationError', code: 'ERR_VALIDATION', message: mention });
    }
    assert.throws(() => ref(url, ''), { name: 'ValidationError', message: /the name of an export/ });
    assert.throws(() => ref(url, undefined as never), ValidationError);
    assert.throws(() => ref(url, 'exported')(), { name: 'ValidationError', message: /cannot be called here/ });
  });
});

describe('bundled with esbuild', () => {
  const work = `
    const base: number = 40;
    export function work(a: number): string {
      return 'worked out ' + (base + a);
    }
    export function fail(): never {
      throw new RangeError('failed in work.ts');
    }`;

  test('one that names its target by ref()', async () => {
    const main = `
      import { Process, ref } from 'manyhands';
      import { work } from './work.ts';
      export { work };
      if (import.meta.main) {
        const child = new Process({ target: ref<typeof work>(import.meta.url, 'work'), args: [2] });
        child.start();
        console.log(await child.result());
      }`;
    await withProgram({ 'main.ts': main, 'work.ts': work }, async (folder) => {
      await bundle(join(folder, 'main.ts'), join(folder, 'bundle.mjs'));
      assert.equal(printed(await runProgram(join(folder, 'bundle.mjs'))), 'worked out 42\n');
    });
  });

  const withoutRef = `
    import { Process } from 'manyhands';
    import { work, fail } from './work.ts';
    if (import.meta.main) {
      const offset = 5;
      for (const target of [work, (a: number) => work(a + offset)]) {
        const child = new Process({ target, args: [2] });
        child.start();
        console.log(await child.result());
      }
      const failing = new Process({ target: fail, stdio: 'ignore' });
      failing.start();
      await failing.result().catch((error) => console.log(error.stack.split('\\n')[1]));
    }`;

  test('one without ref() works as well: the functions are found in the bundle', async () => {
    await withProgram({ 'main.ts': withoutRef, 'work.ts': work }, async (folder) => {
      await bundle(join(folder, 'main.ts'), join(folder, 'bundle.mjs'));
      const lines = printed(await runProgram(join(folder, 'bundle.mjs'), { node: ['--enable-source-maps'] })).split(
        '\n',
      );
      assert.deepEqual(lines.slice(0, 2), ['worked out 42', 'worked out 47']);
      assert.match(lines[2]!, /work\.ts:7:\d+\)$/);
    });
  });

  test('one that has the library inside is told to leave it out', async () => {
    await withProgram({ 'main.ts': withoutRef, 'work.ts': work }, async (folder) => {
      const options = {
        bundle: true,
        format: 'esm',
        platform: 'node',
        external: ['koffi'],
        logLevel: 'silent',
      } as const;
      await build({
        ...options,
        external: ['koffi'],
        entryPoints: [join(folder, 'main.ts')],
        outfile: join(folder, 'bundle.mjs'),
      });
      const { code, stderr } = await runProgram(join(folder, 'bundle.mjs'));
      assert.equal(code, 1);
      assert.match(
        stderr,
        /PlatformError: The file that child processes of Manyhands run is missing: .*--external:manyhands/,
      );
    });
  });
});

describe('with tsx as a loader', () => {
  const program = [
    "import { Process } from 'manyhands';",
    'enum Colour {',
    "  Red = 'red',",
    "  Green = 'green',",
    '}',
    'interface Unused {',
    '  a: number;',
    '}',
    'class Point {',
    '  constructor(readonly x: number, private y: number) {}',
    '  sum(): number { return this.x + this.y }',
    '}',
    'function fail(): never {',
    "  throw new RangeError('line 14');",
    '}',
    'if (import.meta.main) {',
    '  const extra: Colour = Colour.Green;',
    '  const inlineFail = (): never => {',
    '    const unused: Unused = { a: 1 };',
    "    throw new TypeError('line 20' + extra + unused.a);",
    '  };',
    '  const work = (colour: Colour) => [colour, extra, Object.keys(Colour), new Point(1, 2).sum()].join();',
    '  const child = new Process({ target: work, args: [Colour.Red] });',
    '  child.start();',
    '  console.log(await child.result());',
    '  for (const target of [fail, inlineFail]) {',
    "    const failing = new Process({ target, stdio: 'ignore' });",
    '    failing.start();',
    "    await failing.result().catch((error) => console.log(error.stack.split('\\n')[1]));",
    '  }',
    '}',
  ].join('\n');

  for (const options of [
    ['--import', 'tsx'],
    ['--enable-source-maps', '--import', 'tsx'],
  ]) {
    test(`${options.join(' ')}: enums work, and stacks tell the lines of the source`, async () => {
      await withProgram({ 'main.ts': program }, async (folder) => {
        const lines = printed(await runProgram(join(folder, 'main.ts'), { node: options })).split('\n');
        assert.equal(lines[0], 'red,green,Red,Green,3');
        assert.match(lines[1]!, /at fail \(.*main\.ts:14:9\)$/);
        assert.match(lines[2]!, /at inlineFail \(.*main\.ts:20:11\)$/);
      });
    });
  }
});

describe('what cannot travel is a TargetError at start(), with function, variable and way out', () => {
  function assertRefused(target: (...args: never[]) => unknown, mention: RegExp, args: readonly unknown[] = []): void {
    const child = new Process({ target: target as (...args: unknown[]) => unknown, args: [...args], name: 'worker' });
    assert.throws(
      () => child.start(),
      (error: TargetError) => {
        assert.ok(error instanceof TargetError, `${error}`);
        assert.equal(error.code, 'ERR_TARGET');
        assert.ok(error.cause instanceof CloneError);
        assert.match(error.message, /^Cannot start process "worker" with /);
        assert.match(error.message, mention);
        return true;
      },
    );
    assert.equal(child.state, 'new');
    assert.equal(child.isAlive, false);
  }

  const server = createServer();
  const named = '"holder" \\(targets-targets\\.ts:\\d+:\\d+\\): captured variable theValue';

  test('bound functions', () => {
    assertRefused(
      targets.exported.bind(null, 1),
      /target \("bound exported"\) was made by bind\(\).* Write an arrow function/,
    );
  });

  test('native functions that are not known by a name', () => {
    assertRefused(new Intl.Collator().compare, /is native.* Wrap it: \(\.\.\.args\) =>/);
  });

  test('proxies of functions', () => {
    assertRefused(new Proxy(targets.exported, {}), /target .*Proxy.* Pass the function behind it/);
  });

  test('captured resources, by their path', () => {
    assertRefused(
      targets.holding({ a: [server] }),
      new RegExp(`${named}\\.a\\[0\\] of target \\(a Server\\).* a port`),
    );
    assertRefused(targets.holding(process.stdin), new RegExp(`${named} of target .*holds resources of this process`));
  });

  test('captured instances of a class with private state', () => {
    assertRefused(targets.readBalance(new targets.Account()), /captured variable account of target .*private/);
  });

  test('captured shared memory, promises, symbols and weak collections', () => {
    assertRefused(targets.holding(new SharedArrayBuffer(8)), new RegExp(`${named} of target .* use SharedArray`));
    assertRefused(targets.holding(new Int32Array(new SharedArrayBuffer(8))), new RegExp(`${named} .* use SharedArray`));
    assertRefused(targets.holding(Promise.resolve(1)), new RegExp(`${named} .*await it and pass the result`));
    assertRefused(
      targets.holding(Symbol('secret')),
      new RegExp(`${named} of target \\(Symbol\\(secret\\)\\).* pass a string`),
    );
    assertRefused(targets.holding(new WeakMap()), new RegExp(`${named} .*pass an array`));
  });

  test('functions around this, super and private names of the code around them', () => {
    class Counter {
      #count = 3;
      later(): () => number {
        return () => this.#count;
      }
    }
    assertRefused(new Counter().later(), /uses `.*this.*` of the code around it.* Pass what it needs as an argument/);
  });

  test('arguments, by their path', () => {
    const { exported } = targets;
    assertRefused(exported, /"exported" \(targets-targets\.ts:\d+:\d+\): args\[0\]\.list\[1\]\.socket \(a Server\)/, [
      { list: [1, { socket: server }] },
    ]);
    assertRefused(exported, /args\[1\]\.get\("k"\) \(a Promise\)/, [1, new Map([['k', Promise.resolve()]])]);
    assertRefused(exported, /args\[0\] \("bound holder"\) was made by bind/, [targets.holding(1).bind(null)]);
  });

  test('captured variables that are not initialised yet', () => {
    const early = (): number => tooLate;
    assertRefused(early, /"tooLate", which is not initialised yet\. Start it after the line that declares it/);
    const tooLate = 1;
  });

  test('a refused start can be mended and repeated', async () => {
    const args: [number, unknown] = [1, server];
    const child = new Process({ target: targets.exported as (a: number, b: unknown) => string, args });
    assert.throws(() => child.start(), TargetError);
    args[1] = 2;
    child.start();
    assert.match(await child.result(), /^43 in/);
  });
});
