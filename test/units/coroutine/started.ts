/** Coroutines for tests. */

import { Coroutine } from 'manyhands';

export function started<A extends readonly unknown[], R>(target: (...args: [...A]) => R, ...args: A): Coroutine<A, R> {
  const coroutine = new Coroutine<A, R>({ target, args });
  coroutine.start();
  return coroutine;
}

/** Resolves at the first turn of the event loop at which `isThere`. */
export async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise(setImmediate);
}
