/**
 * A barrier: a number of parties that go on together.
 *
 *   STATE     0 filling, 1 acting (the last one runs the action), 2 broken
 *   ARRIVED   parties that have come in this round; each queues but the last
 *   VALUE     of a queued record: 1 more than the party's index; 0 of one that came while the last party of the round
 *             before was acting: it queues behind them, and comes again once they have gone
 *   ACTOR     the agent of the last one, while it acts
 *
 * All under the guard, except the action. A party that dies while it waits or acts breaks the barrier, as does one that
 * gives up.
 */

import { agent, isAlive } from '../arena/agents.ts';
import { fault } from '../arena/fault.ts';
import { memory } from '../arena/memory.ts';
import { GRANTEE, kinds, OWN, STATE } from '../arena/object-words.ts';
import type { Handle } from '../arena/objects.ts';
import { append, beginGrant, endGrant, first, mend, unfinishedGrant } from '../arena/queue.ts';
import { giveRecord, type Mode, modes, NEXT, type Status, statuses, takeRecord, VALUE } from '../arena/records.ts';
import { exclusively, registerRepair } from '../arena/repair.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { BrokenBarrierError, ValidationError } from '../errors.ts';
import { atOf, checkName, fromHandle, makeObject, takeObject, titleOf, travelsWith } from './shared-object.ts';
import {
  checkWaitOptions,
  deadlineOf,
  throwIfAborted,
  throwIfGivenUp,
  type WaitOptions,
  wait,
  waitSync,
} from './waiting.ts';

export interface BarrierOptions {
  /** Run by the last party of each round, in its process, before any goes on. It travels with the barrier, as targets do. */
  readonly action?: () => void;
  /** For waits without a time of their own. Default: no limit. */
  readonly timeoutMs?: number;
  /** Shown in `waitingFor` and in messages; up to 60 bytes. */
  readonly name?: string;
}

const PARTIES: number = OWN;
const ARRIVED: number = OWN + 1;
const ACTOR: number = OWN + 2;
const phases = { filling: 0, acting: 1, broken: 2 } as const;
/** What a record is told: 1 more than the party's index, that it came too early, or that the barrier broke. */
const EARLY = 0;
const BROKEN = -1;

registerRepair(kinds.barrier, repair);

/** What belongs to the value, not to the object. */
let optionsOf: (barrier: Barrier) => BarrierOptions;

/** A barrier of `parties`: each waits until all have come. It can be used again, round after round. */
export class Barrier {
  readonly #action: (() => void) | undefined;
  readonly #timeoutMs: number | undefined;

  /** @param parties - an integer from 1 to 2^20. */
  constructor(parties: number, options: BarrierOptions = {}) {
    const handle = (parties as unknown as { [fromHandle]?: Handle & BarrierOptions } | undefined)?.[fromHandle];
    if (handle !== undefined) {
      takeObject(this, handle);
      this.#action = handle.action;
      this.#timeoutMs = handle.timeoutMs;
      return;
    }
    if (!Number.isInteger(parties) || parties < 1 || parties > 2 ** 20) {
      throw new ValidationError(
        `new Barrier(): parties must be an integer from 1 to ${2 ** 20}, and is ${String(parties)}.`,
      );
    }
    if (options.action !== undefined && typeof options.action !== 'function') {
      throw new ValidationError(`new Barrier(): action must be a function, and is ${String(options.action)}.`);
    }
    checkWaitOptions({ timeoutMs: options.timeoutMs }, 'new Barrier()');
    this.#action = options.action;
    this.#timeoutMs = options.timeoutMs;
    const { at } = makeObject(this, kinds.barrier, checkName(options, 'new Barrier()'));
    Atomics.store(memory().words, at + PARTIES, parties);
  }

  /**
   * Waits for the others.
   *
   * @returns this party's index, 0 to parties − 1, in order of arrival; each is given once a round.
   * @throws {BrokenBarrierError} `ERR_BROKEN_BARRIER` when a party gave up, died or failed in the action, or on `abort` and
   * `reset`. When this one gives up by `timeoutMs` or `signal`, the barrier breaks for all; an aborted signal's reason is
   * what this one gets.
   */
  async wait(options: WaitOptions = {}): Promise<number> {
    checkWaitOptions(options, 'wait()');
    throwIfAborted(options);
    const deadline = this.#deadline(options);
    for (;;) {
      const record = this.#arrive(modes.loop);
      if (record === 0) return this.parties - 1;
      const status = await wait(record, `${this}`, deadline, options.signal);
      if (status !== statuses.nudged) return this.#leave(record, status, options.signal);
      giveRecord(record);
    }
  }

  /** As `wait`, blocking the thread. */
  waitSync(options: { readonly timeoutMs?: number } = {}): number {
    checkWaitOptions(options, 'waitSync()');
    const deadline = this.#deadline(options);
    for (;;) {
      const record = this.#arrive(modes.thread);
      if (record === 0) return this.parties - 1;
      const status = waitSync(record, `${this}`, deadline);
      if (status !== statuses.nudged) return this.#leave(record, status);
      giveRecord(record);
    }
  }

  /** Breaks the barrier: everybody who waits, or comes before a `reset`, gets a `BrokenBarrierError`. */
  abort(): void {
    const at = atOf(this);
    exclusively(at, () => breakUp(at));
  }

  /** Makes it as new. Those who wait get a `BrokenBarrierError`. */
  reset(): void {
    const at = atOf(this);
    exclusively(at, () => {
      breakUp(at);
      Atomics.store(memory().words, at + STATE, phases.filling);
    });
  }

  get parties(): number {
    return Atomics.load(memory().words, atOf(this) + PARTIES);
  }

  /** How many wait at this moment. */
  get waiting(): number {
    return Atomics.load(memory().words, atOf(this) + ARRIVED);
  }

