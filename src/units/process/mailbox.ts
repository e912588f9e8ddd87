/**
 * The memory that a process and its parent share: an anonymous file of which both map the first page.
 *
 * ```
 *   page 0   words, below             mapped by both
 *   4096 …   parcels                  written and read as a file
 * ```
 *
 * Each word has one writer:
 *
 *   word          writer   meaning
 *   PHASE         child    where the child is in its life, below; only ever grows
 *   STARTED       parent   1 once the parcels of the start are complete; 2: there will be none
 *   HELD          parent   1 while a child that has not yet begun its import shall not begin it
 *   OUTCOME       child    0, or 1 + the index of the outcome that counts
 *   KIND + i      child    what outcome i is, below
 *   AT_LOW/HIGH+i child    where its parcel begins
 *   WAIT_VERSION  child    odd while the text is being written
 *   WAIT_LENGTH   child    bytes of the text; 0 when the child waits for nothing that it can name
 *   THREAD        thread   the kernel's id of it, and when it began: agents.ts
 *   EXITED        thread   1 once its exit code is known, which stands behind it
 *   WAIT_TEXT …   child    UTF-8
 *
 * A thread of this process is a child as well, with a mailbox of its own. It does not map it: it uses its parent's mapping,
 * which is there until the thread has ended.
 *
 *   parent                             child
 *   ------                             -----
 *   makes the file, spawns             maps it, PHASE = IDLE, sleeps on the futex STARTED
 *   writes the parcels, STARTED = 1,
 *   wakes the futex             ---->  sees STARTED, reads, frees the second, sleeps while HELD, PHASE = IMPORTING
 *                                      PHASE = RUNNING, runs the target
 *   learns of the end from the         writes the parcel of the outcome, then its KIND and AT,
 *   kernel, reads OUTCOME       <----  then OUTCOME; ends
 *
 * Nobody waits for the other to read: an outcome of any size is written by a child whose parent is blocked or busy.
 * A child that dies at any point leaves OUTCOME as it was, so half an outcome is never read: a second outcome (an error
 * after the target returned) is written behind the first. The kernel frees the file with its last descriptor.
 */

import { ftruncateSync } from 'node:fs';
import type { Place } from '../../arena/memory.ts';
import type { Handles } from '../../channels/handles.ts';
import type { Encoded } from '../../codec/types.ts';
import { type Mapping, system } from '../../platform/system.ts';
import { readParcel, writeParcel } from './parcel.ts';

const PAGE_BYTES = 4096;
/** Where the order stands, in the child as well as in its worker threads. */
export const firstParcelPosition: number = PAGE_BYTES;
/** The file's name in /proc/PID/fd. */
export const mailboxLabel = 'manyhands-mailbox';

const PHASE = 0;
const STARTED = 1;
const HELD = 2;
const OUTCOME = 3;
const KIND = 4;
const AT_LOW = 6;
const AT_HIGH = 8;
const WAIT_VERSION = 10;
const WAIT_LENGTH = 11;
const THREAD = 12;
const THREAD_START = 13;
const EXITED = 14;
const EXIT_CODE = 15;
/** In STARTED. */
const DISMISSED = 2;
const WAIT_TEXT_BYTE = 64;
const WAIT_TEXT_MAX = 512;
const OUTCOMES = 2;

/**
 * Where a child is in its life: booting; bound to the life of its parent (`idle`); waiting, with everything loaded
 * (`warm`); importing the modules of its target; in its target, or past it.
 */
export const phases = { booting: 0, idle: 1, warm: 2, importing: 3, running: 4 } as const;
export type Phase = (typeof phases)[keyof typeof phases];

/** What a child's outcome is: the target's value; what was thrown; the same, thrown for want of a main guard. */
export const outcomes = { returned: 0, threw: 1, unguarded: 2 } as const;
export type OutcomeKind = keyof typeof outcomes;

/** A thread as the kernel knows it. */
export interface Thread {
  readonly tid: number;
  readonly startedAtTicks: number;
}

export interface Outcome {
  readonly kind: OutcomeKind;
  readonly value: Encoded;
  /** What the message holds: data/handles.ts. */
  readonly handles: Handles;
}

const encoder = new TextEncoder();

