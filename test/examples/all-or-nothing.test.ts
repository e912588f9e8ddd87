import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { root, runProgram } from '../support/program.ts';

const program = join(root, 'examples/all-or-nothing.ts');

test('makes all transfers', async () => {
  const { code, stdout } = await runProgram(program);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /^before +Alice 100, Bob 50, Carol 0\nmoved 30, moved 20, moved 10\nafter +Alice 60, Bob 60, Carol 30\n$/,
  );
});

test('takes back those that were made when one cannot be', async () => {
  const { code, stdout } = await runProgram(program, { args: ['--fail'] });
  assert.equal(code, 0);
  assert.match(stdout, /^before +Alice 100, Bob 50, Carol 0$/m);
  assert.match(stdout, /failed: RangeError: only 70 of 1000 are there$/m);
  assert.equal(stdout.match(/was cancelled by TaskGroup "transfers"/g)?.length, 2);
  assert.match(stdout, /^after +Alice 100, Bob 50, Carol 0$/m);
});
