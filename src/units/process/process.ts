/** A function that runs in a process of its own. */

import { resolve } from 'node:path';
import { type InspectOptions, inspect } from 'node:util';
import { beginWait } from '../../arena/reasons.ts';
import { type Handles, letGo } from '../../channels/handles.ts';
import { refuseUnits } from '../../codec/value-kind.ts';
import { StateError } from '../../errors.ts';
import type { Exit } from '../../exit.ts';
import { clearTimeout, setTimeout } from '../../platform/clock.ts';
import { ownUmask } from '../../platform/proc.ts';
import { stir } from '../../sync/standstill.ts';
import { registerWaitable } from '../../sync/waitable.ts';
import { currentIdentity, currentThread, workingDirectory } from '../current.ts';
import { untilAborted, within } from '../deadline.ts';
import { assertMayStart } from '../import-guard.ts';
import { checkTimeout } from '../options.ts';
import { type PackedTarget, packTarget } from '../target-pack.ts';
import type { Unit, UnitState } from '../unit.ts';
import { boot } from './boot.ts';
import { addChild, nextPath, removeChild } from './children.ts';
import { type ExitStatus, exitCodeOf } from './exit-status.ts';
import { heapBounds } from './heap-bounds.ts';
import { checkFolder, checkProcessOptions, type ProcessOptions } from './options.ts';
import { type Order, writeOrder } from './protocol.ts';
import { Run } from './run.ts';
import { type Settled, settle } from './settlement.ts';
import { discard, keepAsSpare, refillSpares, takeSpare } from './spares.ts';
import { currentEnvironment } from './surroundings.ts';
import { tellUnguarded } from './unguarded.ts';

/** After the gentle signal of an abort or a disposal, SIGKILL follows when the process has not ended by then. */
const GRACE_MS = 1000;
type Life =
  | { readonly phase: 'new' }
  | { readonly phase: 'started'; readonly run: Run }
  | { readonly phase: 'closed'; readonly status: ExitStatus | undefined };

/**
 * Runs a function in a process of its own, with its own memory: what it changes there is not seen here.
 *
 * The target may be any function: exported or not, inline, async, a method. Its module is imported in the child, so a
 * program starts its processes under `if (import.meta.main)`. Locals that it closes over, and `args`, are copied at
 * `start()` with the fidelity of structured clone; its value or error comes back the same way.
 *
 * The program waits for its processes before it ends, daemons excepted; when it ends otherwise, all of them are killed.
 *
 * ```ts
 * import { Process } from 'manyhands';
 *
 * function add(a: number, b: number): number {
 *   return a + b;
 * }
 *
 * if (import.meta.main) {
 *   const process = new Process({ target: add, args: [1, 2] });
 *   process.start();
 *   console.log(await process.result()); // 3
 * }
 * ```
 *
 * @throws {ValidationError} `ERR_VALIDATION` from the constructor, for an unknown option or a value that makes no sense.
 */