export class Mailbox {
  readonly fd: number;
  readonly #mapping: Mapping;
  #words: Int32Array | undefined;
  readonly #bytes: Uint8Array;
  readonly #text = new Uint8Array(WAIT_TEXT_MAX);
  /** What was written last, and how many bytes it has. */
  #reason = '';
  #reasonBytes = 0;
  /** Behind the last parcel written by this side. */
  #end: number = firstParcelPosition;

  private constructor(fd: number, mapping: Mapping) {
    this.fd = fd;
    this.#mapping = mapping;
    this.#words = new Int32Array(this.#mapping.buffer);
    this.#bytes = new Uint8Array(this.#mapping.buffer);
  }

  /** The parent's side. */
  static create(): Mailbox {
    const fd = system().createMemory(mailboxLabel, PAGE_BYTES);
    try {
      return Mailbox.open(fd);
    } catch (error) {
      system().close(fd);
      throw error;
    }
  }

  /** The child's side, of the descriptor that it inherited. */
  static open(fd: number): Mailbox {
    return new Mailbox(fd, system().map(fd, PAGE_BYTES));
  }

  /** The side of a thread. */
  static openAt({ fd, address }: Place): Mailbox {
    return new Mailbox(fd, system().mappingAt(address, PAGE_BYTES));
  }

