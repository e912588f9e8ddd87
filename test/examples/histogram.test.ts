import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Ended, root, runProgram } from '../support/program.ts';

const program = join(root, 'examples/histogram.ts');
let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'manyhands-histogram-test-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Its temporary folder is in ours, so that what it leaves behind is seen. */
function histogram(...args: string[]): Promise<Ended> {
  return runProgram(program, { args, env: { TMPDIR: folder } });
}

/** How many bins have a column, from the left; `' '` is one that counted nothing. */
function lowestLine(stdout: string): string {
  return stdout.split('\n')[11]!.padEnd(64);
}

test('counts the bytes of a file, and two processes give the answers of one', async () => {
  const file = join(folder, 'bytes');
  // The first and the last bin, an odd number of them: the parts are not equal.
  writeFileSync(file, Buffer.concat([Buffer.alloc(10_001, 0), Buffer.alloc(20_002, 255)]));
  const { code, stdout, stderr } = await histogram(file);
  rmSync(file);
  assert.equal(code, 0, stderr);
  assert.equal(lowestLine(stdout), `█${' '.repeat(62)}█`);
  assert.equal(stdout.split('\n')[0], `${' '.repeat(63)}█`);
  assert.match(stdout, /^counted +30,003 bytes, 0\.0 MB$/m);
  assert.match(stdout, /^2 processes +[\d.]+ s, the same answers$/m);
  assert.match(stdout, /^speed-up +[\d.]+ ×$/m);
});

test('makes numbers of the normal distribution, and leaves no file behind', async () => {
  const { code, stdout, stderr } = await histogram('--megabytes', '1');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^counted +125,000 numbers, 1\.0 MB$/m);
  const [top = ''] = stdout.split('\n');
  const middle = (top.indexOf(top.trim()) + top.trimEnd().length) / 2;
  assert.ok(Math.abs(middle - 32) < 4, `The summit is at ${middle} of 64.\n${stdout}`);
  assert.deepEqual(readdirSync(folder), []);
});

test('an empty file has an empty picture', async () => {
  const file = join(folder, 'empty');
  writeFileSync(file, '');
  const { code, stdout, stderr } = await histogram(file);
  rmSync(file);
  assert.equal(code, 0, stderr);
  assert.equal(lowestLine(stdout), ' '.repeat(64));
  assert.match(stdout, /^counted +0 bytes/m);
});

test('what it cannot count is a clear error with exit code 2', async () => {
  const missing = await histogram(join(folder, 'missing'));
  assert.deepEqual([missing.code, missing.stdout], [2, '']);
  assert.match(missing.stderr, /^histogram: There is no file ".*missing"\.\nUsage: /);
  assert.match((await histogram(folder)).stderr, /" is not a file\.\nUsage: /);
  assert.match((await histogram('--megabytes', '1.5')).stderr, /whole number from 1 to 100000, and got "1\.5"/);
  assert.match((await histogram('a', 'b')).stderr, /takes one file, and got 2/);
  assert.match((await histogram('a', '--megabytes', '1')).stderr, /not both/);
  assert.equal((await histogram('--wrong')).code, 2);
});
