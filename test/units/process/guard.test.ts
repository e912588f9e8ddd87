import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Ended, processesWith, runProgram, until, withProgram } from '../../support/program.ts';
import { occurrences } from './watch.ts';

interface GuardRun extends Ended {
  /** How many processes ran the program's module, the main program among them. */
  readonly imports: number;
}

/** Runs a program of one module, each import of which is counted. */
function run(name: string, text: string, mark = ''): Promise<GuardRun> {
  const count = `appendFileSync(process.env.IMPORT_COUNT, process.pid + '\\n');\n`;
  const head = name.endsWith('.cjs')
    ? `const { appendFileSync } = require('node:fs');\n${count}const { Process } = require('manyhands');\n`
    : `import { appendFileSync } from 'node:fs';\nimport { Process } from 'manyhands';\n${count.replace('COUNT', 'COUNT!')}`;
  return withProgram({ [name]: head + text, count: '' }, async (folder) => {
    const count = join(folder, 'count');
    const ended = await runProgram(join(folder, name), { env: { IMPORT_COUNT: count, GUARD_TEST: mark } });
    return { ...ended, imports: occurrences(readFileSync(count, 'utf8'), '\n') };
  });
}

const guardLine = /if \((import\.meta\.main|require\.main === module)\) \{/g;

/** Checks that the program ended with code 1 and said once, and only once, what to write. */
function assertTold(ended: GuardRun, guard: string, processes: number): void {
  const { stderr, code, signal, imports } = ended;
  assert.deepEqual([code, signal], [1, null], stderr);
  assert.deepEqual(stderr.match(guardLine), [`if (${guard}) {`], stderr);
  assert.equal(occurrences(stderr, 'StartDuringImportError'), 1, stderr);
  assert.match(stderr, /Process "[^"]+" was started by code that runs when a child process imports file:.*program/);
  assert.ok(imports <= processes, `${imports} imports`);
}

const target = 'function target() {}\n';

test('without the guard, an ESM program in TypeScript is told what to write, once, and ends', async () => {
  const ended = await run('program.ts', `${target}new Process({ target }).start();\n`);
  assertTold(ended, 'import.meta.main', 2);
});

test('without the guard, a CommonJS program is told its own guard', async () => {
  const ended = await run('program.cjs', `${target}new Process({ target }).start();\n`);
  assertTold(ended, 'require.main === module', 2);
});

test('processes started in a loop without the guard are told of once', async () => {
  const ended = await run('program.ts', `${target}for (let i = 0; i < 5; i++) new Process({ target }).start();\n`);
  assertTold(ended, 'import.meta.main', 6);
});

test('a start that an import puts off to a timer is refused as well, and does not multiply', async () => {
  const ended = await run('program.ts', `${target}setTimeout(() => new Process({ target }).start(), 20);\n`);
  assertTold(ended, 'import.meta.main', 2);
});

test('a start from an async function that nobody awaits is refused as well', async () => {
  const ended = await run(
    'program.ts',
    `${target}async function main() {\n  await 0;\n  const child = new Process({ target });\n  child.start();\n  await child.join();\n}\nvoid main();\n`,
  );
  assertTold(ended, 'import.meta.main', 2);
});

test('a program that awaits the result at its top level gets the error there', async () => {
  const ended = await run(
    'program.ts',
    `${target}const child = new Process({ target });\nchild.start();\nawait child.result();\n`,
  );
  assertTold(ended, 'import.meta.main', 2);
});

test('a program that awaits only the end at its top level is told all the same', async () => {
  const ended = await run(
    'program.ts',
    `${target}const child = new Process({ target });\nchild.start();\nawait child.join();\n`,
  );
  assertTold(ended, 'import.meta.main', 2);
});

test('a program that blocks until the end is told all the same', async () => {
  const ended = await run(
    'program.ts',
    `${target}const child = new Process({ target });\nchild.start();\nchild.joinSync();\n`,
  );
  assertTold(ended, 'import.meta.main', 2);
});

test('a program may handle the error, which has its class and code', async () => {
  const ended = await run(
    'program.ts',
    `${target}const child = new Process({ target });\nchild.start();\n` +
      'await child.result().catch((error) => console.log(error.constructor.name, error.code, child.exit?.kind));\n',
  );
  assert.equal(ended.stdout, 'StartDuringImportError ERR_START_DURING_IMPORT fatal\n');
  assert.equal(occurrences(ended.stderr, 'StartDuringImportError'), 0, ended.stderr);
});

test('with the guard, neither program says anything', async () => {
  const esm = await run('program.ts', `${target}if (import.meta.main) new Process({ target }).start();\n`);
  const cjs = await run('program.cjs', `${target}if (require.main === module) new Process({ target }).start();\n`);
  for (const { code, stderr, imports } of [esm, cjs]) assert.deepEqual([code, stderr, imports], [0, '', 2]);
});

test('a target may start processes, also of its own module, and from a timer', async () => {
  const ended = await run(
    'program.ts',
    `function leaf() {}
function parent() {
  setTimeout(() => new Process({ target: leaf }).start(), 5);
  const child = new Process({ target: leaf });
  child.start();
  return child.result();
}
if (import.meta.main) new Process({ target: parent }).start();
`,
  );
  assert.deepEqual([ended.code, ended.stderr, ended.imports], [0, '', 4]);
});

test('a program without the guard leaves no process behind', async () => {
  const mark = `guard-${process.pid}-${Date.now()}`;
  await run('program.ts', `${target}for (let i = 0; i < 5; i++) new Process({ target }).start();\n`, mark);
  await until(() => processesWith(mark).length === 0, 1000);
});

test('a start that an import puts off to the end of the event loop is refused as well', async () => {
  const text = `${target}process.once('beforeExit', () => new Process({ target }).start());\n`;
  assertTold(await run('program.ts', text), 'import.meta.main', 2);
});

test('a start in a worker thread that an import sets going is refused as well', async () => {
  const text =
    `import { isMainThread, Worker } from 'node:worker_threads';\n${target}` +
    'if (isMainThread) new Worker(new URL(import.meta.url)); else new Process({ target }).start();\n';
  const { stderr, imports } = await run('program.ts', text);
  assert.match(stderr, /StartDuringImportError\]?: Process "[^"]+" was started by code that runs when a child/);
  // The main thread and the worker of the program, and of its one child.
  assert.ok(imports <= 4, `${imports} imports`);
});

test('generations of processes beyond any that a program means to have are refused', async () => {
  const text =
    'async function nest(depth: number): Promise<string> {\n' +
    '  const process = new Process({ target: nest, args: [depth + 1] });\n' +
    '  try { process.start(); } catch (error) { return [depth, (error as Error).message].join(" "); }\n' +
    '  return process.result() as Promise<string>;\n}\n' +
    'if (import.meta.main) console.log(await nest(0));\n';
  const { stdout } = await run('program.ts', text);
  assert.match(stdout, /^32 Process "[^"]+" would be generation 33 of processes/);
});