  get isBroken(): boolean {
    return Atomics.load(memory().words, atOf(this) + STATE) === phases.broken;
  }

  toString(): string {
    return titleOf('barrier', atOf(this));
  }

  #deadline(options: WaitOptions): number {
    return deadlineOf({ timeoutMs: options.timeoutMs ?? this.#timeoutMs });
  }

  static {
    optionsOf = (barrier) => ({
      ...(barrier.#action === undefined ? {} : { action: barrier.#action }),
      ...(barrier.#timeoutMs === undefined ? {} : { timeoutMs: barrier.#timeoutMs }),
    });
  }

  /** A queued record; 0 for the last party, once it has acted and let the others go. */
  #arrive(mode: Mode): number {
    const at = atOf(this);
    const record = takeRecord(at, mode);
    const place = exclusively(at, () => join(at, record));
    if (place === 'queued') return record;
    giveRecord(record);
    if (place === 'broken') throw broken(this);
    this.#finish(at);
    return 0;
  }

  /** The last party acts, then lets the others go. */
  #finish(at: number): void {
    try {
      this.#action?.();
    } catch (error) {
      this.abort();
      throw error;
    }
    const { words } = memory();
    const isWhole = exclusively(at, () => {
      // After a reset another party may be acting, for the next round.
      const isActor = Atomics.load(words, at + ACTOR) === agent().owner;
      if (!isActor || Atomics.load(words, at + STATE) !== phases.acting) return false;
      letGo(at);
      return true;
    });
    if (!isWhole) throw broken(this);
  }

  #leave(record: number, status: Status, signal?: AbortSignal): number {
    const value = Atomics.load(memory().words, record + VALUE);
    giveRecord(record);
    if (status === statuses.cancelled) {
      this.abort();
      throwIfGivenUp(signal);
    }
    if (status === statuses.cancelled || value === BROKEN) throw broken(this);
    return value - 1;
  }
}

sendAsHandle(Barrier.prototype);
travelsWith(Barrier, optionsOf);

function broken(barrier: Barrier): BrokenBarrierError {
  return new BrokenBarrierError(
    `${barrier} is broken: a party gave up, failed or died, or it was aborted or reset. reset() makes it whole.`,
  );
}

/** Takes a place in the round, or behind it when it is complete already. */
function join(at: number, record: number): 'queued' | 'last' | 'broken' {
  const { words } = memory();
  const parties = Atomics.load(words, at + PARTIES);
  // The last one looks whether all the others are still there.
  if (Atomics.load(words, at + ARRIVED) + 1 === parties) repair(at);
  const phase = Atomics.load(words, at + STATE);
  if (phase === phases.broken) return 'broken';
  if (phase === phases.acting) {
    Atomics.store(words, record + VALUE, EARLY);
    append(at, record);
    return 'queued';
  }
  const arrived = Atomics.load(words, at + ARRIVED);
  Atomics.store(words, record + VALUE, arrived + 1);
  if (fault !== undefined) fault('barrier.counted');
  const isLast = arrived + 1 === parties;
  if (isLast) {
    Atomics.store(words, at + ACTOR, agent().owner);
    if (fault !== undefined) fault('barrier.actor');
    Atomics.store(words, at + STATE, phases.acting);
  } else append(at, record);
  if (fault !== undefined) fault('barrier.queued');
  Atomics.store(words, at + ARRIVED, arrived + 1);
  return isLast ? 'last' : 'queued';
}

/** Ends the round: a death in between leaves the phase `acting` and an actor that is dead, and so breaks the barrier. */
function letGo(at: number): void {
  const { words } = memory();
  for (let head = first(at); head !== 0; head = first(at)) tell(at, head);
  Atomics.store(words, at + ARRIVED, 0);
  if (fault !== undefined) fault('barrier.emptied');
  Atomics.store(words, at + ACTOR, 0);
  if (fault !== undefined) fault('barrier.done');
  Atomics.store(words, at + STATE, phases.filling);
}

function breakUp(at: number): void {
  const { words } = memory();
  Atomics.store(words, at + STATE, phases.broken);
  if (fault !== undefined) fault('barrier.broken');
  Atomics.store(words, at + ACTOR, 0);
  for (let head = first(at); head !== 0; head = first(at)) tell(at, head);
  Atomics.store(words, at + ARRIVED, 0);
}

/** Sends a record away: with its index, to come again, or because the barrier is broken. */
function tell(at: number, record: number): void {
  beginGrant(at, record);
  endGrant(at, record, ...news(at, record));
}

function news(at: number, record: number): [Status, number] {
  const { words } = memory();
  const value = Atomics.load(words, record + VALUE);
  if (value === EARLY) return [statuses.nudged, EARLY];
  return [statuses.granted, Atomics.load(words, at + STATE) === phases.broken ? BROKEN : value];
}

function repair(at: number): void {
  const { words } = memory();
  const record = unfinishedGrant(at);
  if (record !== 0) endGrant(at, record, ...news(at, record));
  Atomics.store(words, at + GRANTEE, 0);
  const before = queued(at);
  mend(at);
  // One that gave up leaves the queue first, and then breaks the barrier: it may have died in between.
  const isShort =
    Atomics.load(words, at + STATE) === phases.filling && queued(at) !== Atomics.load(words, at + ARRIVED);
  const isActorDead = Atomics.load(words, at + STATE) === phases.acting && !isAlive(Atomics.load(words, at + ACTOR));
  if (queued(at) < before || isShort || isActorDead || Atomics.load(words, at + STATE) === phases.broken) breakUp(at);
}

function queued(at: number): number {
  let count = 0;
  for (let record = first(at); record !== 0; record = Atomics.load(memory().words, record + NEXT)) count++;
  return count;
}
