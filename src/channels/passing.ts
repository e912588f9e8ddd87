/** Passing a gate: at once, or after a wait in its line, awaiting or blocking. */

import { giveRecord, type Mode, modes, type Status, statuses, takeRecord } from '../arena/records.ts';
import { setImmediate } from '../platform/clock.ts';
import { deadlineOf, throwIfGivenUp, type WaitOptions, wait, waitSync } from '../sync/waiting.ts';
import { come, comeBack, comeFirst, isStrict, passOn } from './gate.ts';

/** What somebody wants who comes to a gate. */
export interface Errand<T> {
  readonly gate: number;
  /** What `waitingFor` says meanwhile. */
  reason(): string;
  /** For `mayPass` of the stream; asked anew before each wait. */
  wanted(): number;
  /** Said before a wait: what it has from its caller must be its own from then on. */
  keep?(): void;
  /** Does what the errand is about, if that can be done. Never waits. */
  attempt(): T | typeof notYet;
  /** Whether it takes no part in the order of those who want something. */
  readonly isLooking?: boolean;
  /** Where the records of its waits are noted, for who wants to withdraw them. */
  readonly pending?: { add(record: number): void; delete(record: number): void } | undefined;
}

/** In the place of a result: it cannot be done at this moment; the time has passed. */
export const notYet: unique symbol = Symbol('notYet');
export const late: unique symbol = Symbol('late');

/** Of the coroutines of this thread that stand before a gate, the one that came last. */
const youngest = new Map<number, Line<unknown>>();

/** Without a wait; not past those of this thread who wait, nor past one whom nobody may overtake. */
export function tryPass<T>(errand: Errand<T>): T | typeof notYet {
  const { gate } = errand;
  if (errand.isLooking !== true && (youngest.has(gate) || isStrict(gate))) return notYet;
  return errand.attempt();
}

/** So many errands in a row that had not to wait, and the event loop gets a turn: timers and sockets must not starve. */
const TURN_AFTER = 256;
let inRow = 0;

/** To be asked after each errand that is awaited and had not to wait: when it is time, `nextTurn` is to be awaited. */
export function isTurnDue(): boolean {
  return ++inRow >= TURN_AFTER;
}

export function nextTurn(): Promise<void> {
  inRow = 0;
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Stands in line, after `tryPass` was in vain. Rejects with the reason of an aborted signal, and what `attempt` throws. */
export async function pass<T>(errand: Errand<T>, options: WaitOptions | undefined): Promise<T | typeof late> {
  inRow = 0;
  errand.keep?.();
  const deadline = deadlineOf(options);
  const line = new Line(errand, modes.loop);
  try {
    for (;;) {
      const status = line.stand() ? await wait(line.record, errand.reason(), deadline, options?.signal) : undefined;
      const after = line.tryAfter(status);
      if (after === late) throwIfGivenUp(options?.signal);
      if (after !== notYet) return after;
    }
  } finally {
    line.leave();
  }
}

/** `tryPass`, then `pass`. */
export async function tryOrPass<T>(errand: Errand<T>, options: WaitOptions | undefined): Promise<T | typeof late> {
  const result = tryPass(errand);
  if (result === notYet) return pass(errand, options);
  if (isTurnDue()) await nextTurn();
  return result;
}

/** As `tryPass`, for a thread that will block: it goes past those of its own who await, as they cannot go on before it does. */
export function tryPassSync<T>(errand: Errand<T>): T | typeof notYet {
  return isStrict(errand.gate) && !youngest.has(errand.gate) ? notYet : errand.attempt();
}

/** As `pass`, blocking the thread, after `tryPassSync` was in vain. */
export function passSync<T>(
  errand: Errand<T>,
  options: { readonly timeoutMs?: number | undefined } | undefined,
): T | typeof late {
  errand.keep?.();
  const deadline = deadlineOf(options);
  const line = new Line(errand, modes.thread);
  try {
    for (;;) {
      const status = line.stand() ? waitSync(line.record, errand.reason(), deadline) : undefined;
      const after = line.tryAfter(status);
      if (after !== notYet) return after;
    }
  } finally {
    line.leave();
  }
}

/**
 * One of this thread who stands in the line of a gate. Those who await pass in the order in which they came: only the oldest
 * tries, and each that leaves has the next one nudged.
 */
class Line<T> {
  readonly record: number;
  readonly #errand: Errand<T>;
  #older: Line<unknown> | undefined;
  #younger: Line<unknown> | undefined;
  readonly #isBlocking: boolean;
  #hasStood = false;
  #wasNudged = false;

  constructor(errand: Errand<T>, mode: Mode) {
    this.record = takeRecord(errand.gate, mode);
    this.#errand = errand;
    errand.pending?.add(this.record);
    this.#isBlocking = mode === modes.thread;
    if (this.#isBlocking || errand.isLooking === true) return;
    this.#older = youngest.get(errand.gate);
    if (this.#older !== undefined) this.#older.#younger = this;
    youngest.set(errand.gate, this);
  }

  /** False when one may pass already. */
  stand(): boolean {
    const { gate } = this.#errand;
    const wanted = this.#errand.wanted();
    this.#wasNudged = false;
    if (this.#isBlocking && youngest.has(gate)) return comeFirst(gate, this.record, wanted);
    if (this.#hasStood) return comeBack(gate, this.record, wanted, this.#older?.record ?? 0);
    this.#hasStood = come(gate, this.record, wanted, this.#older !== undefined);
    return this.#hasStood;
  }

  tryAfter(status: Status | undefined): T | typeof late | typeof notYet {
    if (status === statuses.cancelled) return late;
    this.#wasNudged = status !== undefined;
    return this.#older === undefined ? this.#errand.attempt() : notYet;
  }

  /** To be called whatever came of it. */
  leave(): void {
    const { gate } = this.#errand;
    if (this.#younger !== undefined) this.#younger.#older = this.#older;
    if (this.#older !== undefined) this.#older.#younger = this.#younger;
    if (youngest.get(gate) === this) {
      if (this.#older === undefined) youngest.delete(gate);
      else youngest.set(gate, this.#older);
    }
    // Passed on first: after a death in between, the record tells its burial that this gate is to be looked at.
    passOn(gate, this.#wasNudged);
    giveRecord(this.record);
    // Last: the gate may be gone with it.
    this.#errand.pending?.delete(this.record);
  }
}
