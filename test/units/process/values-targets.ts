/** What the processes of values.test.ts run: they look at what arrived, and give it back or make more of it. */

import { types } from 'node:util';

export function echo<T>(value: T): T {
  return value;
}

export function echoAll<A extends readonly unknown[]>(...args: A): A {
  return args;
}

/** What the child makes of each value. */
export function kinds(...values: unknown[]): string[] {
  return values.map((value) => {
    if (Buffer.isBuffer(value)) return `Buffer ${value.toString('hex')}`;
    if (types.isTypedArray(value)) return `${value.constructor.name} ${[...(value as Uint8Array)].join()}`;
    if (value instanceof Map) return `Map ${[...value].join(';')}`;
    if (value instanceof Set) return `Set ${[...value].join()}`;
    if (value instanceof Date) return `Date ${value.toISOString()}`;
    if (value instanceof Error) return `${value.constructor.name} ${value.name}: ${value.message}`;
    if (value instanceof RegExp) return `RegExp ${value}`;
    return `${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`;
  });
}

interface Node {
  self?: Node;
  list?: unknown[];
}

/** Which of these are one and the same here. */
export function identities(one: Node, other: Node, bytes: Uint8Array, half: Uint8Array): Record<string, boolean> {
  const before = half[0];
  bytes[4] = 200;
  return {
    same: one === other,
    cycle: one.self === one,
    inner: one.list === other.list,
    memory: bytes.buffer === half.buffer && before !== 200 && half[0] === 200,
  };
}

export class TooSmallError extends RangeError {
  override readonly name: string = 'TooSmallError';
  readonly code = 'ERR_TOO_SMALL';
  readonly least: number;
  constructor(message: string, least: number, options?: ErrorOptions) {
    super(message, options);
    this.least = least;
  }
}

export function makeErrors(): unknown[] {
  const cause = new TypeError('the cause');
  return [
    new TooSmallError('too small', 5, { cause }),
    new AggregateError([cause, 'text'], 'several'),
    new DOMException('stopped', 'AbortError'),
    Object.assign(new Error('plain'), { code: 'ENOENT', path: '/nowhere' }),
  ];
}

export function describeError(error: TooSmallError): unknown[] {
  const { name, message, code, least, cause } = error;
  return [
    error instanceof TooSmallError,
    error instanceof RangeError,
    name,
    message,
    code,
    least,
    String(cause),
    error.stack,
  ];
}

/** Checks the ramp of `value[i] === i`, and gives it back with each place that was checked doubled. */
export function doubleAt(array: Float64Array, places: readonly number[]): Float64Array {
  for (const place of places) {
    if (array[place] !== place) throw new Error(`${array[place]} at ${place}`);
    array[place] = place * 2;
  }
  return array;
}

export const unclonable: Record<string, () => unknown> = {
  function: () => ({ list: [{ callback: () => 1 }] }),
  symbol: () => new Map([['key', Symbol('s')]]),
  promise: () => [{ later: Promise.resolve(1) }],
  stream: () => process.stdin,
  shared: () => new SharedArrayBuffer(8),
  weak: () => ({ cache: new WeakMap() }),
};

export function sum(...values: number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

export function make(length: number): Uint8Array {
  return new Uint8Array(length).fill(7);
}
