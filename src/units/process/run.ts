/**
 * One child at work: from the order it was given to how it ended.
 *
 * Its end is learned in two ways, whichever comes first: from Node, which reaps it, or, while this thread does not
 * return to its event loop, from the kernel, which is only asked. What the child left is taken over at that moment.
 */

import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { bury } from '../../arena/death.ts';
import { isOpened } from '../../arena/memory.ts';
import { offspring } from '../../arena/rest.ts';
import { type Handles, letGo, takeOver } from '../../channels/handles.ts';
import { nowMs, setImmediate } from '../../platform/clock.ts';
import { system, type WaitStatus } from '../../platform/system.ts';
import { beginJoining, stir } from '../../sync/standstill.ts';
import type { UnitState } from '../unit.ts';
import type { Booted } from './boot.ts';
import { endAtExit } from './exit-hook.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { type Mailbox, type Outcome, phases } from './mailbox.ts';
import { observeState, observeWait } from './observe.ts';
import type { ProcessStdio } from './options.ts';
import { Output } from './output.ts';
import { stop } from './stop.ts';

/** How long the end of a child may be held back by output that somebody else keeps open. */
const OUTPUT_PATIENCE_MS = 1000;

/** With the shared objects in what a child left: they live as long as that does. */
interface KeptOutcome extends Outcome {
  readonly objects: readonly object[];
}

export class Run {
  readonly pid: number;
  readonly stdio: ProcessStdio;
  /** Resolves when the child has ended and what it wrote has been passed on. Never rejects. */
  readonly ended: Promise<void>;
  readonly #handle: Booted['handle'];
  readonly #output: Output | undefined;
  readonly #onEnd: () => void;
  #mailbox: Mailbox | undefined;
  #status: ExitStatus | undefined;
  #outcome: KeptOutcome | undefined;
  #lost: { readonly reason: unknown } | undefined;
  #isSuspended = false;
  /** What the child is given, until it has it. */
  readonly #handles: Handles;

  /**
   * @param handles - what the message to the child holds.
   * @param onEnd - called once, as soon as the end is known.
   */
  constructor(child: Booted, name: string, stdio: ProcessStdio, handles: Handles, onEnd: () => void) {
    this.#handles = handles;
    this.pid = child.pid;
    this.stdio = stdio;
    this.#handle = child.handle;
    this.#mailbox = child.mailbox;
    this.#onEnd = onEnd;
    if (stdio === 'pipe') this.#output = Output.forProgram(child.handle);
    if (stdio === 'prefix') this.#output = Output.withPrefix(child.handle, name);
    endAtExit.add(child);
    offspring.set(child.pid, child.handle);
    stir();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    child.handle.once('exit', (code, signal) => {
      endAtExit.delete(child);
      this.#end(signal === null ? { code: code ?? 0 } : { signalNumber: constants.signals[signal] });
      // Node has reaped all children that have ended, and tells of them one after the other. Whoever waits for this one
      // goes on once it has told of all: a child that was reaped and not told of would seem to run on.
      setImmediate(() => {
        if (this.#output === undefined) resolve();
        else void this.#output.finish(OUTPUT_PATIENCE_MS).then(resolve);
      });
    });
  }

  get id(): string {
    return `pid ${this.pid}`;
  }

  get stdout(): Readable | null {
    return this.#handle.stdout;
  }

  get stderr(): Readable | null {
    return this.#handle.stderr;
  }

  /** How it ended; `undefined` while it runs. */
  get status(): ExitStatus | undefined {
    if (this.#status === undefined) {
      const status = system().peekExit(this.pid);
      if (status !== undefined) this.#end(status);
    }
    return this.#status;
  }

  /** What it left, once it has ended. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** Why what it left could not be read: no memory for it, or the child has damaged its mailbox. */
  get lost(): { readonly reason: unknown } | undefined {
    return this.#lost;
  }

  get state(): UnitState {
    if (this.status !== undefined || this.#mailbox === undefined) return 'terminated';
    return this.#isSuspended ? 'ready' : observeState(this.pid, this.#mailbox);
  }

  get waitingFor(): string | undefined {
    return this.state === 'blocked' && this.#mailbox !== undefined ? observeWait(this.pid, this.#mailbox) : undefined;
  }

  /** Lets the child keep the program alive, or not. */
  setRef(keepsAlive: boolean): void {
    if (keepsAlive) this.#handle.ref();
    else this.#handle.unref();
    this.#output?.setRef(keepsAlive);
  }

  signal(name: NodeJS.Signals): void {
    if (this.status !== undefined) return;
    this.#handle.kill(name);
    // A stopped process takes no other signal but SIGKILL.
    if (this.#isSuspended && name !== 'SIGKILL') this.resume();
  }

  suspend(): void {
    if (this.status !== undefined || this.#isSuspended) return;
    this.#isSuspended = true;
    if (this.#mailbox === undefined) return;
    this.#mailbox.isHeld = true;
    // A child that is not yet bound to the life of its parent must not be stopped: it could outlive it. It is held.
    if (this.#mailbox.phase >= phases.idle) stop(this.pid, (name) => this.#handle.kill(name));
  }

  resume(): void {
    if (this.status !== undefined) return;
    this.#isSuspended = false;
    if (this.#mailbox !== undefined) this.#mailbox.isHeld = false;
    this.#handle.kill('SIGCONT');
  }

  /** Blocks the thread until the child has ended; false when `timeoutMs` passed first. Uses no processor. */
  waitSync(timeoutMs: number | undefined): boolean {
    if (this.status !== undefined) return true;
    const ended = system().openProcess(this.pid);
    if (ended === undefined) return true;
    const endJoining = timeoutMs === undefined ? beginJoining(this.pid) : stir;
    try {
      return this.#waitSync(ended, timeoutMs);
    } finally {
      endJoining();
      system().close(ended);
    }
  }

  #waitSync(ended: number, timeoutMs: number | undefined): boolean {
    const deadline = nowMs() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    // Its output must be read meanwhile, or a child that writes much would wait for us. A closed pipe stays readable.
    const open = new Set(this.#output?.descriptors);
    for (;;) {
      const left = deadline === Number.POSITIVE_INFINITY ? undefined : Math.max(0, deadline - nowMs());
      const ready = system().pollReadable([ended, ...open], left);
      if (ready.length === 0) return false;
      const drained = new Set(this.#output?.drainSync());
      for (const fd of open) if (ready.includes(fd) && !drained.has(fd)) open.delete(fd);
      if (ready.includes(ended)) break;
    }
    this.#output?.flush();
    return this.status !== undefined;
  }

  #end(status: WaitStatus): void {
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return;
    this.#mailbox = undefined;
    offspring.delete(this.pid);
    stir();
    this.#status = exitStatus(status, mailbox.outcomeKind);
    // It never got as far as to let go itself.
    if (mailbox.phase < phases.running) letGo(this.#handles);
    try {
      const outcome = mailbox.readOutcome();
      if (outcome !== undefined) this.#outcome = { ...outcome, objects: takeOver(outcome.handles) };
    } catch (reason) {
      // The end is told all the same; whoever asks for the result hears the reason.
      this.#lost = { reason };
    } finally {
      mailbox.close();
    }
    buryNow();
    this.#onEnd();
  }
}

/** What the dead one held passes on at once; those who wait for it would find out within a tenth of a second. */
function buryNow(): void {
  try {
    if (isOpened()) bury();
  } catch {
    // Out of descriptors for /proc, say. The end of the process is told all the same.
  }
}