  /** For the thread that is given this mailbox. */
  get place(): Place {
    return { fd: this.fd, address: this.#mapping.address };
  }

  get phase(): Phase {
    return Atomics.load(this.#shared, PHASE) as Phase;
  }

  set phase(phase: Phase) {
    Atomics.store(this.#shared, PHASE, phase);
  }

  /** Whether the parcels of the start are there. */
  get isStarted(): boolean {
    return Atomics.load(this.#shared, STARTED) === 1;
  }

  /** Parent: leaves the start for the child. */
  postStart(order: Encoded, target: Encoded): void {
    let end = this.#end;
    for (const parcel of [order, target]) end = writeParcel(this.fd, end, parcel);
    this.#end = end; // only now: after a failure the next start is written where the child looks
    Atomics.store(this.#shared, STARTED, 1); // last: the child reads the parcels as soon as it sees this
    this.#mapping.wake(STARTED);
  }

  /** Parent: has a child end that was not started. Needs no right to signal it. Does nothing once closed. */
  dismiss(): void {
    if (this.#words === undefined || Atomics.compareExchange(this.#words, STARTED, 0, DISMISSED) !== 0) return;
    this.#mapping.wake(STARTED);
  }

  /** Child: blocks the thread until the parcels of the start are there. False when there will be none. */
  waitForStart(): boolean {
    for (;;) {
      const started = Atomics.load(this.#shared, STARTED);
      if (started !== 0) return started !== DISMISSED;
      this.#mapping.waitWhile(STARTED, 0);
    }
  }

  /** Parent: whether the child shall stay before its import. */
  set isHeld(held: boolean) {
    Atomics.store(this.#shared, HELD, held ? 1 : 0);
    if (!held) this.#mapping.wake(HELD);
  }

  /** Child: blocks the thread while the parent holds it. */
  waitWhileHeld(): void {
    while (Atomics.load(this.#shared, HELD) === 1) this.#mapping.waitWhile(HELD, 1);
  }

  /** Child: takes the two parcels of the start, and gives the memory of the second back; the first stays readable. */
  takeStart(): [order: Encoded, target: Encoded] {
    const order = readParcel(this.fd, firstParcelPosition);
    const target = readParcel(this.fd, order.end);
    this.#end = order.end;
    ftruncateSync(this.fd, order.end);
    return [order.value, target.value];
  }

  /** Child: leaves an outcome; a later one replaces it. At most two are kept, further ones are ignored. */
  postOutcome(kind: OutcomeKind, value: Encoded, handles: Handles = []): void {
    const index = Atomics.load(this.#shared, OUTCOME);
    if (index >= OUTCOMES) return;
    const at = this.#end;
    this.#end = writeParcel(this.fd, at, value);
    this.#end = writeParcel(this.fd, this.#end, { head: encoder.encode(JSON.stringify(handles)), blobs: [] });
    Atomics.store(this.#shared, KIND + index, outcomes[kind]);
    Atomics.store(this.#shared, AT_LOW + index, (at % 2 ** 32) | 0);
    Atomics.store(this.#shared, AT_HIGH + index, Math.floor(at / 2 ** 32));
    Atomics.store(this.#shared, OUTCOME, index + 1); // last: makes all of the above count at once
  }

  /** Parent: which outcome the child left, without its value. */
  get outcomeKind(): OutcomeKind | undefined {
    const index = Atomics.load(this.#shared, OUTCOME) - 1;
    if (index < 0) return undefined;
    const number = Atomics.load(this.#shared, KIND + index);
    return number === outcomes.returned ? 'returned' : number === outcomes.threw ? 'threw' : 'unguarded';
  }

  /** Parent: the outcome that counts, copied out; `undefined` when the child left none. */
  readOutcome(): Outcome | undefined {
    const index = Atomics.load(this.#shared, OUTCOME) - 1;
    const kind = this.outcomeKind;
    if (kind === undefined) return undefined;
    const at =
      Atomics.load(this.#shared, AT_HIGH + index) * 2 ** 32 + (Atomics.load(this.#shared, AT_LOW + index) >>> 0);
    const { value, end } = readParcel(this.fd, at);
    const handles = JSON.parse(Buffer.from(readParcel(this.fd, end).value.head).toString('utf8')) as Handles;
    return { kind, value, handles };
  }

  /** The thread whose mailbox this is; `undefined` until it has said so. */
  get thread(): Thread | undefined {
    const tid = Atomics.load(this.#shared, THREAD);
    return tid === 0 ? undefined : { tid, startedAtTicks: Atomics.load(this.#shared, THREAD_START) };
  }

  set thread({ tid, startedAtTicks }: Thread) {
    Atomics.store(this.#shared, THREAD_START, startedAtTicks);
    Atomics.store(this.#shared, THREAD, tid); // last: it is looked for by both
  }

  /** Code with which a thread ends; `undefined` when it could not say so. */
  get exitCode(): number | undefined {
    return Atomics.load(this.#shared, EXITED) === 0 ? undefined : Atomics.load(this.#shared, EXIT_CODE);
  }

  set exitCode(code: number) {
    Atomics.store(this.#shared, EXIT_CODE, code);
    Atomics.store(this.#shared, EXITED, 1); // last: the code counts from here on
    this.#mapping.wake(EXITED);
  }

  /** Parent: blocks its thread until the thread of this mailbox ends, for a time at the most. May return early. */
  waitForExit(timeoutMs: number): void {
    this.#mapping.waitWhile(EXITED, 0, timeoutMs);
  }

  /** Parent: blocks its thread for a time. */
  pause(timeoutMs: number): void {
    this.#mapping.waitWhile(EXITED, Atomics.load(this.#shared, EXITED), timeoutMs);
  }

  /** What the child says it waits for; the child sets it, the parent reads it. */
  get waitingFor(): string | undefined {
    for (;;) {
      const version = Atomics.load(this.#shared, WAIT_VERSION);
      if ((version & 1) === 1) return undefined; // being written, perhaps by a process that died: not worth a spin
      const length = Math.min(Atomics.load(this.#shared, WAIT_LENGTH), WAIT_TEXT_MAX);
      const text = Buffer.from(this.#bytes.slice(WAIT_TEXT_BYTE, WAIT_TEXT_BYTE + length)).toString('utf8');
      if (Atomics.load(this.#shared, WAIT_VERSION) === version) return length === 0 ? undefined : text;
    }
  }

  set waitingFor(reason: string | undefined) {
    // As a rule it is none, or the same again: then the text that stands there is right.
    if (reason === undefined || reason === this.#reason) {
      Atomics.store(this.#shared, WAIT_LENGTH, reason === undefined ? 0 : this.#reasonBytes);
      return;
    }
    const { written } = encoder.encodeInto(reason, this.#text);
    this.#reason = reason;
    this.#reasonBytes = written;
    Atomics.add(this.#shared, WAIT_VERSION, 1);
    this.#bytes.set(this.#text.subarray(0, written), WAIT_TEXT_BYTE);
    Atomics.store(this.#shared, WAIT_LENGTH, written);
    Atomics.add(this.#shared, WAIT_VERSION, 1);
  }

  /** Unmaps and closes; every other use afterwards throws. */
  close(): void {
    if (this.#words === undefined) return;
    this.#words = undefined;
    this.#mapping.unmap();
    system().close(this.fd);
  }

  get #shared(): Int32Array {
    if (this.#words === undefined) throw new TypeError('The mailbox was used after it was closed.');
    return this.#words;
  }
}
