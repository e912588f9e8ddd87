/** The lock that belongs to a shared value or array: a shared object of its own, to which the other holds a reference. */

import { kinds, OWN, SERIAL_NUMBER } from '../arena/object-words.ts';
import { drop, retain } from '../arena/objects.ts';
import { RLock } from '../sync/rlock.ts';
import { fromHandle, handleOf, words } from '../sync/shared-object.ts';

/** The lock's address, in the object that it belongs to. */
const LOCK: number = OWN;

/** Makes the lock of a new object. */
export function makeLock(at: number): RLock {
  const lock = new RLock();
  const { at: lockAt } = handleOf(lock)!;
  // Counted first: after a death in between, the lock stays for ever.
  retain(lockAt);
  Atomics.store(words(), at + LOCK, lockAt);
  return lock;
}

/** The lock of an object that somebody made and that is held. */
export function lockOf(at: number): RLock {
  const lockAt = Atomics.load(words(), at + LOCK);
  const handle = { kind: kinds.rlock, at: lockAt, serial: Atomics.load(words(), lockAt + SERIAL_NUMBER) };
  return new RLock({ [fromHandle]: handle } as object);
}

/** Lets go of the lock of an object that is about to be freed. */
export function dropLock(at: number): void {
  const lockAt = Atomics.exchange(words(), at + LOCK, 0);
  // 0: the object's maker died before it came to that.
  if (lockAt !== 0) drop(lockAt);
}
