/**
 * The coroutine that waits, as far as its waits must know it: it shows them, its cancellation ends them, and a daemon's keep no
 * program alive. What a coroutine is otherwise stands in units/coroutine/.
 *
 * Cancelling raises one `CancelledError`: in the waits of that moment, which are taken back (`interrupted` counts those that have
 * not yet raised it), or else, `isPending`, at the next wait, checkpoint or `yield`. A wait that was granted just before keeps what
 * it got, and the next one raises it. After that the coroutine may wait again: its `finally` blocks can.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { CancelledError } from '../errors.ts';

/** Takes a wait back; false when it was granted first. */
export type Interrupt = () => boolean;

interface Cancellation {
  readonly reason: unknown;
  readonly raised: Set<unknown>;
  isPending: boolean;
  interrupted: number;
}

/** A wait that is shown: reasons.ts. */
export interface ShownWait {
  readonly text: string;
  older: ShownWait | undefined;
  younger: ShownWait | undefined;
  isOver: boolean;
}

/** Made with the first coroutine: on Node 22 all promises become slower by it. */
let storage: AsyncLocalStorage<Waiter> | undefined;
/** How many have something to raise: where there are none, nobody has to find out who asks. */
let pendingCount = 0;

export class Waiter {
  readonly name: string;
  readonly isDaemon: boolean;
  youngestWait: ShownWait | undefined;
  /** Whether it gave way and waits for nothing but its turn. */
  isInLine = false;
  #interrupts: Set<Interrupt> | undefined;
  #cancellation: Cancellation | undefined;
  #shields = 0;

  constructor(name: string, isDaemon: boolean) {
    this.name = name;
    this.isDaemon = isDaemon;
  }

  /** Cancels it. The second time changes nothing: what it does to leave in good order is not disturbed. */
  cancel(reason: unknown): void {
    if (this.#cancellation !== undefined) return;
    const cancellation = { reason, raised: new Set<unknown>(), isPending: true, interrupted: 0 };
    this.#cancellation = cancellation;
    pendingCount++;
    if (this.#shields > 0) return;
    for (const interrupt of [...(this.#interrupts ?? [])]) this.#interrupt(interrupt, cancellation);
  }

  get isCancelled(): boolean {
    return this.#cancellation !== undefined;
  }

  /** Whether `error` is one that the cancellation raised. */
  hasRaised(error: unknown): boolean {
    return this.#cancellation?.raised.has(error) === true;
  }

  /** Has `interrupt` called when it is cancelled during a wait, until the returned function is called. */
  onCancel(interrupt: Interrupt): () => void {
    if (this.#shields > 0) return () => {};
    this.#interrupts ??= new Set();
    this.#interrupts.add(interrupt);
    // A wait that was granted when the cancellation came, and in vain.
    if (this.#cancellation?.isPending === true) this.#interrupt(interrupt, this.#cancellation);
    return () => this.#interrupts?.delete(interrupt);
  }

  /** Waits that begin before the returned function is called are not interrupted. */
  shield(): () => void {
    this.#shields++;
    return () => {
      this.#shields--;
    };
  }

  /** To be called before a wait. @throws {CancelledError} `ERR_CANCELLED` */
  raisePending(): void {
    if (this.#cancellation?.isPending !== true || this.#shields > 0) return;
    this.#settlePending(this.#cancellation);
    this.#raise(this.#cancellation);
  }

  /** To be called by a wait that was taken back. @throws {CancelledError} `ERR_CANCELLED` */
  raiseInterrupted(): void {
    const cancellation = this.#cancellation;
    if (cancellation === undefined || cancellation.interrupted === 0) return;
    cancellation.interrupted--;
    this.#raise(cancellation);
  }

  /** The error for who asks what became of it. */
  cancelledError(): CancelledError {
    const reason = this.#cancellation?.reason;
    const message = `Coroutine "${this.name}" was cancelled${reason === undefined ? '.' : `: ${textOf(reason)}`}`;
    return new CancelledError(message, reason === undefined ? {} : { cause: reason });
  }

  /** It has ended: there is nobody to raise it any more. */
  protected endWaits(): void {
    if (this.#cancellation?.isPending === true) this.#settlePending(this.#cancellation);
    this.#interrupts = undefined;
    this.youngestWait = undefined;
  }

  #interrupt(interrupt: Interrupt, cancellation: Cancellation): void {
    if (!interrupt()) return;
    cancellation.interrupted++;
    if (cancellation.isPending) this.#settlePending(cancellation);
  }

  #settlePending(cancellation: Cancellation): void {
    cancellation.isPending = false;
    pendingCount--;
  }

  #raise(cancellation: Cancellation): never {
    const error = this.cancelledError();
    cancellation.raised.add(error);
    throw error;
  }
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** Runs `body` as code of a coroutine, and what it sets going as well. */
export function runAs<T>(waiter: Waiter, body: () => T): T {
  storage ??= new AsyncLocalStorage();
  return storage.run(waiter, body);
}

/** The coroutine that this code runs in; `undefined` outside of any. */
export function currentWaiter(): Waiter | undefined {
  return storage?.getStore();
}

/** Whether anybody has a cancellation to notice. */
export function isCancellationPending(): boolean {
  return pendingCount > 0;
}

/** At the beginning of what may wait. @throws {CancelledError} `ERR_CANCELLED` in a coroutine that has been cancelled. */
export function throwIfCancelled(): void {
  if (pendingCount > 0) currentWaiter()?.raisePending();
}

/** As `promise`; in a coroutine that is cancelled first it rejects with `CancelledError`. */
export async function orCancelled<T>(promise: Promise<T>): Promise<T> {
  const waiter = currentWaiter();
  if (waiter === undefined) return promise;
  const { promise: interrupted, resolve } = Promise.withResolvers<void>();
  let isInterrupted = false;
  const forget = waiter.onCancel(() => {
    isInterrupted = true;
    resolve();
    return true;
  });
  try {
    await Promise.race([promise, interrupted]);
  } finally {
    forget();
  }
  if (isInterrupted) waiter.raiseInterrupted();
  return promise;
}
