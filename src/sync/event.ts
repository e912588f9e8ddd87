/** A flag that coroutines, threads and processes wait for. */

import { memory } from '../arena/memory.ts';
import { GRANTEE, kinds, STATE } from '../arena/object-words.ts';
import type { Handle } from '../arena/objects.ts';
import { append, endGrant, first, grant, mend, unfinishedGrant } from '../arena/queue.ts';
import { giveRecord, type Mode, modes, type Status, statuses, takeRecord } from '../arena/records.ts';
import { exclusively, registerRepair } from '../arena/repair.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { atOf, checkName, fromHandle, makeObject, takeObject, titleOf } from './shared-object.ts';
import { registerWaitable } from './waitable.ts';
import {
  checkWaitOptions,
  deadlineOf,
  throwIfAborted,
  throwIfGivenUp,
  type WaitOptions,
  wait,
  waitSync,
} from './waiting.ts';

export interface EventOptions {
  /** Shown in `waitingFor` and in messages; up to 60 bytes. */
  readonly name?: string;
}

registerRepair(kinds.event, repair);

/**
 * An event: everybody waits until it is set. `set` lets go all who wait, and those who come until `clear`. STATE is 1 while
 * it is set; both change it under the guard, so nobody queues behind a flag that has just been set.
 */
export class Event {
  constructor(options?: EventOptions) {
    const handle = (options as { [fromHandle]?: Handle } | undefined)?.[fromHandle];
    if (handle === undefined) makeObject(this, kinds.event, checkName(options, 'new Event()'));
    else takeObject(this, handle);
  }

  /** Lets go everybody who waits, and who will. */
  set(): void {
    const at = atOf(this);
    exclusively(at, () => {
      Atomics.store(memory().words, at + STATE, 1);
      letGo(at);
    });
  }

  /** From now on, waits wait. */
  clear(): void {
    const at = atOf(this);
    exclusively(at, () => Atomics.store(memory().words, at + STATE, 0));
  }

  /** Whether it is set at this moment. */
  get isSet(): boolean {
    return Atomics.load(memory().words, atOf(this) + STATE) === 1;
  }

  /** Resolves true once it is set, false when `timeoutMs` passed first; rejects with the reason of an aborted signal. */
  async wait(options?: WaitOptions): Promise<boolean> {
    checkWaitOptions(options, 'wait()');
    throwIfAborted(options);
    if (this.isSet) return true;
    const record = this.#queue(modes.loop);
    if (record === 0) return true;
    const isSet = ended(record, await wait(record, `${this}`, deadlineOf(options), options?.signal));
    if (!isSet) throwIfGivenUp(options?.signal);
    return isSet;
  }

  /** As `wait`, blocking the thread. */
  waitSync(options?: { readonly timeoutMs?: number }): boolean {
    checkWaitOptions(options, 'waitSync()');
    if (this.isSet) return true;
    const record = this.#queue(modes.thread);
    return record === 0 || ended(record, waitSync(record, `${this}`, deadlineOf(options)));
  }

  toString(): string {
    return titleOf('event', atOf(this));
  }

  /** A queued record; 0 when the event is set. */
  #queue(mode: Mode): number {
    const at = atOf(this);
    const record = takeRecord(at, mode);
    const isQueued = exclusively(at, () => {
      if (Atomics.load(memory().words, at + STATE) === 1) return false;
      append(at, record);
      return true;
    });
    if (!isQueued) giveRecord(record);
    return isQueued ? record : 0;
  }
}

sendAsHandle(Event.prototype);
registerWaitable(Event, (event) => ({ isReady: () => event.isSet, whenReady: (signal) => event.wait({ signal }) }));

function ended(record: number, status: Status): boolean {
  giveRecord(record);
  return status === statuses.granted;
}

function letGo(at: number): void {
  for (let head = first(at); head !== 0; head = first(at)) grant(at, head, statuses.granted);
}

function repair(at: number): void {
  const { words } = memory();
  const record = unfinishedGrant(at);
  if (record !== 0) endGrant(at, record, statuses.granted, 0);
  Atomics.store(words, at + GRANTEE, 0);
  mend(at);
  if (Atomics.load(words, at + STATE) === 1) letGo(at);
}
