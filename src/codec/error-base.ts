/** The error classes that both ends know by name. */

import { errorClasses } from '../errors.ts';
import type { AnyFunction } from './types.ts';

type ErrorClass = abstract new (...args: never[]) => Error;

const builtinNames = [
  ...['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'EvalError', 'URIError', 'AggregateError'],
  ...['SuppressedError', 'DOMException'],
];
const prototypes = new Map<string, object>();
const names = new Map<object, string>();

for (const name of builtinNames) {
  // SuppressedError is missing from older versions of Node.
  const errorClass = (globalThis as unknown as Record<string, ErrorClass | undefined>)[name];
  if (errorClass !== undefined) register(name, errorClass.prototype);
}
for (const [name, errorClass] of Object.entries(errorClasses)) register(name, errorClass.prototype);

function register(name: string, prototype: object): void {
  prototypes.set(name, prototype);
  names.set(prototype, name);
}

export interface ErrorBase {
  /** Of the nearest class that both ends know. */
  readonly name: string;
  /** The class itself when it is another one than that, and can be told. */
  readonly derived: AnyFunction | undefined;
}

export function errorBaseOf(error: object): ErrorBase {
  const own = Object.getPrototypeOf(error) as object | null;
  const ownClass = classOf(own);
  for (let link = own; link !== null; link = Object.getPrototypeOf(link) as object | null) {
    const name = names.get(link);
    if (name !== undefined) return { name, derived: link === own ? undefined : ownClass };
  }
  // Of another realm (node:vm), where the same classes have the same names.
  const name = ownClass?.name ?? '';
  return prototypes.has(name) ? { name, derived: undefined } : { name: 'Error', derived: ownClass };
}

/** The prototype of a class that `errorBaseOf` named, as this end has it. */
export function errorPrototype(name: string): object {
  return prototypes.get(name) ?? Error.prototype;
}

/** A prototype's class; Node's internal errors name their public base there, which is not the class. */
function classOf(prototype: object | null): AnyFunction | undefined {
  if (prototype === null) return undefined;
  const named: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  return typeof named === 'function' && named.prototype === prototype ? named : undefined;
}
