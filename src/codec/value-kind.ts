/** What kind of object stands behind a prototype, and so how it travels or why it does not. */

import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import { platformClass } from './value-platform.ts';
import type { Refusal } from './value-refusal.ts';

/** The kinds that travel, each in its own manner. */
type Traveller =
  | 'plain'
  | 'array'
  | 'error'
  | 'map'
  | 'set'
  | 'date'
  | 'regexp'
  | 'boxed'
  | 'memory'
  | 'view'
  | 'buffer'
  | 'handle';
export type Kind = Traveller | Refusal;

const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object;
const asyncIteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})())),
) as object;

const kindsByPrototype = new Map<object, Kind>([
  [Object.prototype, 'plain'],
  [Array.prototype, 'array'],
  [Error.prototype, 'error'],
  [DOMException.prototype, 'error'],
  [Map.prototype, 'map'],
  [Set.prototype, 'set'],
  [Date.prototype, 'date'],
  [RegExp.prototype, 'regexp'],
  [Number.prototype, 'boxed'],
  [String.prototype, 'boxed'],
  [Boolean.prototype, 'boxed'],
  [BigInt.prototype, 'boxed'],
  [Symbol.prototype, 'symbol'],
  [ArrayBuffer.prototype, 'memory'],
  [SharedArrayBuffer.prototype, 'shared'],
  [Object.getPrototypeOf(Uint8Array.prototype) as object, 'view'],
  [DataView.prototype, 'view'],
  [Buffer.prototype, 'buffer'],
  [Promise.prototype, 'promise'],
  [WeakMap.prototype, 'weak'],
  [WeakSet.prototype, 'weak'],
  [WeakRef.prototype, 'weak'],
  [iteratorPrototype, 'iterator'],
  [asyncIteratorPrototype, 'iterator'],
  [EventEmitter.prototype, 'emitter'],
  [EventTarget.prototype, 'emitter'],
  [URL.prototype, 'url'],
  [URLSearchParams.prototype, 'urlParams'],
]);

/** Has instances of a class of this library, and of classes derived from it, sent as handles. */
export function sendAsHandle(prototype: object): void {
  kindsByPrototype.set(prototype, 'handle');
}

/** Has instances of a class of this library refused: what they stand for belongs to the process that made them. */
export function refuseUnits(prototype: object): void {
  kindsByPrototype.set(prototype, 'unit');
}

// `process.env` is made by native code, and yet holds only strings.
const verdicts = new WeakMap<object, Kind>([[Object.getPrototypeOf(process.env) as object, 'plain']]);

/** The kind that an object with this prototype seems to be; whether it is, `brandOf` knows. Remembered. */
export function kindOfPrototype(prototype: object): Kind {
  let kind = verdicts.get(prototype);
  if (kind === undefined) {
    kind = judge(prototype);
    verdicts.set(prototype, kind);
  }
  return kind;
}

function judge(prototype: object): Kind {
  let native = false;
  for (let link: object | null = prototype; link !== null; link = Object.getPrototypeOf(link) as object | null) {
    const known = kindsByPrototype.get(link);
    if (known !== undefined && known !== 'plain') return known;
    const linkClass: unknown = Object.getOwnPropertyDescriptor(link, 'constructor')?.value;
    if (typeof linkClass !== 'function') continue;
    const platform = platformClass(linkClass);
    if (platform !== undefined) return platform;
    // The last link is Object.prototype: this realm's or, of a value from node:vm, another's.
    if (Object.getPrototypeOf(link) !== null && isNativeCode(linkClass)) native = true;
  }
  return native ? 'native' : 'plain';
}

/** The kind that an object is whatever its prototype says: also of another realm, also with its prototype replaced. */
export function brandOf(value: object): Kind | undefined {
  if (types.isNativeError(value)) return 'error';
  if (types.isMap(value)) return 'map';
  if (types.isSet(value)) return 'set';
  if (types.isDate(value)) return 'date';
  if (types.isRegExp(value)) return 'regexp';
  if (types.isBoxedPrimitive(value)) return types.isSymbolObject(value) ? 'symbol' : 'boxed';
  if (types.isSharedArrayBuffer(value)) return 'shared';
  if (types.isArrayBuffer(value)) return 'memory';
  if (ArrayBuffer.isView(value)) return 'view';
  if (types.isPromise(value)) return 'promise';
  if (types.isWeakMap(value) || types.isWeakSet(value)) return 'weak';
  if (types.isGeneratorObject(value) || types.isMapIterator(value) || types.isSetIterator(value)) return 'iterator';
  if (types.isModuleNamespaceObject(value)) return 'module';
  if (types.isKeyObject(value) || types.isCryptoKey(value)) return 'key';
  if (types.isExternal(value)) return 'native';
  return undefined;
}

function isNativeCode(fn: object): boolean {
  return /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(fn));
}
