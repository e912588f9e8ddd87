import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram, withProgram } from '../../support/program.ts';

async function run(text: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return withProgram({ 'main.mjs': `import { Coroutine, Event, checkpoint } from 'manyhands';\n${text}` }, (folder) =>
    runProgram(join(folder, 'main.mjs')),
  );
}

test('a program waits for its coroutines', async () => {
  const { code, stdout } = await run(
    "new Coroutine({ target: async () => { for (let i = 0; i < 9; i++) { await new Promise(setImmediate); await checkpoint(); } console.log('done'); } }).start();",
  );
  assert.deepEqual([code, stdout], [0, 'done\n']);
});

test('it does not wait for daemons, busy or waiting; but for one that is joined', async () => {
  const daemons = `
const start = (target) => { const one = new Coroutine({ target, daemon: true }); one.start(); return one; };
const event = new Event();
start(() => event.wait());
start(() => event.wait({ timeoutMs: 100_000 }));
start(async () => { for (;;) await checkpoint(); });
start(function* () { for (;;) yield; });
`;
  const left = await run(`${daemons} console.log('end');`);
  assert.deepEqual([left.code, left.stdout], [0, 'end\n']);
  const joined = await run(
    `${daemons} console.log(await start(async () => { for (let i = 0; i < 5; i++) await checkpoint(); return 'joined'; }).result());`,
  );
  assert.deepEqual([joined.code, joined.stdout], [0, 'joined\n']);
});

test('an error that nobody asks for is told of, and ends nothing', async () => {
  const { code, stderr } = await run(
    "new Coroutine({ name: 'c', target: async () => { throw new Error('lost'); } }).start();",
  );
  assert.equal(code, 0);
  assert.match(stderr, /^Coroutine "c" failed:\nError: lost\n/);
});
