/** What a `Process` can be told, and the checks of it. */

import { statSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { type Check, checkOf, checkUnitOptions, refuse, show } from '../options.ts';
import type { UnitOptions } from '../unit.ts';

/** Where the output of a process goes. */
export type ProcessStdio = 'inherit' | 'pipe' | 'ignore' | 'prefix';

export interface ProcessOptions<A extends readonly unknown[], R> extends UnitOptions<A, R> {
  /** Variables added to the parent's; `undefined` removes one. */
  env?: Record<string, string | undefined>;
  /** Default: the parent's. */
  cwd?: string;
  /** Options of Node, added to those of the parent, e.g. `['--max-old-space-size=4096']`. */
  execArgv?: readonly string[];
  /**
   * `inherit` (the default): the parent's own. `pipe`: to be read from `stdout` and `stderr`. `ignore`: nowhere.
   * `prefix`: the parent's, each line behind the name of the process. Only with `inherit` has the child a standard input.
   */
  stdio?: ProcessStdio;
  /** −20 (urgent, needs privileges) to 19 (yields to everybody). Default: the parent's. */
  nice?: number;
  /** Indices of the processors that it may use, from 0. Default: the parent's. */
  affinity?: readonly number[];
  /**
   * Bounds the private memory: the V8 heap, buffers and native memory together. Beyond it allocations fail, and V8 ends
   * the process with SIGABRT; its heap alone may take about three quarters. An empty Node takes about 45 MiB. Such a
   * process is not made of a spare, for V8 takes its bounds when it starts.
   */
  memoryLimitBytes?: number;
}

const known = new Set([
  'target', 'args', 'name', 'daemon', 'signal', 'env', 'cwd', 'execArgv', 'stdio', 'nice', 'affinity', 'memoryLimitBytes',
]); // biome-ignore format: a list
const stdioKinds = ['inherit', 'pipe', 'ignore', 'prefix'];
/** What a Node needs to start; less is a mistake in the unit. */
const smallestMemoryBytes = 64 * 2 ** 20;

/** @throws {ValidationError} `ERR_VALIDATION`, naming the option, its value, and what to write. */
export function checkProcessOptions(options: unknown): asserts options is ProcessOptions<readonly unknown[], unknown> {
  const given = checkUnitOptions(options, 'Process', known);
  const check: Check = checkOf('Process');
  check(
    given,
    'env',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'an object of strings',
  );
  for (const [name, value] of Object.entries(given.env ?? {})) checkVariable(name, value);
  check(given, 'cwd', (value) => typeof value === 'string' && value !== '', 'the path of a folder');
  check(given, 'execArgv', isStringArray, 'an array of strings');
  check(given, 'stdio', (value) => stdioKinds.includes(value as string), "'inherit', 'pipe', 'ignore' or 'prefix'");
  check(given, 'nice', (value) => isInteger(value, -20, 19), 'an integer from −20 to 19');
  if (given.affinity !== undefined) {
    // Those of the machine: a process restricted to some of them may still name others for its child.
    const processors = cpus().length;
    check(
      given,
      'affinity',
      (value) => isAffinity(value, processors),
      `a list of processor indices from 0 to ${processors - 1}`,
    );
  }
  check(
    given,
    'memoryLimitBytes',
    (value) => isInteger(value, smallestMemoryBytes, Number.MAX_SAFE_INTEGER),
    `a number of bytes, at least ${smallestMemoryBytes} (64 MiB), which Node itself needs`,
  );
}

/** Asked at the start: a folder may come and go. @throws {ValidationError} `ERR_VALIDATION` unless `cwd` is a folder. */
export function checkFolder(cwd: string): void {
  if (isFolder(cwd)) return;
  refuse(`new Process(): cwd must be a folder that is there, and is ${show(cwd)} (${resolve(cwd)}).`);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // ENOENT, ENOTDIR, EACCES: no folder to work in
  }
}

function isInteger(value: unknown, from: number, to: number): boolean {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
}

function isStringArray(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The system ends a name at its first `=`, and both at a NUL: it would be given something else than was written. */
function checkVariable(name: string, value: unknown): void {
  if (name === '' || /[=\0]/.test(name))
    refuse(`new Process(): env has the name ${show(name)}; a name is not empty and has no "=" and no NUL.`);
  if (value === undefined || (typeof value === 'string' && !value.includes('\0'))) return;
  refuse(`new Process(): env.${name} must be a string without NUL, or undefined to remove it, and is ${show(value)}.`);
}

function isAffinity(value: unknown, processors: number): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((index) => isInteger(index, 0, processors - 1));
}
