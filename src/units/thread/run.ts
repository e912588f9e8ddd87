/**
 * One thread at work: from what it was given to how it ended.
 *
 * Its end is learned in two ways, whichever comes first: from Node, or, while its parent does not return to the event loop,
 * from the kernel, which is asked whether there still is such a thread. What it left lies in its mailbox (process/mailbox.ts),
 * and is taken over at that moment.
 *
 *   thread                                  parent
 *   returns, throws, process.exit: EXITED,
 *   wakes the futex                 ---->   looks for the end of the thread every PAUSE_MS
 *   out of memory, terminated               looks every LOOK_MS
 *   the kernel removes it from /proc  -->   reads code and outcome, buries it in the arena
 */

import type { Worker } from 'node:worker_threads';
import { slotsOf, TID } from '../../arena/agents.ts';
import { bury } from '../../arena/death.ts';
import { isUsed, memory } from '../../arena/memory.ts';
import { offspring } from '../../arena/rest.ts';
import { type Handles, letGo, takeOver } from '../../channels/handles.ts';
import { clearTimeout, nowMs, setImmediate, setTimeout } from '../../platform/clock.ts';
import { kernelThread, ownThreads } from '../../platform/proc.ts';
import type { Shelters } from '../../platform/shelter.ts';
import { stir } from '../../sync/standstill.ts';
import { type ExitStatus, exitStatus } from '../process/exit-status.ts';
import { type Mailbox, type Outcome, phases } from '../process/mailbox.ts';
import { observeState, observeWait } from '../process/observe.ts';
import type { Ended } from '../process/settlement.ts';
import type { UnitState } from '../unit.ts';

const LOOK_MS = 10;
const PAUSE_MS = 0.1;
/** The engine's inspector, by which functions are looked into, may swallow the order to stop. */
const STOP_AGAIN_MS = 50;
/** Of a thread that Node has joined, the kernel may need a moment to forget it. */
const BURIAL_PATIENCE_MS = 100;

/** With the shared objects in what a thread left: they live as long as that does. */
interface KeptOutcome extends Outcome {
  readonly objects: readonly object[];
}