export class Process<A extends readonly unknown[] = readonly unknown[], R = unknown>
  implements Unit<R>, AsyncDisposable
{
  readonly name: string;
  /** Whether it ends with its parent, which does not wait for it. */
  readonly daemon: boolean;
  readonly #path: string;
  #options: ProcessOptions<A, R> | undefined;
  #life: Life = { phase: 'new' };
  #exit: Exit | undefined;
  #settled: Settled<R> | undefined;
  /** Why `signal` ended it. */
  #aborted: { readonly reason: unknown } | undefined;
  #isAskedForResult = false;
  /** How many callers wait at this moment: a daemon keeps the program alive as long as there are any. */
  #waiters = 0;

  constructor(options: ProcessOptions<A, R>) {
    checkProcessOptions(options);
    this.#options = options as ProcessOptions<A, R>;
    this.#path = nextPath();
    this.name = options.name ?? `Process-${this.#path}`;
    this.daemon = options.daemon ?? (currentThread() ?? currentIdentity()).daemon;
  }

  /**
   * Starts the process and returns at once; the target runs as soon as it is up: 2 to 3 ms with a spare, else 30.
   *
   * @throws {StateError} `ERR_STATE` the second time, or once closed.
   * @throws {TargetError} `ERR_TARGET` when the target, a variable that it closes over, or an argument cannot travel.
   * @throws {StartDuringImportError} `ERR_START_DURING_IMPORT` from a module that a child imports: see the main guard.
   * @throws {ValidationError} `ERR_VALIDATION` when `cwd` is no folder.
   * @throws {PlatformError} when the system refuses another process. The reason of `signal` when it is aborted already.
   */
  start(): void {
    assertMayStart(`Process "${this.name}"`);
    const options = this.#options;
    if (this.#life.phase === 'closed') throw new StateError(`${this} is closed and cannot be started.`);
    if (options === undefined || this.#life.phase !== 'new') {
      throw new StateError(`${this} cannot be started twice. Make a new Process for each start.`);
    }
    options.signal?.throwIfAborted();
    if (options.cwd !== undefined) checkFolder(options.cwd);
    const env = environment(options);
    const stdio = options.stdio ?? 'inherit';
    // What Node reads when it starts cannot be given to a spare.
    const isPlain = stdio === 'inherit' && options.execArgv === undefined && options.memoryLimitBytes === undefined;
    const child =
      (isPlain ? takeSpare(env) : undefined) ?? boot({ execArgv: nodeOptionsOf(options), env, stdio, isSpare: false });
    let handles: Handles = [];
    try {
      const packed = packTarget(options.target, options.args ?? [], `process "${this.name}"`);
      handles = packed.handles;
      // Getters of the arguments have run.
      if ((this.#life as Life).phase !== 'new')
        throw new StateError(`${this} was started while its arguments were read.`);
      child.mailbox.postStart(writeOrder(this.#order(options, env, packed)), packed.value);
    } catch (error) {
      letGo(handles);
      if (isPlain) keepAsSpare(child);
      else discard(child);
      throw error;
    }
    this.#options = undefined; // what it was given can be forgotten
    const run: Run = new Run(child, this.name, stdio, handles, () => this.#onEnd(run));
    this.#life = { phase: 'started', run };
    if (this.daemon) run.setRef(false);
    addChild(this as unknown as Process);
    this.#endOnAbort(options.signal, run);
    refillSpares();
  }

  /**
   * Waits for the end, whatever it is.
   *
   * @param timeoutMs - default: no limit. 0 only looks.
   * @returns true once the process has ended, false when the time passed first.
   * @throws {StateError} `ERR_STATE` before the start.
   */
  async join(timeoutMs?: number): Promise<boolean> {
    checkTimeout(timeoutMs, 'join()');
    const run = this.#started('join');
    if (run === undefined) return true;
    this.#addWaiters(run, 1);
    stir();
    const endWait = beginWait(`process "${this.name}"`);
    try {
      // While this thread was busy, the end may have come and not yet been told of.
      return (await within(run.ended, timeoutMs)) || run.status !== undefined;
    } finally {
      endWait();
      this.#addWaiters(run, -1);
    }
  }

  /**
   * As `join`, but blocks the thread: no timer, no I/O and no other code of it runs meanwhile. Uses no processor time.
   */
  joinSync(timeoutMs?: number): boolean {
    checkTimeout(timeoutMs, 'joinSync()');
    const run = this.#started('joinSync');
    if (run === undefined) return true;
    const endWait = beginWait(`process "${this.name}"`);
    try {
      return run.waitSync(timeoutMs);
    } finally {
      endWait();
    }
  }

  /**
   * The target's value once the process has ended (of a generator: what it returns).
   *
   * Rejects with what the target, its module or a stray callback threw, as it was thrown there; with `UnitCrashedError`
   * when the process ended otherwise before the target returned; with the signal's reason when `signal` ended it.
   *
   * @throws {StateError} `ERR_STATE` before the start, or when the process was closed before anybody asked.
   */
  async result(): Promise<Awaited<R>> {
    this.#isAskedForResult = true;
    const run = this.#started('result');
    if (run !== undefined) await this.join();
    if (this.#aborted !== undefined) throw this.#aborted.reason;
    this.#settled ??= settle<R>(run, this);
    if (this.#settled.threw) throw this.#settled.error;
    return this.#settled.value;
  }

  /** SIGTERM: asks it to end. Does nothing once it has ended. @throws {StateError} before the start. */
  terminate(): void {
    this.#started('terminate')?.signal('SIGTERM');
  }

  /** SIGKILL: ends it at once. */
  kill(): void {
    this.#started('kill')?.signal('SIGKILL');
  }

  /** SIGINT: what Ctrl-C sends. */
  interrupt(): void {
    this.#started('interrupt')?.signal('SIGINT');
  }

  /**
   * SIGSTOP: it keeps its memory and gets no processor until `resume()`. Its state is `ready`.
   *
   * Locks that it holds stay held; but it is not left inside an operation on a shared object, in which it would keep all
   * others from that object. For that it may be stopped and continued several times before this returns: some 0.1 ms, and
   * after 0.1 s, without the processor that it needs, it stays stopped where it is.
   */
  suspend(): void {
    this.#started('suspend')?.suspend();
  }

  /** SIGCONT: lets a suspended process go on. */
  resume(): void {
    this.#started('resume')?.resume();
  }

  /** Lets go of what it left, a result that nobody took. @throws {StateError} `ERR_STATE` while it runs. */
  close(): void {
    if (this.#life.phase === 'closed') return;
    const run = this.#life.phase === 'started' ? this.#life.run : undefined;
    if (run !== undefined && run.status === undefined) {
      throw new StateError(
        `${this} still runs and cannot be closed. Join it first, or end it with terminate() or kill().`,
      );
    }
    this.#exit = this.exit;
    this.#options = undefined;
    this.#life = { phase: 'closed', status: run?.status };
  }

  /** Ends it if it still runs, with SIGTERM and after a second with SIGKILL; waits for its end; closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#life.phase === 'started' && this.isAlive) {
      this.#endGently(this.#life.run);
      await this.join();
    }
    this.close();
  }

  /** Id of the process; `undefined` before the start. */
  get pid(): number | undefined {
    return this.#life.phase === 'started' ? this.#life.run.pid : undefined;
  }

  /** What it writes to standard output, with `stdio: 'pipe'`; else, and before the start, `null`. */
  get stdout(): NodeJS.ReadableStream | null {
    return this.#piped?.stdout ?? null;
  }

  /** What it writes to standard error, with `stdio: 'pipe'`; else, and before the start, `null`. */
  get stderr(): NodeJS.ReadableStream | null {
    return this.#piped?.stderr ?? null;
  }

  /** True from `start()` until the end. */
  get isAlive(): boolean {
    return this.#life.phase === 'started' && this.#life.run.status === undefined;
  }

  /** From the kernel, at this moment: see `UnitState`. */
  get state(): UnitState {
    if (this.#life.phase === 'new') return 'new';
    return this.#life.phase === 'started' ? this.#life.run.state : 'terminated';
  }

  /** What it waits for while `state` is `blocked`, e.g. `process "worker"`. */
  get waitingFor(): string | undefined {
    return this.#life.phase === 'started' ? this.#life.run.waitingFor : undefined;
  }

  /** How it ended; `undefined` before. */
  get exit(): Exit | undefined {
    if (this.#exit !== undefined || this.#life.phase !== 'started') return this.#exit;
    const { status, outcome } = this.#life.run;
    if (status === undefined) return undefined;
    // Not the error that result() makes of a fault: there nothing was thrown.
    const hasThrown = status.kind === 'fatal' && outcome !== undefined && outcome.kind !== 'returned';
    // A value stays packed until somebody asks for it.
    if (hasThrown) this.#settled ??= settle<R>(this.#life.run, this);
    this.#exit = Object.freeze(
      hasThrown && this.#settled?.threw ? { ...status, error: this.#settled.error } : { ...status },
    );
    return this.#exit;
  }

  /** As in Python: 0; 1 after an uncaught error; n from `process.exit(n)`; minus the number of a signal. */
  get exitCode(): number | undefined {
    const status = this.#status;
    return status === undefined ? undefined : exitCodeOf(status);
  }

  toString(): string {
    return `Process "${this.name}"`;
  }

  get #status(): ExitStatus | undefined {
    if (this.#life.phase === 'new') return undefined;
    return this.#life.phase === 'started' ? this.#life.run.status : this.#life.status;
  }

  get #piped(): Run | undefined {
    return this.#life.phase === 'started' && this.#life.run.stdio === 'pipe' ? this.#life.run : undefined;
  }

  /** The run, or `undefined` once closed. @throws {StateError} before the start. */
  #started(call: string): Run | undefined {
    if (this.#life.phase === 'started') return this.#life.run;
    if (this.#life.phase === 'new') {
      throw new StateError(`${this} has not been started: call start() before ${call}().`);
    }
    if (this.#life.status === undefined) throw new StateError(`${this} was closed before it was started.`);
    return undefined;
  }

  #order(options: ProcessOptions<A, R>, env: Order['env'], { modules, handles }: PackedTarget): Order {
    const { name, daemon } = this;
    return {
      identity: { name, daemon, path: this.#path, parent: { pid: process.pid, name: currentIdentity().name } },
      argv: process.argv,
      env,
      cwd: options.cwd === undefined ? workingDirectory() : resolve(options.cwd),
      umask: ownUmask(),
      nice: options.nice,
      affinity: options.affinity,
      memoryLimitBytes: options.memoryLimitBytes,
      hasSharedObjects: handles.length > 0,
      modules,
    };
  }

  static {
    registerWaitable(Process, (process) => {
      const run = process.#started('wait');
      return {
        isReady: () => run === undefined || run.status !== undefined,
        whenReady: (signal) => process.#joinUntil(signal),
      };
    });
  }

  /** As `join`, but rejects when `signal` is aborted first. */
  async #joinUntil(signal: AbortSignal): Promise<void> {
    const run = this.#started('wait');
    if (run === undefined) return;
    this.#addWaiters(run, 1);
    const endWait = beginWait(`process "${this.name}"`);
    try {
      await untilAborted(run.ended, signal);
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
      this.#endGently(run);
    };
    // A getter among the arguments may have aborted it meanwhile.
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void run.ended.then(() => signal.removeEventListener('abort', onAbort));
  }

  #endGently(run: Run): void {
    run.signal('SIGTERM');
    const timer = setTimeout(() => run.signal('SIGKILL'), GRACE_MS);
    void run.ended.then(() => clearTimeout(timer));
  }

  #onEnd(run: Run): void {
    removeChild(this as unknown as Process);
    if (run.outcome?.kind !== 'unguarded') return;
    this.#settled ??= settle<R>(run, this);
    const settled = this.#settled;
    if (!settled.threw) return;
    void run.ended.then(() => tellUnguarded(settled.error, () => this.#isAskedForResult));
  }
}

refuseUnits(Process.prototype);

// Not a member: the declarations of a class cannot hold this name.
Object.defineProperty(Process.prototype, inspect.custom, {
  value(this: Process, _depth: number, options: InspectOptions): string {
    const { exitCode, state, pid } = this;
    const facts = [
      pid && `pid=${pid}`,
      state,
      exitCode !== undefined && `exitCode=${exitCode}`,
      this.daemon && 'daemon',
    ];
    return `<Process ${inspect(this.name, options)} ${facts.filter(Boolean).join(' ')}>`;
  },
});

function environment({
  env,
}: {
  readonly env?: Record<string, string | undefined> | undefined;
}): Record<string, string> {
  const all: Record<string, string | undefined> = { ...currentEnvironment(), ...env };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** What is asked for outright comes last, and counts. */
function nodeOptionsOf({
  memoryLimitBytes,
  execArgv = [],
}: Pick<ProcessOptions<never, unknown>, 'memoryLimitBytes' | 'execArgv'>): readonly string[] {
  return memoryLimitBytes === undefined ? execArgv : [...heapBounds(memoryLimitBytes), ...execArgv];
}
