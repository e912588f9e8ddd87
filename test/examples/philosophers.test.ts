import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { childrenOf, root, runProgram } from '../support/program.ts';

test('the philosophers starve in a deadlock that is named, then all of them eat', async () => {
  const { stdout, stderr, code, pid } = await runProgram(join(root, 'examples/philosophers.ts'));
  assert.deepEqual([stderr, code], ['', 0]);
  assert.match(stdout, /^ {2}deadlock of 5 units:$/m);
  const links = [
    ...stdout.matchAll(/process "(\w+)" \(pid \d+\) holds lock "fork (\d)" and waits for lock "fork (\d)"$/gm),
  ];
  assert.equal(links.length, 5);
  for (const [, , holds, wants] of links) assert.equal(Number(wants), (Number(holds) % 5) + 1);
  assert.equal(stdout.match(/^ {2}\w+ +2000 +[\d.]+ ms +[\d.]+ ms$/gm)?.length, 5, stdout);
  assert.match(stdout, /\nAll have eaten\.\n$/);
  assert.deepEqual(childrenOf(pid), []);
});
