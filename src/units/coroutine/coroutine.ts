/** A function that runs beside others in this thread. */

import { type InspectOptions, inspect } from 'node:util';
import { beginWait } from '../../arena/reasons.ts';
import { currentWaiter } from '../../arena/waiter.ts';
import { refuseUnits } from '../../codec/value-kind.ts';
import { StateError } from '../../errors.ts';
import type { Exit } from '../../exit.ts';
import { setImmediate } from '../../platform/clock.ts';
import { registerWaitable } from '../../sync/waitable.ts';
import { currentIdentity } from '../current.ts';
import { untilAborted, within } from '../deadline.ts';
import { checkTimeout } from '../options.ts';
import { exitCodeOf } from '../process/exit-status.ts';
import type { Unit, UnitOptions, UnitState } from '../unit.ts';
import { keepAlive } from './keep-alive.ts';
import { checkCoroutineOptions } from './options.ts';
import { CoroutineRun, type Outcome, type Owner } from './run.ts';

const noArgs: readonly never[] = [];

let count = 0;
/** An error that nobody has asked for by the time it ended is told of. */
let tellOfFailure: (owner: Owner, outcome: Outcome) => void;

/**
 * Runs an async function, a generator function or an async generator function beside others in this thread: one at a time,
 * each up to its next `await` or `yield`. Nothing is copied: its arguments, and what it changes, are everybody's.
 *
 * It gives way at each wait, at `checkpoint()` and at each `yield`. Cancelling it raises `CancelledError` at the next wait
 * of this library (`lock.acquire()`, `queue.get()`, `unit.join()` …), `checkpoint()` or `yield`; a wait that is under way is
 * taken back. Waits of others (`fetch`, timers) are not cut off: give them an AbortSignal. The error comes once, so that
 * `catch` and `finally` can wait for what they need, and the coroutine counts as ended when they are done.
 *
 * The program waits for it as for any promise: as long as something can still happen. With `daemon: true` it does not: what
 * such a coroutine waits for from this library, and its turns, let the program end; its own timers and sockets do as ever.
 *
 * ```ts
 * const coroutine = new Coroutine({ target: async (n: number) => n + 1, args: [41] });
 * coroutine.start();
 * console.log(await coroutine.result()); // 42
 * ```
 *
 * @throws {ValidationError} `ERR_VALIDATION` from the constructor, for an unknown option or a value that makes no sense.
 */
