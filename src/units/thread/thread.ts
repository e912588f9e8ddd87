/** A function that runs in a thread of its own. */

import { type InspectOptions, inspect } from 'node:util';
import { placeOfMemory } from '../../arena/memory.ts';
import { beginWait } from '../../arena/reasons.ts';
import { letGo } from '../../channels/handles.ts';
import { refuseUnits } from '../../codec/value-kind.ts';
import { PlatformError, StateError } from '../../errors.ts';
import type { Exit } from '../../exit.ts';
import { Shelters, sheltered } from '../../platform/shelter.ts';
import { stir } from '../../sync/standstill.ts';
import { registerWaitable } from '../../sync/waitable.ts';
import { currentIdentity, currentThread, threadEntry } from '../current.ts';
import { within } from '../deadline.ts';
import { assertMayStart } from '../import-guard.ts';
import { checkTimeout, checkUnitOptions } from '../options.ts';
import { exitCodeOf } from '../process/exit-status.ts';
import { Mailbox } from '../process/mailbox.ts';
import { type Settled, settle } from '../process/settlement.ts';
import { currentEnvironment } from '../process/surroundings.ts';
import { tellUnguarded } from '../process/unguarded.ts';
import { packTarget } from '../target-pack.ts';
import type { Unit, UnitOptions, UnitState } from '../unit.ts';
import { asWorkerData, type Birth } from './birth.ts';
import { Run } from './run.ts';
import { nextPath } from './threads.ts';

const known: ReadonlySet<string> = new Set(['target', 'args', 'name', 'daemon', 'signal']);
/** The order of a thread is in its birth. */
const noOrder = { head: new Uint8Array(0), blobs: [] };

type Life =
  | { readonly phase: 'new' }
  | { readonly phase: 'started'; readonly run: Run }
  | { readonly phase: 'disposed' };

/**
 * Runs a function in a worker thread of this process: a processor of its own, and variables of its own. What it changes in
 * them is not seen here.
 *
 * The target may be any function, and target and arguments are copied at `start()`, as for a `Process`: a program starts its
 * threads under `if (import.meta.main)` as well. Unlike there, a SharedArrayBuffer among them is shared, not refused.
 *
 * `process.exit()` ends the thread alone, and so does an uncaught error. What the program does to the process, such as to
 * abort it, it does to all of its threads. The program waits for its threads before it ends, daemons excepted.
 *
 * ```ts
 * import { Thread } from 'manyhands';
 *
 * function add(a: number, b: number): number {
 *   return a + b;
 * }
 *
 * if (import.meta.main) {
 *   const thread = new Thread({ target: add, args: [1, 2] });
 *   thread.start();
 *   console.log(await thread.result()); // 3
 * }
 * ```
 *
 * @throws {ValidationError} `ERR_VALIDATION` from the constructor, for an unknown option or a value that makes no sense.
 */
