import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type End, scratchProject } from './scratch-project.ts';

const DRIVER = `
import { runTests } from './scripts/run-tests.mjs';

console.log(JSON.stringify(await runTests(process.execPath, process.argv.slice(2))));
`;
const FINE = `import { test } from 'node:test';
import { answer } from 'manyhands';

test('passes', () => void answer);
test('passes too', () => {});
`;

const project = scratchProject(
  { after },
  {
    'driver.mjs': DRIVER.trimStart(),
    'src/index.ts': 'export const answer: number = 42;\n',
    'test/fine.test.ts': FINE,
    'test/fixtures/none.test.ts': 'process.exit(1);\n',
  },
);

/** Runs one file with this body, as `npm test` does. */
async function outcome(body: string, file = 'cases/one.test.ts'): Promise<End & { passed: number; failed: number }> {
  project.write({ [file]: `import { before, describe, it, test } from 'node:test';\n${body}` });
  const end = await project.node(['driver.mjs', file]);
  return { ...end, ...JSON.parse(lastLine(end)) };
}

function lastLine({ stdout }: End): string {
  return stdout.trimEnd().split('\n').at(-1) ?? '';
}

test('ends with the totals, and with exit code 0 when all passed', async () => {
  const end = await project.node(['scripts/test.mjs']);
  assert.deepEqual([lastLine(end), end.code], ['2 passed, 0 failed', 0], end.stdout + end.stderr);
});

test('a wrong type and a wrong style are one failure each, and the tests run all the same', async (t) => {
  const wrong = scratchProject(t, {
    'src/index.ts': 'export const answer: number = 42;\n',
    'test/fine.test.ts': FINE,
    'examples/wrong.ts': "import { answer } from 'manyhands';\nexport const text:string = answer;\n",
  });
  const end = await wrong.node(['scripts/test.mjs']);
  assert.deepEqual([lastLine(end), end.code], ['2 passed, 2 failed', 1]);
});

test('a build that fails is one failure', async (t) => {
  const wrong = scratchProject(t, { 'src/index.ts': 'export const answer = ;\n', 'test/fine.test.ts': FINE });
  const end = await wrong.node(['scripts/test.mjs']);
  assert.deepEqual([lastLine(end), end.code], ['0 passed, 1 failed', 1]);
});

test('a pattern that matches nothing is a failure, and so is an unknown option or line', async () => {
  for (const args of [['nothing'], ['--nope'], ['--node', '21'], ['test/fixtures']]) {
    const end = await project.node(['scripts/test.mjs', ...args]);
    assert.deepEqual([lastLine(end), end.code], ['0 passed, 1 failed', 1], args.join(' '));
  }
});

test('counts tests, not suites', async () => {
  const { passed, failed } = await outcome(`
    describe('suite', () => {
      it('passes', () => {});
      it('fails', () => { throw new Error(); });
    });`);
  assert.deepEqual([passed, failed], [1, 1]);
});

test('counts a suite that fails by itself', async () => {
  const { failed } = await outcome("describe('suite', () => { throw new Error(); });");
  assert.equal(failed, 1);
});

test('counts tests that a broken hook or a time-out cancelled as failed', async () => {
  const hook = await outcome(
    "describe('suite', () => { before(() => { throw new Error(); }); it('waits', () => {}); });",
  );
  assert.equal(hook.passed, 0);
  assert.ok(hook.failed > 0);
  const late = await outcome("test('late', { timeout: 10 }, () => new Promise((r) => setTimeout(r, 60_000).unref()));");
  assert.deepEqual([late.passed, late.failed], [0, 1]);
});

test('says how many were skipped or are to do, and counts them as neither', async () => {
  const { passed, failed, stdout } = await outcome(`
    test('passes', () => {});
    test.skip('skipped', () => {});
    test.todo('to do', () => { throw new Error(); });`);
  assert.deepEqual([passed, failed], [1, 0]);
  assert.match(stdout, /^On Node .*: passed 1, failed 0, skipped 1, to do 1\.$/m);
});

test('a file that dies, ends early, or has no test is a failure', async () => {
  for (const body of ["test('dies', () => process.kill(process.pid, 'SIGKILL'));", 'process.exit(0);', '']) {
    const { passed, failed } = await outcome(body);
    assert.deepEqual([passed, failed], [0, 1], body);
  }
});

test('a runner that breaks off is a failure', async () => {
  const { passed, failed, stderr } = await outcome("test('kills', () => process.kill(process.ppid, 'SIGKILL'));");
  assert.deepEqual([passed, failed], [0, 1]);
  assert.match(stderr, /The test runner broke off \(SIGKILL\)/);
});
