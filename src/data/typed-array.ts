/** The classes of typed arrays, as a shared array names them. */

import { ValidationError } from '../errors.ts';

/** `Float16Array`, where the program's `lib` has it. */
type Float16Constructor = typeof globalThis extends { Float16Array: infer C extends { new (length: number): object } }
  ? C
  : never;

/** The class of a typed array. */
export type TypedArrayConstructor =
  | Float16Constructor
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Uint8ClampedArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor;

/** Its place in the list stands in the arena. `Float16Array` is there from Node 24 on. */
const classes: readonly (TypedArrayConstructor | undefined)[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  (globalThis as { Float16Array?: TypedArrayConstructor }).Float16Array,
];

/** @throws {ValidationError} `ERR_VALIDATION` for anything but a class of typed arrays. */
export function numberOfClass(type: unknown, call: string): number {
  const number = type === undefined ? -1 : classes.indexOf(type as TypedArrayConstructor);
  if (number !== -1) return number;
  throw new ValidationError(
    `${call} takes a class of typed arrays first, such as Float64Array, and got ${describe(type)}.`,
  );
}

export function classOfNumber(number: number): TypedArrayConstructor {
  return classes[number]!;
}

function describe(value: unknown): string {
  return typeof value === 'function' ? `the function "${value.name}"` : String(value);
}
