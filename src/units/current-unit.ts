/** The innermost unit that code runs in. */

import { currentWaiter } from '../arena/waiter.ts';
import { currentIdentity, currentThread, isMainThread } from './current.ts';

export interface CurrentUnit {
  readonly kind: 'process' | 'thread' | 'coroutine';
  readonly name: string;
}

/**
 * The unit that this code runs in: a coroutine, also in what it called and set going, or else the thread or the process; in the main process
 * the name is `MainProcess`.
 */
export function currentUnit(): CurrentUnit {
  const coroutine = currentWaiter();
  if (coroutine !== undefined) return { kind: 'coroutine', name: coroutine.name };
  const thread = currentThread();
  if (thread !== undefined) return { kind: 'thread', name: thread.name };
  if (isMainThread) return { kind: 'process', name: currentIdentity().name };
  // One that the program made by itself.
  return { kind: 'thread', name: `Thread-${process.getBuiltinModule('node:worker_threads').threadId}` };
}
