/** Runs test files on one Node and counts how they went. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Interrupted, run } from './child.mjs';
import { environmentFor } from './runtimes.mjs';
import { root } from './tools.mjs';

/** A test, or a whole file, that has not ended by then is failed, and the run goes on. */
const TIMEOUT_MS = 120_000;
/** Each file starts processes of its own, and some measure time: half of the processors keep that honest. */
const FILES_AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2));
const COUNTER = fileURLToPath(new URL('count-reporter.mjs', import.meta.url));

/**
 * Shows the run on stdout, and one line about it at the end.
 *
 * @returns {Promise<{ passed: number, failed: number }>} `failed` is never 0 when anything was wrong.
 */
export async function runTests(node, files) {
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-test-'));
  try {
    const report = join(folder, 'report');
    const end = await run(node, [...runnerOptions(report), ...files], { cwd: root, env: environmentForTests(node) });
    if (end.interruptedBy !== undefined) throw new Interrupted(end.interruptedBy);
    return summarise(readReport(report), end, node);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runnerOptions(report) {
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  const counter = [`--test-reporter=${COUNTER}`, `--test-reporter-destination=${report}`];
  return ['--test', `--test-timeout=${TIMEOUT_MS}`, `--test-concurrency=${FILES_AT_ONCE}`, ...reporters, ...counter];
}

function environmentForTests(node) {
  // Set in a test's own process, where it would make this run believe that it is part of that test.
  const { NODE_TEST_CONTEXT: _, ...environment } = environmentFor(node);
  return environment;
}

function readReport(path) {
  // 'a+' makes the file when the runner broke off before it did.
  const lines = readFileSync(path, { encoding: 'utf8', flag: 'a+' }).split('\n');
  const count = (word) => lines.filter((line) => line === word).length;
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    todo: count('todo'),
    emptyFiles: lines.filter((line) => line.startsWith('empty ')).map((line) => line.slice('empty '.length)),
    isComplete: lines.includes('end'),
  };
}

function summarise(report, end, node) {
  const { passed, skipped, todo } = report;
  const wrong = whatWentWrong(report, end);
  for (const line of wrong) console.error(line);
  const failed = report.failed + wrong.length;
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1);
  console.log(`On Node ${version}: passed ${passed}, failed ${failed}, skipped ${skipped}, to do ${todo}.`);
  return { passed, failed };
}

/** What no failed test says. */
function whatWentWrong({ passed, failed, emptyFiles, isComplete }, { code, signal }) {
  const how = signal ?? `exit code ${code}`;
  if (!isComplete) return [`The test runner broke off (${how}).`];
  const wrong = emptyFiles.map((file) => `No test of ${file} is known: it has none, or it ended its own process.`);
  if (passed + failed + wrong.length === 0) wrong.push('No test ran.');
  if (code !== 0 && failed + wrong.length === 0) wrong.push(`The test runner failed without a failed test (${how}).`);
  return wrong;
}
