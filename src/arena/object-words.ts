/** The words that every shared object begins with. */

/** What kind of object it is: `kinds`. */
export const KIND = 0;
/** Which object of all that ever were: a handle to one that was freed finds another number. */
export const SERIAL_NUMBER = 1;
/** How many agents, and containers such as queues, hold it. */
export const REFERENCES = 2;
export const GUARD = 3;
export const HEAD = 4;
export const TAIL = 5;
/** The record that is being granted something, so that a repair can finish it. */
export const GRANTEE = 6;
/** Its TURN when that began: by now its agent may wait with it for something else. */
export const GRANTEE_TURN = 15;
/** What the object is about: who holds a lock, how many permits are left. */
export const STATE = 7;
/** Words that mean something else for each kind. */
export const OWN = 8;
/** 64 bytes: length, then UTF-8. */
export const NAME = 16;
export const OBJECT_WORDS = 32;

export const kinds = {
  lock: 1,
  rlock: 2,
  semaphore: 3,
  boundedSemaphore: 4,
  condition: 5,
  event: 6,
  barrier: 7,
  value: 8,
  array: 9,
  list: 10,
  queue: 11,
  connection: 12,
  stream: 13,
  gate: 14,
  block: 15,
} as const;
export type Kind = (typeof kinds)[keyof typeof kinds];
