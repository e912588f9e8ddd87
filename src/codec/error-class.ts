/**
 * How the class of a user's error is found again in another process: by its module, its place there, and its text.
 *
 * A child looks in the module's scope. The main program, whose modules were loaded without our hook, looks among all
 * classes of errors that it has: a search through the heap, which takes some 40 ms, more when much is in use. So it is
 * done only for a class not met before, and after the first few times kept to a small share of the time: a class that
 * was not found is looked for again later, as the program may have loaded its module since.
 */

import { importableUrl, liveErrorClasses, locateFunction, nameOf, scriptOf } from './function-inspect.ts';
import { shapeAt } from './function-shapes.ts';
import { scopeOf } from './module-scope.ts';
import type { AnyFunction } from './types.ts';

/** Plain, to be sent. */
export interface ErrorClassReference {
  readonly name: string;
  /** `undefined` for code that no module holds. */
  readonly url: string | undefined;
  readonly line: number;
  readonly column: number;
  /** Names that lead from module scope to the class. */
  readonly path: readonly string[] | undefined;
  readonly source: string;
}

/** For `EncodeHooks`. Never throws: `undefined` for a class that cannot be told. */
export function encodeErrorClass(errorClass: AnyFunction): unknown {
  return noteErrorClass(errorClass);
}

/** Remembers a class that is about to be sent: what comes back from the other side is this very class. */
export function noteErrorClass(errorClass: AnyFunction): ErrorClassReference | undefined {
  const reference = described(errorClass);
  if (reference !== undefined) found.set(keyOf(reference), new WeakRef(errorClass));
  return reference;
}

/** For `DecodeHooks`. Never throws: `undefined` when this process has no such class, or more than one. */
export function decodeErrorClass(reference: unknown): AnyFunction | undefined {
  if (!isReference(reference)) return undefined;
  try {
    const key = keyOf(reference);
    const known = found.get(key)?.deref();
    if (known !== undefined) return known;
    const errorClass = findInModule(reference) ?? findAlive(reference, key);
    if (errorClass !== undefined) found.set(key, new WeakRef(errorClass));
    return errorClass;
  } catch {
    // The error arrives as its base, which is better than not at all.
    return undefined;
  }
}

const found = new Map<string, WeakRef<AnyFunction>>();
const references = new WeakMap<AnyFunction, { readonly reference: ErrorClassReference | undefined }>();

function described(errorClass: AnyFunction): ErrorClassReference | undefined {
  let entry = references.get(errorClass);
  if (entry === undefined) {
    entry = { reference: describe(errorClass) };
    references.set(errorClass, entry);
  }
  return entry.reference;
}

function describe(errorClass: AnyFunction): ErrorClassReference | undefined {
  try {
    const where = locateFunction(errorClass);
    if (typeof where === 'string') return undefined;
    const script = scriptOf(where.scriptId);
    const shape = shapeAt(where, script);
    const source = Function.prototype.toString.call(errorClass);
    if (script.url.startsWith('node:') || shape?.source !== source) return undefined;
    const { line, column, path } = shape;
    return { name: nameOf(errorClass), url: importableUrl(script.url), line, column, path, source };
  } catch {
    // A script that cannot be read or parsed: the class cannot be told.
    return undefined;
  }
}

/** What is evaluated by itself, outside of any module, stands at other places than where it came from. */
function keyOf({ url, line, column, name, source }: ErrorClassReference): string {
  return JSON.stringify(url === undefined ? [name, source] : [url, line, column, name, source]);
}

function findInModule({ url, path, source }: ErrorClassReference): AnyFunction | undefined {
  const scope = url === undefined ? undefined : scopeOf(url);
  if (scope === undefined || path === undefined) return undefined;
  try {
    const value = scope(path.map((name, i) => (i === 0 ? name : `[${JSON.stringify(name)}]`)).join(''));
    return typeof value === 'function' && Function.prototype.toString.call(value) === source ? value : undefined;
  } catch {
    // The name is gone, or not initialised yet, in this process.
    return undefined;
  }
}

/** Searches may take this long together, and a fiftieth of the time since this thread began. */
const FREE_SEARCH_MS = 500;
const SEARCH_SHARE = 1 / 50;

let searches = 0;
let searchedMs = 0;
let alive: readonly WeakRef<AnyFunction>[] = [];
/** The number of the search in whose result a class was not found. */
const missedIn = new Map<string, number>();

function findAlive(reference: ErrorClassReference, key: string): AnyFunction | undefined {
  let errorClass = missedIn.get(key) === searches ? undefined : pick(reference, key);
  if (errorClass === undefined && searchedMs <= FREE_SEARCH_MS + performance.now() * SEARCH_SHARE) {
    search();
    errorClass = pick(reference, key);
  }
  if (errorClass === undefined) missedIn.set(key, searches);
  else missedIn.delete(key);
  return errorClass;
}

function search(): void {
  const startedAtMs = performance.now();
  alive = liveErrorClasses().map((errorClass) => new WeakRef(errorClass));
  searches++;
  searchedMs += performance.now() - startedAtMs;
}

function pick({ name, source }: ErrorClassReference, key: string): AnyFunction | undefined {
  const candidates = alive.flatMap((reference) => {
    const errorClass = reference.deref();
    // The text first: it costs little, and sets almost all of them aside.
    if (errorClass === undefined || Function.prototype.toString.call(errorClass) !== source) return [];
    if (nameOf(errorClass) !== name) return [];
    const own = described(errorClass);
    return own !== undefined && keyOf(own) === key ? [errorClass] : [];
  });
  // A function that defines a class makes a new one with each call: which of them is meant cannot be told.
  return candidates.length === 1 ? candidates[0] : undefined;
}

function isReference(value: unknown): value is ErrorClassReference {
  if (typeof value !== 'object' || value === null) return false;
  const { name, url, line, column, path, source } = value as Record<string, unknown>;
  const isPath = path === undefined || (Array.isArray(path) && path.every((part) => typeof part === 'string'));
  const isUrl = url === undefined || typeof url === 'string';
  return isPath && isUrl && [name, source].every(isString) && typeof line === 'number' && typeof column === 'number';
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}
