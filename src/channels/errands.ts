/** What is done at the gates of a stream: put, take, look. */

import { memory } from '../arena/memory.ts';
import { withdraw } from '../arena/waits.ts';
import { type ClosedError, StateError } from '../errors.ts';
import { cpuCount } from '../platform/cpu-count.ts';
import { ANY_CHANGE, LOOK } from './gate.ts';
import { type Incoming, isOutOfMemory, type Outgoing, readStored } from './message.ts';
import { type Errand, notYet } from './passing.ts';
import type { StoredMessage } from './segment.ts';
import type { Stream } from './stream.ts';
import { GOT_COUNT, isEnded, PUT_COUNT, sizeOf } from './stream-words.ts';

/** Some 3 µs. */
const SPINS = 150;

/** Whose errand it is: for messages, and to keep its object from being collected meanwhile. */
export interface Owner {
  toString(): string;
  /** Whether it was let go of here: its stream may be gone. */
  readonly isLetGo: boolean;
  /** Why nothing can be put or taken any more. */
  closedError(): ClosedError;
  /** What waits here, where it can be closed meanwhile. */
  readonly waits?: Waits;
}

/** The waits on an object that can be let go of before it is collected. */
export class Waits {
  readonly #records = new Set<number>();
  #onEnd: (() => void) | undefined;

  add(record: number): void {
    this.#records.add(record);
  }

  delete(record: number): void {
    this.#records.delete(record);
    if (this.#records.size === 0) this.#onEnd?.();
  }

  /** Takes all of them back; calls `onEnd` when none is left. */
  withdrawAll(onEnd: () => void): void {
    this.#onEnd = onEnd;
    if (this.#records.size === 0) onEnd();
    else for (const record of this.#records) withdraw(record);
  }
}

export class Putting implements Errand<true> {
  readonly gate: number;
  readonly pending: Waits | undefined;
  readonly #owner: Owner;
  readonly #stream: Stream;
  readonly #message: Outgoing;
  #isShort = false;

  constructor(owner: Owner, stream: Stream, message: Outgoing) {
    this.gate = stream.putGate;
    this.pending = owner.waits;
    this.#owner = owner;
    this.#stream = stream;
    this.#message = message;
  }

  reason(): string {
    return String(this.#owner);
  }

  /** Where memory is short, any message taken may help. */
  wanted(): number {
    return this.#isShort ? ANY_CHANGE : this.#stream.unitsFor(this.#message.sizeBytes);
  }

  /** @throws {ClosedError} `ERR_CLOSED`. @throws {PlatformError} `ERR_OUT_OF_MEMORY` when there is nothing to wait for. */
  attempt(): true | typeof notYet {
    let result: 'put' | 'full' | 'closed' = 'closed';
    try {
      if (!this.#owner.isLetGo) result = this.#put();
    } finally {
      // At once: others write to the same scratch memory.
      if (result !== 'full') this.#message.settle();
    }
    if (result === 'put') return true;
    if (result === 'full') return notYet;
    throw this.#owner.closedError();
  }

  keep(): void {
    this.#message.keep();
  }

  /** Lets go of the message, if nobody has it. */
  settle(): void {
    this.#message.settle();
  }

  #put(): 'put' | 'full' | 'closed' {
    this.#isShort = false;
    // First: what is taken in between may have made room, so another attempt is due.
    const wasEmpty = sizeOf(this.#stream.body) === 0;
    try {
      this.#message.stage();
      return this.#stream.put(this.#message);
    } catch (error) {
      if (!isOutOfMemory(error) || wasEmpty) throw error;
      this.#isShort = true;
      return 'full';
    }
  }
}

export class Taking<T> implements Errand<T> {
  readonly gate: number;
  readonly pending: Waits | undefined;
  readonly #owner: Owner;
  readonly #stream: Stream;
  readonly #unpack: (incoming: Incoming) => T;
  readonly #accepts: ((message: StoredMessage) => boolean) | undefined;

  /** @param accepts - whether a message may be taken; default: any. */
  constructor(
    owner: Owner,
    stream: Stream,
    unpack: (incoming: Incoming) => T,
    accepts?: (message: StoredMessage) => boolean,
  ) {
    this.gate = stream.getGate;
    this.pending = owner.waits;
    this.#owner = owner;
    this.#stream = stream;
    this.#unpack = unpack;
    this.#accepts = accepts;
  }

  reason(): string {
    return String(this.#owner);
  }

  wanted(): number {
    return 1;
  }

  /** @throws {ClosedError} `ERR_CLOSED`. @throws {StateError} for a message that is not accepted. What `unpack` throws. */
  attempt(): T | typeof notYet {
    const incoming = this.#owner.isLetGo ? 'closed' : this.#stream.take(readStored, this.#accepts);
    if (incoming === 'empty') return notYet;
    if (incoming === 'closed') throw this.#owner.closedError();
    if (incoming !== 'refused') return this.#unpack(incoming);
    throw new StateError(`The next message of the ${this.#owner} was not sent by sendBytes(): receive it with recv().`);
  }
}

export class Looking implements Errand<true> {
  readonly gate: number;
  readonly isLooking = true;
  readonly pending: Waits | undefined;
  readonly #owner: Owner;
  readonly #body: number;

  constructor(owner: Owner, stream: Stream) {
    this.gate = stream.getGate;
    this.pending = owner.waits;
    this.#owner = owner;
    this.#body = stream.body;
  }

  reason(): string {
    return String(this.#owner);
  }

  wanted(): number {
    return LOOK;
  }

  attempt(): true | typeof notYet {
    if (this.#owner.isLetGo) throw this.#owner.closedError();
    return isReadable(this.#body) ? true : notYet;
  }
}

/** Whether a take would not have to wait. */
export function isReadable(body: number): boolean {
  return isEnded(body) || sizeOf(body) > 0;
}

let processors: number | undefined;

/** Waits for a moment that something is put, before the thread goes to sleep; where there is another processor to put it. */
export function spinForMessage(body: number): void {
  processors ??= cpuCount();
  if (processors === 1) return;
  const { words } = memory();
  for (let i = 0; i < SPINS; i++)
    if (Atomics.load(words, body + PUT_COUNT) !== Atomics.load(words, body + GOT_COUNT)) return;
}
