/** What every object of the arena is for a program: a name, and a hold that ends when nobody can reach the value any more. */

import { whenFull } from '../arena/agents.ts';
import { bury } from '../arena/death.ts';
import { memory } from '../arena/memory.ts';
import type { Kind } from '../arena/object-words.ts';
import { attach, create, type Handle, nameOfObject, release } from '../arena/objects.ts';
import { ClosedError, ValidationError } from '../errors.ts';

/** Held by the library alone, so that no program can make a value of a handle that it invented. */
export const fromHandle: unique symbol = Symbol('manyhands.fromHandle');

whenFull(bury);

const collected = new FinalizationRegistry<number>(release);
const handles = new WeakMap<object, Handle>();
const letGone = new WeakSet<object>();

/** Binds `value` to a new object of the arena. */
export function makeObject(value: object, kind: Kind, name: string): Handle {
  return bind(value, create(kind, name));
}

/** Binds `value` to the object of a handle that arrived. @throws {ClosedError} when the object is gone. */
export function takeObject(value: object, handle: Handle): Handle {
  attach(handle);
  return bind(value, handle);
}

/** The handle of a value of the arena; `undefined` for any other. @throws {ClosedError} for one that was let go. */
export function handleOf(value: object): Handle | undefined {
  if (letGone.has(value)) throw new ClosedError(`${String(value)} is closed here.`);
  return handles.get(value);
}

/** Ends what `value` stands for in this thread, before it is collected. Does nothing the second time. */
export function letGoOf(value: object): void {
  if (letGone.has(value)) return;
  letGone.add(value);
  collected.unregister(value);
  release(atOf(value));
}

/** The address of a value of the arena. */
export function atOf(value: object): number {
  return handles.get(value)!.at;
}

/** The words of the arena. */
export function words(): Int32Array {
  return memory().words;
}

/** `lock "accounts"`, `lock` without a name: for messages and for `waitingFor`. */
export function titleOf(kind: string, at: number): string {
  const name = nameOfObject(at);
  return name === '' ? kind : `${kind} "${name}"`;
}

/** @throws {ValidationError} `ERR_VALIDATION` */
export function checkName(options: { readonly name?: string | undefined } | undefined, call: string): string {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new ValidationError(`${call} takes an object, { name }, and got ${String(options)}.`);
  }
  const name: unknown = options?.name;
  if (name === undefined) return '';
  if (typeof name !== 'string') throw new ValidationError(`${call}: name must be a string, and is ${String(name)}.`);
  return name;
}

/** What a class sends along with its handles: what belongs to the value, not to the object. */
const companions = new Map<unknown, (value: object) => object>();

/** Has `companion(value)` arrive as part of the handle of each value of a class. */
export function travelsWith<T extends object>(
  sharedClass: abstract new (...args: never[]) => T,
  companion: (value: T) => object,
): void {
  companions.set(sharedClass, companion as (value: object) => object);
}

/** What travels with `value`. */
export function companionOf(value: object): object | undefined {
  for (const [sharedClass, companion] of companions) {
    if (value instanceof (sharedClass as new () => object)) return companion(value);
  }
  return undefined;
}

function bind(value: object, handle: Handle): Handle {
  handles.set(value, handle);
  collected.register(value, handle.at, value);
  return handle;
}
