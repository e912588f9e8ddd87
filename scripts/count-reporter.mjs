/**
 * A reporter of `node:test` for `test.mjs`: one line a test, then `end`. Without the `end` the runner broke off.
 *
 * A suite counts only when it failed by itself (a hook, its body), since nothing else would say so. A file of which no
 * test is known (it has none, or called `process.exit`) is reported by Node as a test that passed; here it is `empty`.
 */

import { relative } from 'node:path';

export default async function* count(source) {
  for await (const { type, data } of source) {
    const line = type === 'test:pass' || type === 'test:fail' ? lineFor(type, data) : undefined;
    if (line !== undefined) yield `${line}\n`;
  }
  yield 'end\n';
}

function lineFor(type, data) {
  if (data.skip !== undefined && data.skip !== false) return 'skipped';
  if (data.todo !== undefined && data.todo !== false) return 'todo';
  if (data.details?.type === 'suite') return type === 'test:fail' && !hasFailedTests(data) ? 'failed' : undefined;
  if (type === 'test:fail') return data.nesting === 0 && isFile(data) && hasFailedTests(data) ? undefined : 'failed';
  return isFile(data) ? `empty ${data.name}` : 'passed';
}

function hasFailedTests(data) {
  return data.details?.error?.failureType === 'subtestsFailed';
}

function isFile({ name, file }) {
  return file !== undefined && (name === file || name === relative(process.cwd(), file));
}
