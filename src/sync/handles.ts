/**
 * Shared objects in messages: every value of the arena travels as its handle, and arrives as the same object. Classes of
 * other folders register themselves; whoever decodes imports them (data/handles.ts).
 */

import { type Kind, kinds } from '../arena/object-words.ts';
import type { Handle } from '../arena/objects.ts';
import { ClosedError } from '../errors.ts';
import { Barrier } from './barrier.ts';
import { Condition } from './condition.ts';
import { Event } from './event.ts';
import { Lock } from './lock.ts';
import { RLock } from './rlock.ts';
import { BoundedSemaphore, Semaphore } from './semaphore.ts';
import { companionOf, fromHandle, handleOf } from './shared-object.ts';

type SharedClass = new (options: { [fromHandle]: Handle }) => object;

/** Which class stands for a kind of object. */
const classes: Partial<Record<Kind, unknown>> = {
  [kinds.lock]: Lock,
  [kinds.rlock]: RLock,
  [kinds.semaphore]: Semaphore,
  [kinds.boundedSemaphore]: BoundedSemaphore,
  [kinds.condition]: Condition,
  [kinds.event]: Event,
  [kinds.barrier]: Barrier,
};

/** Has handles of a kind become values of `sharedClass`, which is made of `{ [fromHandle]: handle }` as its first argument. */
export function registerClass(kind: Kind, sharedClass: unknown): void {
  classes[kind] = sharedClass;
}

/** For `EncodeHooks`. */
export function encodeHandle(value: object): unknown {
  const handle = handleOf(value);
  return handle && { ...handle, ...companionOf(value) };
}

/** For `DecodeHooks`. @throws {ClosedError} `ERR_CLOSED` when the object is gone. */
export function decodeHandle(description: unknown): object {
  const handle = description as Handle;
  const sharedClass = classes[handle.kind] as SharedClass | undefined;
  if (sharedClass === undefined) {
    throw new ClosedError(`A shared object of kind ${String(handle.kind)} arrived, which this version does not know.`);
  }
  return new sharedClass({ [fromHandle]: handle });
}
