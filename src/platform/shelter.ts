/**
 * A thread that is ended while it loads koffi, or while koffi makes a view on memory, takes the whole process with it: the
 * engine refuses what koffi asks of it, and koffi aborts. Such calls are made inside of a *shelter*, and nobody ends a thread
 * that is in one. Ending a thread ends those that it started: a thread goes into its own shelter and those of all above it.
 *
 *   word      who writes it
 *   INSIDE    the thread and those below it, + 1 and − 1; at their start their parents, for them
 *   CLOSED    who ends the thread: 1 for good
 *
 *   thread                                  who ends it
 *   INSIDE + 1                              CLOSED = 1
 *   CLOSED? then INSIDE − 1, and wait       INSIDE = 0? then end it
 *   call, INSIDE − 1                 ---->  else wait, for a time
 *
 * Each writes its own word before it reads the other's, so one of the two sees the other.
 */

import { setTimeout } from './clock.ts';

const INSIDE = 0;
const CLOSED = 1;
/** After that it is not waited for any longer: something else keeps the thread, such as a preloaded module. */
const PATIENCE_MS = 2000;
/** Between two looks, of which there are few. */
const LOOK_MS = 1;

/** Those of this thread, the outermost first, its own last; none in a main thread that has started none. */
let own: readonly Int32Array[] = [];
/** Whether this thread has closed its own, to end: that keeps those below it out. */
let isEnding = false;
/** Whether this thread is inside. */
let isInside = false;

/** Thread: has it use these from now on, of which it is inside. */
export function useShelters(memory: readonly SharedArrayBuffer[]): void {
  own = memory.map((buffer) => new Int32Array(buffer));
  isInside = true;
}

/** Runs `body`, in which this thread must not be ended. */
export function sheltered<T>(body: () => T): T {
  if (own.length === 0 || isInside) return body();
  enter(own);
  if (!isEnding && own.some(isClosed)) parkForEver();
  isInside = true;
  try {
    return body();
  } finally {
    isInside = false;
    leave(own);
  }
}

/** Thread: has loaded what it was inside for since its start. */
export function leaveShelters(): void {
  isInside = false;
  leave(own);
}

/** The shelters of a thread that this one starts. */
export class Shelters {
  readonly memory: readonly SharedArrayBuffer[];
  readonly #words: readonly Int32Array[];
  #patienceEndsAt = 0;

  constructor() {
    if (own.length === 0) own = [new Int32Array(new SharedArrayBuffer(8))];
    this.#words = [...own, new Int32Array(new SharedArrayBuffer(8))];
    this.memory = this.#words.map((words) => words.buffer as SharedArrayBuffer);
    endWithThisThread();
  }

  /** Goes inside, for the thread that is about to be made. */
  enter(): void {
    enter(this.#words);
  }

  /** Leaves, for a thread that has ended before it could. */
  leave(): void {
    leave(this.#words);
  }

  /** Lets nobody enter any more, and calls `then` once nobody is inside. */
  close(then: () => void): void {
    const words = this.#words.at(-1)!;
    Atomics.store(words, CLOSED, 1);
    this.#patienceEndsAt = performance.now() + PATIENCE_MS;
    whenEmpty(words, then, this.#patienceEndsAt);
  }

  /** Once it is closed: whether the thread may be ended now. */
  get isLeft(): boolean {
    return Atomics.load(this.#words.at(-1)!, INSIDE) <= 0 || performance.now() >= this.#patienceEndsAt;
  }
}

let isInstalled = false;

/** The end of this thread, or of the program, ends those below it. */
function endWithThisThread(): void {
  if (isInstalled) return;
  isInstalled = true;
  process.on('exit', () => {
    isEnding = true;
    const words = own.at(-1)!;
    Atomics.store(words, CLOSED, 1);
    const deadline = performance.now() + PATIENCE_MS;
    for (let inside = Atomics.load(words, INSIDE); inside > 0; inside = Atomics.load(words, INSIDE)) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      Atomics.wait(words, INSIDE, inside, left);
    }
  });
}

function whenEmpty(words: Int32Array, then: () => void, deadline: number): void {
  const inside = Atomics.load(words, INSIDE);
  const left = deadline - performance.now();
  if (inside <= 0 || left <= 0) {
    then();
    return;
  }
  setTimeout(whenEmpty, LOOK_MS, words, then, deadline);
}

function enter(shelters: readonly Int32Array[]): void {
  for (const words of shelters) Atomics.add(words, INSIDE, 1);
}

function leave(shelters: readonly Int32Array[]): void {
  for (const words of shelters) {
    Atomics.sub(words, INSIDE, 1);
    if (isClosed(words)) Atomics.notify(words, INSIDE);
  }
}

function isClosed(words: Int32Array): boolean {
  return Atomics.load(words, CLOSED) === 1;
}

/** The end is near, and ends this as well. */
function parkForEver(): never {
  leave(own);
  const never = new Int32Array(new SharedArrayBuffer(4));
  // Not in one wait: one that begins as the end comes does not notice it.
  for (;;) Atomics.wait(never, 0, 0, LOOK_MS);
}
