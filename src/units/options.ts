/** The checks of what units can be told. */

import { ValidationError } from '../errors.ts';

/**
 * Checks the options that all units have, and that there are no others than `known`.
 *
 * @param type - the class of the unit.
 * @throws {ValidationError} `ERR_VALIDATION`, naming the option, its value, and what to write.
 */
export function checkUnitOptions(options: unknown, type: string, known: ReadonlySet<string>): Record<string, unknown> {
  if (typeof options === 'function')
    refuse(`new ${type}() takes an object. Write new ${type}({ target: fn, args: [...] }).`);
  if (typeof options !== 'object' || options === null)
    refuse(`new ${type}() needs an object with a target: new ${type}({ target: fn }).`);
  const given = options as Record<string, unknown>;
  for (const name of Object.keys(given)) {
    if (!known.has(name)) refuse(`new ${type}() has no option "${name}".${suggestion(name, known)}`);
  }
  const check: Check = checkOf(type);
  check(given, 'target', (value) => typeof value === 'function', 'a function', false);
  if (isClass(given.target)) {
    const name = given.target.name || 'TheClass';
    refuse(
      `new ${type}(): target must be a function to call, and is the class ${name}. Write target: (...args) => { new ${name}(...args); }.`,
    );
  }
  check(given, 'args', Array.isArray, 'an array of arguments: args: [value]');
  check(given, 'name', (value) => typeof value === 'string', 'a string');
  check(given, 'daemon', (value) => typeof value === 'boolean', 'true or false');
  check(given, 'signal', (value) => value instanceof AbortSignal, 'an AbortSignal');
  return given;
}

/** @throws {ValidationError} `ERR_VALIDATION` unless `timeoutMs` is undefined or a number from 0 up. */
export function checkTimeout(timeoutMs: unknown, call: string): asserts timeoutMs is number | undefined {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return;
  refuse(
    `${call} takes a number of milliseconds, 0 or more, and got ${show(timeoutMs)}. Leave it out to wait without a limit.`,
  );
}

/** Checks one option. */
export type Check = (
  given: Record<string, unknown>,
  name: string,
  isValid: (value: unknown) => boolean,
  wanted: string,
  isOptional?: boolean,
) => void;

/** The check of options of `new type()`. */
export function checkOf(type: string): Check {
  return (given, name, isValid, wanted, isOptional = true) => {
    const value = given[name];
    if (value === undefined && isOptional) return;
    if (!isValid(value)) refuse(`new ${type}(): ${name} must be ${wanted}, and is ${show(value)}.`);
  };
}

export function refuse(message: string): never {
  throw new ValidationError(message);
}

export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  const { name } = (value.constructor ?? Object) as { readonly name: string };
  return name === 'Object' ? 'an object' : `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** A known name that differs from `name` by case or by a usual slip. */
function suggestion(name: string, known: ReadonlySet<string>): string {
  const usual: Record<string, string> = {
    func: 'target', fn: 'target', function: 'target', callback: 'target', arguments: 'args', argv: 'args', kwargs: 'args',
    title: 'name', daemonic: 'daemon', abortsignal: 'signal', environment: 'env', workingdirectory: 'cwd', output: 'stdio',
    priority: 'nice', cpus: 'affinity', cpuaffinity: 'affinity', memorylimit: 'memoryLimitBytes', maxmemory: 'memoryLimitBytes',
  }; // biome-ignore format: a table
  const low = name.toLowerCase();
  const meant = usual[low];
  const found =
    (meant !== undefined && known.has(meant) ? meant : undefined) ??
    [...known].find((candidate) => candidate.toLowerCase() === low || candidate.toLowerCase() === `${low}s`);
  return found === undefined ? ` It has: ${[...known].join(', ')}.` : ` Did you mean "${found}"?`;
}

function isClass(value: unknown): value is { readonly name: string } {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}