export class Run implements Ended {
  readonly threadId: number;
  /** Resolves once the thread has ended. Never rejects. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #shelters: Shelters;
  readonly #onEnd: () => void;
  /** What the thread is given, until it has it. */
  readonly #handles: Handles;
  /** Threads of the kernel that came up with it: one of them is it, and says so when it has loaded. */
  readonly #candidates: readonly number[];
  #mailbox: Mailbox | undefined;
  #status: ExitStatus | undefined;
  #outcome: KeptOutcome | undefined;
  #lost: { readonly reason: unknown } | undefined;
  #fault: unknown;
  #isTerminated = false;
  #stopAgainAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param start - makes the worker.
   * @param shelters - of the thread, which is inside until it says that it has loaded.
   * @param handles - what the message to the thread holds.
   * @param onEnd - called once, as soon as the end is known.
   */
  constructor(start: () => Worker, shelters: Shelters, mailbox: Mailbox, handles: Handles, onEnd: () => void) {
    this.#shelters = shelters;
    const before = new Set(ownThreads());
    this.#worker = start();
    // Each order to stop adds one.
    this.#worker.setMaxListeners(0);
    this.#candidates = ownThreads().filter((tid) => !before.has(tid));
    this.threadId = this.#worker.threadId;
    this.#mailbox = mailbox;
    this.#handles = handles;
    this.#onEnd = onEnd;
    // For the search for standstills: one more that is not known to wait.
    offspring.set(-this.threadId, this);
    stir();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    // What was thrown lies in the mailbox; the rest is what the engine says, that it is out of memory.
    this.#worker.on('error', (fault) => {
      this.#fault = fault;
    });
    this.#worker.on('exit', (code) => {
      this.#end(code);
      // Whoever waits for this one goes on once Node has told of all that have ended.
      setImmediate(resolve);
    });
  }

  get id(): string {
    return `thread ${this.threadId}`;
  }

  /** How it ended; `undefined` while it runs. */
  get status(): ExitStatus | undefined {
    if (this.#status === undefined && this.#hasEnded()) this.#end(undefined);
    return this.#status;
  }

  /** What it left, once it has ended. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** Why what it left could not be read. */
  get lost(): { readonly reason: unknown } | undefined {
    return this.#lost;
  }

  /** Why the engine ended it, when it did. */
  get fault(): unknown {
    return this.#outcome === undefined && !this.#isTerminated ? this.#fault : undefined;
  }

  get state(): UnitState {
    if (this.status !== undefined || this.#mailbox === undefined) return 'terminated';
    const { thread } = this.#mailbox;
    return thread === undefined ? 'ready' : observeState(process.pid, this.#mailbox, thread.tid);
  }

  get waitingFor(): string | undefined {
    if (this.state !== 'blocked' || this.#mailbox?.thread === undefined) return undefined;
    return observeWait(process.pid, this.#mailbox, this.#mailbox.thread.tid);
  }

  /** Lets the thread keep the program alive, or not. */
  setRef(keepsAlive: boolean): void {
    if (keepsAlive) this.#worker.ref();
    else this.#worker.unref();
  }

  terminate(): void {
    if (this.status !== undefined || this.#isTerminated) return;
    this.#isTerminated = true;
    this.#shelters.close(() => this.#stop());
  }

  /** Blocks the thread until this one has ended; false when `timeoutMs` passed first. */
  waitSync(timeoutMs: number | undefined): boolean {
    const deadline = nowMs() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    while (this.status === undefined && this.#mailbox !== undefined) {
      const left = deadline - nowMs();
      if (left <= 0) return false;
      // The event loop, which would do it, stands still.
      if (this.#isTerminated && this.#shelters.isLeft) this.#stop();
      if (this.#mailbox.exitCode === undefined) this.#mailbox.waitForExit(Math.min(left, LOOK_MS));
      else this.#mailbox.pause(Math.min(left, PAUSE_MS));
    }
    return true;
  }

  #stop(): void {
    if (this.#mailbox === undefined || nowMs() < this.#stopAgainAt) return;
    this.#stopAgainAt = nowMs() + STOP_AGAIN_MS;
    void this.#worker.terminate();
    this.#timer = setTimeout(() => this.#stop(), STOP_AGAIN_MS + 1);
    this.#timer.unref();
  }

  /** Whether the kernel has it no more. */
  #hasEnded(): boolean {
    if (this.#mailbox === undefined) return true;
    const { thread } = this.#mailbox;
    if (thread !== undefined) return !isThere(thread.tid, thread.startedAtTicks);
    return this.#candidates.length > 0 && !this.#candidates.some((tid) => isThere(tid));
  }

  /** @param code - what Node says; `undefined` when it was not asked. */
  #end(code: number | undefined): void {
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return;
    this.#mailbox = undefined;
    clearTimeout(this.#timer);
    offspring.delete(-this.threadId);
    stir();
    const { thread } = mailbox;
    if (mailbox.phase < phases.idle) this.#shelters.leave();
    this.#status = this.#statusOf(code, mailbox);
    // It never got as far as to let go itself.
    if (mailbox.phase < phases.running) letGo(this.#handles);
    try {
      const outcome = mailbox.readOutcome();
      if (outcome !== undefined) this.#outcome = { ...outcome, objects: takeOver(outcome.handles) };
    } catch (reason) {
      this.#lost = { reason };
    }
    if (thread !== undefined) buryThread(thread.tid, () => isThere(thread.tid, thread.startedAtTicks), mailbox);
    mailbox.close();
    this.#onEnd();
  }

  #statusOf(code: number | undefined, mailbox: Mailbox): ExitStatus {
    const { exitCode, outcomeKind } = mailbox;
    if (exitCode !== undefined) return exitStatus({ code: code ?? exitCode }, outcomeKind);
    if (this.#isTerminated) return { kind: 'killed' };
    // It had no time to say so: out of memory; or it was a preloaded module that ended it.
    return code === undefined || code === 1 ? { kind: 'fatal', code: 1 } : exitStatus({ code }, outcomeKind);
  }
}

function isThere(tid: number, startedAtTicks?: number): boolean {
  const thread = kernelThread(process.pid, tid);
  if (thread === undefined || thread.hasEnded) return false;
  return startedAtTicks === undefined || thread.startedAtTicks === startedAtTicks;
}

/** What it held passes on at once; those who wait for it would find out within a tenth of a second. */
function buryThread(tid: number, isStillThere: () => boolean, mailbox: Mailbox): void {
  try {
    if (!isUsed() || !slotsOf(process.pid).some((at) => Atomics.load(memory().words, at + TID) === tid)) return;
    const deadline = nowMs() + BURIAL_PATIENCE_MS;
    while (isStillThere() && nowMs() < deadline) mailbox.pause(PAUSE_MS);
    bury();
  } catch {
    // Out of descriptors for /proc, say. The end of the thread is told all the same.
  }
}