export class Coroutine<A extends readonly unknown[] = readonly unknown[], R = unknown>
  implements Unit<R>, AsyncDisposable
{
  readonly name: string;
  /** Whether the program may end without it. Default: as the unit that creates it. */
  readonly daemon: boolean;
  #options: UnitOptions<A, R> | undefined;
  #life: CoroutineRun | 'new' | 'closed' = 'new';
  /** Why `signal` ended it. */
  #aborted: { readonly reason: unknown } | undefined;
  #isAskedForResult = false;

  constructor(options: UnitOptions<A, R>) {
    checkCoroutineOptions(options);
    this.#options = options as UnitOptions<A, R>;
    count++;
    this.name = options.name ?? `Coroutine-${count}`;
    this.daemon = options.daemon ?? currentWaiter()?.isDaemon ?? currentIdentity().daemon;
  }

  /**
   * Starts it and returns; the target runs later, in a turn of the event loop. What the caller has in its
   * `AsyncLocalStorage`s is there in the target.
   *
   * @throws {StateError} `ERR_STATE` the second time, or once disposed. The reason of `signal` when it is aborted already.
   */
  start(): void {
    const options = this.#options;
    if (this.#life === 'closed') throw new StateError(`${this} is closed and cannot be started.`);
    if (options === undefined || this.#life !== 'new') {
      throw new StateError(`${this} cannot be started twice. Make a new Coroutine for each start.`);
    }
    options.signal?.throwIfAborted();
    this.#options = undefined; // what it was given can be forgotten
    const run = new CoroutineRun(this, options.target, options.args ?? noArgs, tellOfFailure);
    this.#life = run;
    this.#endOnAbort(options.signal, run);
  }

  /**
   * Waits for the end, whatever it is.
   *
   * @param timeoutMs - default: no limit. 0 only looks.
   * @returns true once it has ended, false when the time passed first.
   * @throws {StateError} `ERR_STATE` before the start, and in the coroutine itself.
   */
  async join(timeoutMs?: number): Promise<boolean> {
    checkTimeout(timeoutMs, 'join()');
    const run = this.#started('join');
    if (run === undefined || run.outcome !== undefined) return true;
    return this.#await(run, () => within(run.ended, timeoutMs));
  }

  /** @throws {StateError} `ERR_STATE` always: a thread that blocks runs none of its coroutines. */
  joinSync(timeoutMs?: number): boolean {
    checkTimeout(timeoutMs, 'joinSync()');
    throw new StateError(
      `${this} cannot be waited for by blocking: it runs in this thread, and would stand still. Write await coroutine.join().`,
    );
  }

  /**
   * The target's value once it has ended (of a generator: what it returns).
   *
   * Rejects with what the target threw; with `CancelledError` when it was cancelled; with the reason of `signal` when that
   * ended it.
   */
  async result(): Promise<Awaited<R>> {
    this.#isAskedForResult = true;
    await this.join();
    if (this.#aborted !== undefined) throw this.#aborted.reason;
    const outcome = this.#started('result')?.outcome;
    if (outcome === undefined) throw new StateError(`${this} was closed before its result was taken.`);
    if (outcome.kind !== 'returned') throw outcome.error;
    return outcome.value as Awaited<R>;
  }

  /**
   * Asks it to end: raises one `CancelledError` in it, at a wait, a checkpoint or a `yield`. Before its target runs, that never
   * does. Does nothing the second time, and once it has ended.
   *
   * @param reason - becomes the `cause` of the error.
   * @throws {StateError} `ERR_STATE` before the start.
   */
  cancel(reason?: unknown): void {
    const run = this.#started('cancel');
    if (run !== undefined && run.outcome === undefined) run.cancel(reason);
  }

  /** Cancels it if it still runs; waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#life === 'new') this.#life = 'closed';
    if (!this.isAlive) return;
    this.cancel('it was disposed');
    await this.join();
  }

  /** True from `start()` until the end. */
  get isAlive(): boolean {
    return this.#run !== undefined && this.#run.outcome === undefined;
  }

  /**
   * `ready` until its target begins; `running` while its code runs or gave way; `blocked` while it awaits anything else.
   */
  get state(): UnitState {
    return this.#run?.state ?? (this.#life === 'new' ? 'new' : 'terminated');
  }

  /** What it waits for while `state` is `blocked`, e.g. `lock "accounts"`. */
  get waitingFor(): string | undefined {
    return this.#run?.waitingFor;
  }

  /** How it ended; `undefined` before. Cancelled: `{ kind: 'killed' }`, without a signal. */
  get exit(): Exit | undefined {
    return this.#run?.exit;
  }

  /** 0; 1 after an error; −15 when it was cancelled, as a process that `terminate()` ended. */
  get exitCode(): number | undefined {
    const exit = this.exit;
    return exit && exitCodeOf(exit);
  }

  toString(): string {
    return `Coroutine "${this.name}"`;
  }

  get #run(): CoroutineRun | undefined {
    return typeof this.#life === 'string' ? undefined : this.#life;
  }

  /** The run, or `undefined` once closed. @throws {StateError} before the start. */
  #started(call: string): CoroutineRun | undefined {
    if (this.#life === 'new') {
      throw new StateError(`${this} has not been started: call start() before ${call}().`);
    }
    if (this.#life === 'closed') throw new StateError(`${this} was closed before it was started.`);
    return this.#life;
  }

  static {
    tellOfFailure = (owner, outcome) => {
      const coroutine = owner as Coroutine;
      if (outcome.kind !== 'threw' || coroutine.#isAskedForResult) return;
      setImmediate(() => {
        if (!coroutine.#isAskedForResult)
          process.stderr.write(
            `${coroutine} failed:\n${inspect(outcome.error, { colors: process.stderr.isTTY === true })}\n`,
          );
      });
    };
    registerWaitable(Coroutine, (coroutine) => {
      const run = coroutine.#started('wait');
      return {
        isReady: () => run?.outcome !== undefined,
        whenReady: async (signal) => {
          if (run !== undefined) await coroutine.#await(run, () => untilAborted(run.ended, signal));
        },
      };
    });
  }

  async #await<T>(run: CoroutineRun, body: () => Promise<T>): Promise<T> {
    const waiter = currentWaiter();
    if (waiter === run && run.outcome === undefined) {
      throw new StateError(`${this} cannot join itself: it would wait for its own end for ever.`);
    }
    const endWait = beginWait(`coroutine "${this.name}"`);
    const release = this.daemon && waiter?.isDaemon !== true ? keepAlive() : undefined;
    try {
      return await body();
    } finally {
      release?.();
      endWait();
    }
  }

  #endOnAbort(signal: AbortSignal | undefined, run: CoroutineRun): void {
    if (signal === undefined) return;
    const onAbort = (): void => {
      if (run.outcome === undefined) this.#aborted = { reason: signal.reason };
      this.cancel(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    void run.ended.then(() => signal.removeEventListener('abort', onAbort));
  }
}

refuseUnits(Coroutine.prototype);

// Not a member: the declarations of a class cannot hold this name.
Object.defineProperty(Coroutine.prototype, inspect.custom, {
  value(this: Coroutine, _depth: number, options: InspectOptions): string {
    const { exitCode, state, daemon } = this;
    const facts = [state, exitCode !== undefined && `exitCode=${exitCode}`, daemon && 'daemon'];
    return `<Coroutine ${inspect(this.name, options)} ${facts.filter(Boolean).join(' ')}>`;
  },
});
