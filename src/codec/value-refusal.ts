/** The errors for what cannot be copied: what it is, why, and what to pass in its place. */

import { types } from 'node:util';
import { CloneError } from '../errors.ts';

const RESOURCES: string =
  'it holds resources of this process; pass what is needed to make one there (a path, a port, options)';

export type Refusal =
  | 'function'
  | 'symbol'
  | 'proxy'
  | 'promise'
  | 'weak'
  | 'iterator'
  | 'module'
  | 'shared'
  | 'detached'
  | 'emitter'
  | 'native'
  | 'platform'
  | 'blob'
  | 'key'
  | 'unit'
  | 'url'
  | 'urlParams';

/** Each reason why a value stays here, with the way out. */
const REASONS: Readonly<Record<Refusal, string>> = {
  function:
    'only functions that a unit or pool is given can travel; pass data, or the name of a function to look up there',
  symbol: 'a symbol exists in this process only; pass a string',
  proxy: 'its traps would stay behind; pass a plain copy of what it shows',
  promise: 'what it waits for happens here; await it and pass the result',
  weak: 'what it holds cannot be listed; pass an array, a Map or a Set of what is needed',
  iterator: 'its position lives in this process; pass an array of what it yields, [...iterator]',
  module: 'pass the URL of the module and import it there',
  shared: 'SharedArrayBuffer cannot be shared with another process; use SharedArray',
  detached: 'its memory was transferred away; copy it before it is transferred',
  emitter: RESOURCES,
  native: `it is an object of Node.js or the engine itself, and ${RESOURCES}`,
  platform: `it is an object of the platform, and ${RESOURCES}`,
  blob: 'pass its bytes, new Uint8Array(await blob.arrayBuffer())',
  key: 'pass the exported key, key.export(…)',
  unit: 'it can be started, joined and ended only where it was made; pass its name or pid',
  url: 'pass url.href',
  urlParams: 'pass params.toString()',
};

export function refused(path: string, value: unknown, refusal: Refusal): CloneError {
  return new CloneError(`${path} (${describe(value)}) cannot be copied to another process: ${REASONS[refusal]}.`);
}

export function unreadable(path: string, cause: unknown): CloneError {
  return new CloneError(
    `${path} cannot be copied to another process: reading it threw an error, which is the cause of this one. ` +
      'Pass an object without that getter, or make the getter return.',
    { cause },
  );
}

export function tooDeep(path: string, cause: unknown): CloneError {
  return new CloneError(
    `${path} cannot be copied to another process: it is nested too deeply for the stack. ` +
      'Pass a flat form of it, such as an array of nodes that refer to each other by index.',
    { cause },
  );
}

export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

/** What a value is, with an article: `a Socket`, `the function save`. */
function describe(value: unknown): string {
  if (typeof value === 'symbol') return value.toString();
  if (types.isProxy(value)) return 'a Proxy';
  if (typeof value === 'function') return value.name === '' ? 'an anonymous function' : `the function ${value.name}`;
  const name = className(value as object);
  // "a URL", "a Uint8Array": a name that begins with U is mostly spoken as "you".
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`;
}

function className(value: object): string {
  try {
    const nearest: unknown = value.constructor;
    if (typeof nearest === 'function' && nearest.name !== '') return nearest.name;
  } catch {
    // Only a name for a message is lost.
  }
  return 'native object';
}
