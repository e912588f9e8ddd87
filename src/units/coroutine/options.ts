/** The checks of what a `Coroutine` is told. */

import { ValidationError } from '../../errors.ts';
import type { UnitOptions } from '../unit.ts';

const known = ['target', 'args', 'name', 'daemon', 'signal'];
const ofProcesses = new Set(['env', 'cwd', 'execArgv', 'stdio', 'nice', 'affinity', 'memoryLimitBytes']);

/** @throws {ValidationError} `ERR_VALIDATION`, naming the option, its value, and what to write. */
export function checkCoroutineOptions(options: unknown): asserts options is UnitOptions<readonly unknown[], unknown> {
  if (typeof options === 'function')
    refuse('new Coroutine() takes an object. Write new Coroutine({ target: fn, args: [...] }).');
  if (typeof options !== 'object' || options === null)
    refuse('new Coroutine() needs an object with a target: new Coroutine({ target: fn }).');
  const given = options as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const hint = ofProcesses.has(name)
      ? 'Only a Process has it: a coroutine is part of this one.'
      : `It has: ${known.join(', ')}.`;
    refuse(`new Coroutine() has no option "${name}". ${hint}`);
  }
  const { target, args, name, daemon, signal } = given;
  check('target', target, typeof target === 'function', 'a function');
  if (/^class\b/.test(Function.prototype.toString.call(target)))
    refuse(
      `new Coroutine(): target must be a function to call, and is the class ${(target as { name: string }).name}.`,
    );
  check('args', args, args === undefined || Array.isArray(args), 'an array of arguments: args: [value]');
  check('name', name, name === undefined || typeof name === 'string', 'a string');
  check('daemon', daemon, daemon === undefined || typeof daemon === 'boolean', 'true or false');
  check('signal', signal, signal === undefined || signal instanceof AbortSignal, 'an AbortSignal');
}

function check(name: string, value: unknown, isValid: boolean, wanted: string): void {
  if (!isValid) refuse(`new Coroutine(): ${name} must be ${wanted}, and is ${show(value)}.`);
}

function refuse(message: string): never {
  throw new ValidationError(message);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
