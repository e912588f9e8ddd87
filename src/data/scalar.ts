/** The types of a shared value: what they hold, and how one is read and written in the arena, whole and at once. */

import { WORDS_BYTES } from '../arena/layout.ts';
import { memory } from '../arena/memory.ts';
import { ValidationError } from '../errors.ts';

export type ScalarType =
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64';
/** What a value of a type is in JavaScript. */
export type Scalar<K extends ScalarType> = K extends 'int64' | 'uint64' ? bigint : number;
export type AnyScalar = number | bigint;

/** One type; `at` is the first byte of a value in the arena, a multiple of its size. */
export interface ScalarAccess {
  readonly name: ScalarType;
  load(at: number): AnyScalar;
  store(at: number, value: AnyScalar): void;
  /** Undefined for floating-point numbers, of which processors cannot do it at once. */
  readonly integer?: {
    add(at: number, amount: AnyScalar): AnyScalar;
    compareExchange(at: number, expected: AnyScalar, replacement: AnyScalar): AnyScalar;
    readonly min: AnyScalar;
    readonly max: AnyScalar;
  };
}

type IntegerArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;
type IntegerArrayConstructor = new (buffer: ArrayBuffer, offset: number, length: number) => IntegerArray;

/** Atomics of one width; TypeScript has them apart for numbers and for bigints. */
const atomics = Atomics as unknown as {
  load(array: IntegerArray, index: number): AnyScalar;
  store(array: IntegerArray, index: number, value: AnyScalar): void;
  add(array: IntegerArray, index: number, amount: AnyScalar): AnyScalar;
  compareExchange(array: IntegerArray, index: number, expected: AnyScalar, replacement: AnyScalar): AnyScalar;
};

function integer(
  name: ScalarType,
  arrayClass: IntegerArrayConstructor & { readonly BYTES_PER_ELEMENT: number },
  bounds: readonly [min: AnyScalar, max: AnyScalar],
): ScalarAccess {
  const size = arrayClass.BYTES_PER_ELEMENT;
  let mapped: IntegerArray | undefined;
  const array = (): IntegerArray => {
    mapped ??= new arrayClass(memory().mapping.buffer, 0, WORDS_BYTES / size);
    return mapped;
  };
  return {
    name,
    load: (at) => atomics.load(array(), at / size),
    store: (at, value) => void atomics.store(array(), at / size, value),
    integer: {
      add: (at, amount) => atomics.add(array(), at / size, amount),
      compareExchange: (at, expected, replacement) =>
        atomics.compareExchange(array(), at / size, expected, replacement),
      min: bounds[0],
      max: bounds[1],
    },
  };
}

const scratch = new ArrayBuffer(8);
const scratchBits = { float32: new Int32Array(scratch), float64: new BigInt64Array(scratch) };
const scratchFloat = { float32: new Float32Array(scratch), float64: new Float64Array(scratch) };

/** Atomics take integers only: a float goes through as the integer with its bits. */
function float(name: 'float32' | 'float64', bits: ScalarAccess): ScalarAccess {
  const asBits = scratchBits[name] as { 0?: AnyScalar };
  const asFloat = scratchFloat[name];
  return {
    name,
    load(at) {
      asBits[0] = bits.load(at);
      return asFloat[0]!;
    },
    store(at, value) {
      asFloat[0] = value as number;
      bits.store(at, asBits[0]!);
    },
  };
}

const int32 = integer('int32', Int32Array, [-(2 ** 31), 2 ** 31 - 1]);
const int64 = integer('int64', BigInt64Array, [-(2n ** 63n), 2n ** 63n - 1n]);

/** The place of a type in this list stands in the arena. */
export const scalars: readonly ScalarAccess[] = [
  integer('int8', Int8Array, [-128, 127]),
  integer('uint8', Uint8Array, [0, 255]),
  integer('int16', Int16Array, [-(2 ** 15), 2 ** 15 - 1]),
  integer('uint16', Uint16Array, [0, 2 ** 16 - 1]),
  int32,
  integer('uint32', Uint32Array, [0, 2 ** 32 - 1]),
  int64,
  integer('uint64', BigUint64Array, [0n, 2n ** 64n - 1n]),
  float('float32', int32),
  float('float64', int64),
];

/** @throws {ValidationError} `ERR_VALIDATION` for what a value of this type cannot be. */
export function checkScalar({ name, integer: bounds }: ScalarAccess, value: unknown, what: string): AnyScalar {
  if (bounds === undefined) {
    if (typeof value === 'number') return value;
    throw new ValidationError(`${what} must be a number, and is ${shown(value)}.`);
  }
  return checkInteger(name, value, bounds.min, bounds.max, what);
}

/** What can be added: also less than 0 to a type without a sign, which subtracts. */
export function checkAmount({ name, integer: bounds }: ScalarAccess, value: unknown, what: string): AnyScalar {
  return checkInteger(name, value, -bounds!.max, bounds!.max, what);
}

function checkInteger(name: ScalarType, value: unknown, min: AnyScalar, max: AnyScalar, what: string): AnyScalar {
  const isKind = typeof max === 'bigint' ? typeof value === 'bigint' : Number.isInteger(value);
  if (isKind && (value as AnyScalar) >= min && (value as AnyScalar) <= max) return value as AnyScalar;
  const kind = typeof max === 'bigint' ? 'a bigint' : 'an integer';
  throw new ValidationError(`${what} (${name}) must be ${kind} from ${min} to ${max}, and is ${shown(value)}.`);
}

function shown(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : typeof value === 'string' ? JSON.stringify(value) : String(value);
}
