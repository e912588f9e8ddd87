/** Where coroutines give way. */

import { currentWaiter, isCancellationPending, throwIfCancelled } from '../../arena/waiter.ts';
import { isSliceOver, nextTurn } from './turns.ts';

const goingOn = Promise.resolve();

/**
 * A point at which a coroutine gives way to others, and at which it notices that it was cancelled: put it into long loops.
 *
 * As long as the time slice of this thread's coroutines lasts (2 ms) it costs next to nothing, and only lets go on what is
 * ready to. After that it resolves once timers and I/O have had their turn.
 *
 * @throws {CancelledError} `ERR_CANCELLED` in a coroutine that was cancelled and has not been told yet.
 */
export function checkpoint(): Promise<void> {
  // One promise for all: a new one would cost more than all the rest.
  return isCancellationPending() || isSliceOver() ? giveWay() : goingOn;
}

async function giveWay(): Promise<void> {
  throwIfCancelled();
  if (!isSliceOver()) return;
  const waiter = currentWaiter();
  if (waiter === undefined) return nextTurn(false);
  waiter.isInLine = true;
  await nextTurn(waiter.isDaemon);
  waiter.isInLine = false;
  throwIfCancelled();
}
