/**
 * `npm test [-- [--node 22,24,26] [FILES…]]`: builds, checks types and style, then runs the tests.
 *
 * FILES are paths, folders or patterns; all tests without. `--node` runs them on each of these lines, brought through
 * npm, instead of the current Node. The last line on stdout is `N passed, N failed`; a step that failed counts as one.
 */

import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { check } from './check.mjs';
import { Interrupted, main } from './child.mjs';
import { runTests } from './run-tests.mjs';
import { bring } from './runtimes.mjs';
import { root } from './tools.mjs';

const FIXTURES = join('test', 'fixtures', '/');
const total = { passed: 0, failed: 0 };

await main(async () => {
  try {
    await testAll();
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    console.error(error.message);
    total.failed += 1;
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed === 0 ? 0 : 1;
});

async function testAll() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { node: { type: 'string' } } });
  const files = testFiles(positionals.length === 0 ? ['test'] : positionals);
  const nodes = await nodesFor(values.node);
  await build();
  total.failed += await check();
  for (const node of nodes) {
    const { passed, failed } = await runTests(node, files);
    total.passed += passed;
    total.failed += failed;
  }
}

async function nodesFor(list) {
  if (list === undefined) return [process.execPath];
  const nodes = [];
  for (const major of list.split(',')) nodes.push(await bring(major.trim()));
  return nodes;
}

function testFiles(patterns) {
  const files = patterns.flatMap((pattern) => {
    const isFolder = statSync(join(root, pattern), { throwIfNoEntry: false })?.isDirectory();
    return globSync(isFolder ? join(pattern, '**/*.test.ts') : pattern, { cwd: root });
  });
  const tests = files.filter((file) => !file.startsWith(FIXTURES));
  if (tests.length === 0) throw new Error(`No test file matches ${patterns.join(' ')}.`);
  return [...new Set(tests)].sort();
}