export class Thread<A extends readonly unknown[] = readonly unknown[], R = unknown>
  implements Unit<R>, AsyncDisposable
{
  readonly name: string;
  /** Whether it ends with its parent, which does not wait for it. */
  readonly daemon: boolean;
  readonly #path: string;
  #options: UnitOptions<A, R> | undefined;
  #life: Life = { phase: 'new' };
  #exit: Exit | undefined;
  #settled: Settled<R> | undefined;
  /** Why `signal` ended it. */
  #aborted: { readonly reason: unknown } | undefined;
  #isAskedForResult = false;
  /** How many callers wait at this moment: a daemon keeps the program alive as long as there are any. */
  #waiters = 0;

  constructor(options: UnitOptions<A, R>) {
    checkUnitOptions(options, 'Thread', known);
    this.#options = options;
    this.#path = nextPath();
    this.name = options.name ?? `Thread-${this.#path}`;
    this.daemon = options.daemon ?? (currentThread() ?? currentIdentity()).daemon;
  }

  /**
   * Starts the thread and returns at once; the target runs as soon as it is up, in some 30 ms.
   *
   * @throws {StateError} `ERR_STATE` the second time, or once disposed.
   * @throws {TargetError} `ERR_TARGET` when the target, a variable that it closes over, or an argument cannot travel.
   * @throws {StartDuringImportError} `ERR_START_DURING_IMPORT` from a module that a child or thread imports: see the main guard.
   * @throws {PlatformError} when the system refuses another thread. The reason of `signal` when it is aborted already.
   */
  start(): void {
    assertMayStart(`Thread "${this.name}"`);
    const options = this.#options;
    if (options === undefined || this.#life.phase !== 'new') throw this.#notNew();
    options.signal?.throwIfAborted();
    const memory: SharedArrayBuffer[] = [];
    const { value, modules, handles } = packTarget(options.target, options.args ?? [], `thread "${this.name}"`, memory);
    let mailbox: Mailbox | undefined;
    try {
      // Getters of the arguments have run.
      if ((this.#life as Life).phase !== 'new') throw this.#notNew();
      mailbox = Mailbox.create();
      mailbox.postStart(noOrder, value);
      const shelters = new Shelters();
      const birth: Birth = {
        identity: { name: this.name, daemon: this.daemon, path: this.#path },
        process: currentIdentity(),
        argv: process.argv,
        mailbox: mailbox.place,
        arena: placeOfMemory(),
        shelters: shelters.memory,
        modules,
        hasSharedObjects: handles.length > 0,
        memory,
      };
      const run: Run = new Run(
        () => work(birth, shelters),
        shelters,
        mailbox,
        handles,
        () => this.#onEnd(run),
      );
      this.#life = { phase: 'started', run };
    } catch (error) {
      letGo(handles);
      mailbox?.close();
      throw error;
    }
    const { run } = this.#life;
    this.#options = undefined; // what it was given can be forgotten
    if (this.daemon) run.setRef(false);
    this.#endOnAbort(options.signal, run);
  }

  /**
   * Waits for the end, whatever it is.
   *
   * @param timeoutMs - default: no limit. 0 only looks.
   * @returns true once the thread has ended, false when the time passed first.
   * @throws {StateError} `ERR_STATE` before the start.
   */
  async join(timeoutMs?: number): Promise<boolean> {
    checkTimeout(timeoutMs, 'join()');
    const run = this.#started('join');
    // While this thread was busy, the end may have come and not yet been told of.
    return await this.#waiting(run, async () => (await within(run.ended, timeoutMs)) || run.status !== undefined);
  }

  /**
   * As `join`, but blocks the calling thread: no timer, no I/O and no other code of it runs meanwhile.
   */
  joinSync(timeoutMs?: number): boolean {
    checkTimeout(timeoutMs, 'joinSync()');
    const run = this.#started('joinSync');
    const endWait = beginWait(this.#title);
    try {
      return run.waitSync(timeoutMs);
    } finally {
      endWait();
    }
  }

  /**
   * The target's value once the thread has ended (of a generator: what it returns).
   *
   * Rejects with what the target, its module or a stray callback threw, as it was thrown there; with `UnitCrashedError`
   * when the thread ended otherwise before the target returned; with the signal's reason when `signal` ended it.
   *
   * @throws {StateError} `ERR_STATE` before the start.
   */
  async result(): Promise<Awaited<R>> {
    this.#isAskedForResult = true;
    const run = this.#started('result');
    await this.join();
    if (this.#aborted !== undefined) throw this.#aborted.reason;
    this.#settled ??= settle<R>(run, this);
    if (this.#settled.threw) throw this.#settled.error;
    return this.#settled.value;
  }

  /**
   * Ends it at once, wherever it is; a thread that is still loading ends when it has loaded. Locks that it holds pass on as
   * abandoned. Does nothing once it has ended. @throws {StateError} before the start.
   */
  terminate(): void {
    this.#started('terminate').terminate();
  }

  /** Terminates it if it still runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#life.phase === 'new') this.#life = { phase: 'disposed' };
    if (this.#life.phase !== 'started') return;
    this.#life.run.terminate();
    await this.join();
  }

  /** Node's id of the thread; `undefined` before the start. */
  get threadId(): number | undefined {
    return this.#run?.threadId;
  }

  /** True from `start()` until the end. */
  get isAlive(): boolean {
    return this.#run !== undefined && this.#run.status === undefined;
  }

  /** From the kernel, at this moment: see `UnitState`. */
  get state(): UnitState {
    if (this.#life.phase === 'new') return 'new';
    return this.#run?.state ?? 'terminated';
  }

  /** What it waits for while `state` is `blocked`, e.g. `lock "accounts"`. */
  get waitingFor(): string | undefined {
    return this.#run?.waitingFor;
  }

  /** How it ended; `undefined` before. */
  get exit(): Exit | undefined {
    const run = this.#run;
    if (this.#exit !== undefined || run?.status === undefined) return this.#exit;
    const { status, outcome } = run;
    const hasThrown = status.kind === 'fatal' && outcome !== undefined && outcome.kind !== 'returned';
    // A value stays packed until somebody asks for it.
    if (hasThrown) this.#settled ??= settle<R>(run, this);
    this.#exit = Object.freeze(
      hasThrown && this.#settled?.threw ? { ...status, error: this.#settled.error } : { ...status },
    );
    return this.#exit;
  }

  /** 0; 1 after an uncaught error, a fault or `terminate()`; n from `process.exit(n)`. */
  get exitCode(): number | undefined {
    const status = this.#run?.status;
    return status === undefined ? undefined : exitCodeOf(status);
  }

  toString(): string {
    return `Thread "${this.name}"`;
  }

  get #title(): string {
    return `thread "${this.name}"`;
  }

  get #run(): Run | undefined {
    return this.#life.phase === 'started' ? this.#life.run : undefined;
  }

  #notNew(): StateError {
    if (this.#life.phase === 'disposed') return new StateError(`${this} was disposed of and cannot be started.`);
    return new StateError(`${this} cannot be started twice. Make a new Thread for each start.`);
  }

  /** @throws {StateError} before the start. */
  #started(call: string): Run {
    if (this.#life.phase === 'started') return this.#life.run;
    throw new StateError(
      this.#life.phase === 'disposed'
        ? `${this} was disposed of before it was started.`
        : `${this} has not been started: call start() before ${call}().`,
    );
  }

  static {
    registerWaitable(Thread, (thread) => {
      const run = thread.#started('wait');
      return {
        isReady: () => run.status !== undefined,
        whenReady: (signal) => thread.#joinUntil(run, signal),
      };
    });
  }

  /** As `join`, but rejects when `signal` is aborted first. */
  #joinUntil(run: Run, signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return this.#waiting(run, () => Promise.race([run.ended, aborted]));
  }

  async #waiting<T>(run: Run, body: () => Promise<T>): Promise<T> {
    this.#addWaiters(run, 1);
    stir();
    const endWait = beginWait(this.#title);
    try {
      return await body();
    } finally {
      endWait();
      this.#addWaiters(run, -1);
    }
  }

  #addWaiters(run: Run, change: 1 | -1): void {
    this.#waiters += change;
    if (this.daemon && run.status === undefined) run.setRef(this.#waiters > 0);
  }

  #endOnAbort(signal: AbortSignal | undefined, run: Run): void {
    if (signal === undefined) return;
    const onAbort = (): void => {
      if (run.status === undefined) this.#aborted = { reason: signal.reason };
      run.terminate();
    };
    // A getter among the arguments may have aborted it meanwhile.
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void run.ended.then(() => signal.removeEventListener('abort', onAbort));
  }

  #onEnd(run: Run): void {
    if (run.outcome?.kind !== 'unguarded') return;
    this.#settled ??= settle<R>(run, this);
    const settled = this.#settled;
    if (!settled.threw) return;
    void run.ended.then(() => tellUnguarded(settled.error, () => this.#isAskedForResult));
  }
}

refuseUnits(Thread.prototype);

// Not a member: the declarations of a class cannot hold this name.
Object.defineProperty(Thread.prototype, inspect.custom, {
  value(this: Thread, _depth: number, options: InspectOptions): string {
    const { exitCode, state, threadId } = this;
    const facts = [
      threadId && `threadId=${threadId}`,
      state,
      exitCode !== undefined && `exitCode=${exitCode}`,
      this.daemon && 'daemon',
    ];
    return `<Thread ${inspect(this.name, options)} ${facts.filter(Boolean).join(' ')}>`;
  },
});

/** @throws {PlatformError} `ERR_PLATFORM` when the system refuses another thread. */
function work(birth: Birth, shelters: Shelters): InstanceType<typeof import('node:worker_threads').Worker> {
  // Not imported: loading it takes 2 ms of the start of a child.
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  // Inside: who ends this thread ends that one as well, which must not be at its start.
  return sheltered(() => {
    shelters.enter();
    try {
      return new Worker(threadEntry, {
        workerData: asWorkerData(birth),
        env: currentEnvironment(),
        name: birth.identity.name,
      });
    } catch (cause) {
      shelters.leave();
      throw new PlatformError(`The system refuses another thread: ${String(cause)}.`, { cause });
    }
  });
}
