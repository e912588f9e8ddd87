/** Finds out what kind an object is of, and hands it to that kind's writer. */

import { types } from 'node:util';
import { writeError } from './error-write.ts';
import { HANDLE } from './tags.ts';
import type { Encoder } from './value-encoder.ts';
import { brandOf, type Kind, kindOfPrototype } from './value-kind.ts';
import type { Refusal } from './value-refusal.ts';
import { SHAPE_KEYS_MAX } from './value-shapes.ts';
import { writeBoxed, writeDate, writeMap, writeRegExp, writeSet } from './value-write-builtin.ts';
import { writeArrayBuffer, writeBuffer, writeSharedMemory, writeView } from './value-write-memory.ts';
import { writeDictionary, writeRecord } from './value-write-object.ts';

type Writer = (encoder: Encoder, value: object) => void;

/** By the brands that travel. */
const writers: Readonly<Partial<Record<Kind, Writer>>> = {
  error: writeError,
  map: writeMap,
  set: writeSet,
  date: writeDate,
  regexp: writeRegExp,
  boxed: writeBoxed,
  memory: writeArrayBuffer,
  shared: writeSharedMemory,
  view: writeView,
  buffer: writeBuffer,
};

/** Whoever lacks the brand of these kinds is only a plain object that inherits from a built-in prototype. */
const brandedKinds: ReadonlySet<Kind> = new Set<Kind>([
  ...(['array', 'map', 'set', 'date', 'regexp', 'boxed', 'symbol', 'memory', 'shared', 'view', 'buffer'] as const),
]);

/** Any object but arrays and functions. */
export function writeByKind(encoder: Encoder, value: object): void {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype) {
    writePlain(encoder, value, false);
  } else if (prototype === null) {
    if (types.isModuleNamespaceObject(value)) throw encoder.refuse(value, 'module');
    writePlain(encoder, value, false);
  } else {
    const kind = kindOfPrototype(prototype);
    if (kind === 'plain') writePlain(encoder, value, true);
    else if (kind === 'error') writeError(encoder, value);
    else if (kind === 'handle') writeHandle(encoder, value);
    else writeBranded(encoder, value, kind);
  }
}

/** A shared object of this library: what stands for it is sent. */
function writeHandle(encoder: Encoder, value: object): void {
  const description = encoder.hooks?.encodeHandle?.(value);
  if (description === undefined) throw encoder.refuse(value, 'unit');
  encoder.sink.byte(HANDLE);
  encoder.write(description, '');
}

/** What an object is made of counts, not its prototype, which can be given to anything. */
function writeBranded(encoder: Encoder, value: object, kind: Kind): void {
  const brand = brandOf(value);
  if (brand !== undefined) writeBrand(encoder, value, brand === 'view' && kind === 'buffer' ? 'buffer' : brand);
  else if (brandedKinds.has(kind)) writePlain(encoder, value, true);
  else throw encoder.refuse(value, kind as Refusal);
}

function writeBrand(encoder: Encoder, value: object, brand: Kind): void {
  const writer = writers[brand];
  if (writer === undefined) throw encoder.refuse(value, brand as Refusal);
  writer(encoder, value);
}

/** @param mayInherit - whether a key that a getter deleted meanwhile could still be read, from the prototype. */
function writePlain(encoder: Encoder, value: object, mayInherit: boolean): void {
  const keys = Object.keys(value);
  // Looks empty: a built-in object whose prototype was replaced, perhaps.
  const brand = keys.length === 0 ? brandOf(value) : undefined;
  if (brand !== undefined) writeBrand(encoder, value, brand);
  else if (keys.length > SHAPE_KEYS_MAX) writeDictionary(encoder, value, keys, mayInherit);
  else writeRecord(encoder, value, keys, mayInherit);
}
