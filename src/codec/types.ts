/** What travels: the bytes of a value, and how functions and classes in it are told about. */

/** A value in bytes. Long runs of bytes stand apart in `blobs`, so that they are copied only once. */
export interface Encoded {
  readonly head: Uint8Array;
  /** The contents of the larger ArrayBuffers, in the order in which `head` refers to them. */
  readonly blobs: readonly Uint8Array[];
}

// biome-ignore lint/complexity/noBannedTypes: any function at all may be part of a value.
export type AnyFunction = Function;

/** A function as plain values: `image` says which function it is, `captured` are the locals it closes over. */
export interface FunctionImage {
  readonly image: unknown;
  readonly captured: Readonly<Record<string, unknown>>;
  /** Those of the captured locals that must be there when the function is made, as the base of a class must. */
  readonly needed?: Readonly<Record<string, unknown>> | undefined;
}

export interface EncodeHooks {
  /** A plain value by which `decodeHandle` finds a shared object again; `undefined` for any other object. */
  encodeHandle?(value: object): unknown;
  /** A number by which `decodeMemory` finds shared memory again. Without it, SharedArrayBuffers are refused. */
  encodeMemory?(memory: SharedArrayBuffer): number;
  /** Describes a function found at `path`, or throws. Without it, functions are refused. */
  encodeFunction?(fn: AnyFunction, path: string): FunctionImage;
  /** A plain value by which `decodeErrorClass` finds the user's error class again; `undefined` when it cannot be told. */
  encodeErrorClass?(errorClass: AnyFunction): unknown;
}

export interface DecodeHooks {
  /** The shared object that `encodeHandle` described. */
  decodeHandle?(description: unknown): object;
  /** The memory that `encodeMemory` numbered. */
  decodeMemory?(number: number): SharedArrayBuffer | undefined;
  /** Makes the function that `image` describes; `fill` is called once, later, with its other captured locals. */
  decodeFunction?(
    image: unknown,
    needed: unknown,
  ): {
    fn: AnyFunction;
    fill(captured: Readonly<Record<string, unknown>>): void;
  };
  /** The class that `encodeErrorClass` described, when this program has it. */
  decodeErrorClass?(reference: unknown): AnyFunction | undefined;
}
