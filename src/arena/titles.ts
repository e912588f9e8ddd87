/** What an object of the arena is called, for anybody who finds its address: by its kind and its name. */

import { memory } from './memory.ts';
import { KIND, kinds, SERIAL_NUMBER } from './object-words.ts';
import { nameOfObject } from './objects.ts';

/** Kinds that are called otherwise than in `kinds`. */
const otherWords: Readonly<Record<string, string>> = { boundedSemaphore: 'semaphore' };
const words = new Map<number, string>(
  Object.entries(kinds).map(([word, kind]) => [kind, otherWords[word] ?? word] as const),
);

/** `lock "accounts"`; without a name `lock #12`, by its serial number, so that two can be told apart. */
export function titleOfObject(at: number): string {
  const shared = memory().words;
  const word = words.get(Atomics.load(shared, at + KIND)) ?? 'object';
  const name = nameOfObject(at);
  return name === '' ? `${word} #${Atomics.load(shared, at + SERIAL_NUMBER) >>> 0}` : `${word} "${name}"`;
}
