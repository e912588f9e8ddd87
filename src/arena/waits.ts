/**
 * The waits of this thread: a record until it is granted, by sleeping on it or in the event loop.
 *
 * Grants come by the doorbell. Deaths that nobody noticed are looked for every RECHECK_MS while there are waits: who died is
 * buried, and what others wait for set right (death.ts). A burial may come just before a wait is queued, so each wait looks
 * at its object once itself; and each agent looks for grants whose waker died before it came to say so.
 */

import { ARMED, agent, GRANTED } from './agents.ts';
import { sweep } from './death.ts';
import { Doorbell } from './doorbell.ts';
import { memory } from './memory.ts';
import { listenToOwnGrants } from './own-grants.ts';
import { unlink } from './queue.ts';
import { OBJECT, PUSHED, STATUS, type Status, statuses } from './records.ts';
import { exclusively, recheckOnArrival } from './repair.ts';
import { ownTimer } from './rest.ts';

const RECHECK_MS = 100;

type Resolve = (status: Status) => void;

const pending = new Map<number, Resolve>();
/** Those of them that keep the program alive. */
const keeping = new Set<number>();
/** Those of them that have not looked at their object yet. */
const unchecked = new Set<number>();
let doorbell: Doorbell | undefined;
let timer: NodeJS.Timeout | undefined;
let isDrainPlanned = false;

/**
 * Resolves once the record is no longer parked. It must be queued in the turn of the loop in which this is called.
 *
 * @param keepsAlive - whether the program lives as long as it waits; not for a daemon.
 */
export function awaitRecord(record: number, keepsAlive = true): Promise<Status> {
  return new Promise((resolve) => {
    pending.set(record, resolve);
    unchecked.add(record);
    doorbell ??= new Doorbell(drain);
    timer ??= ownTimer(setInterval(lookAround, RECHECK_MS).unref());
    if (keepsAlive) keeping.add(record);
    doorbell.setRef(keeping.size > 0);
    arm();
  });
}

/** Sleeps until the record is no longer parked, or until `deadline` (of `performance.now`): then it may still be. */
export function sleepOn(record: number, deadline: number): Status {
  const { words, mapping } = memory();
  for (let isChecked = false; ; ) {
    const status = Atomics.load(words, record + STATUS) as Status;
    if (status !== statuses.parked) return status;
    const left = deadline - performance.now();
    if (left <= 0) return status;
    mapping.waitWhile(record + STATUS, statuses.parked, Math.min(left, RECHECK_MS));
    const mayBeLost = Atomics.load(words, record + STATUS) === statuses.parked && left > RECHECK_MS;
    if (!mayBeLost) continue;
    if (!isChecked) recheckOnArrival(Atomics.load(words, record + OBJECT));
    isChecked = true;
    sweep();
  }
}

/** Takes a wait back. False when it was granted first: then it has what it waited for. */
export function withdraw(record: number): boolean {
  const { words } = memory();
  const object = Atomics.load(words, record + OBJECT);
  const isWithdrawn = exclusively(object, () => {
    if (Atomics.load(words, record + STATUS) !== statuses.parked) return false;
    unlink(object, record);
    Atomics.store(words, record + STATUS, statuses.cancelled);
    return true;
  });
  if (isWithdrawn) settle(record, statuses.cancelled);
  return isWithdrawn;
}

listenToOwnGrants(drainSoon);

/** Hands out, after the code that runs now, what this agent granted to itself. */
function drainSoon(): void {
  if (isDrainPlanned) return;
  isDrainPlanned = true;
  queueMicrotask(() => {
    isDrainPlanned = false;
    drain();
  });
}

/** Says that the next grant must ring. After it, what was granted before is looked for once more. */
function arm(): void {
  const { words } = memory();
  Atomics.store(words, agent().at + ARMED, 1);
  if (Atomics.load(words, agent().at + GRANTED) !== 0) drainSoon();
}

function drain(): void {
  const { words } = memory();
  for (;;) {
    let record = Atomics.exchange(words, agent().at + GRANTED, 0);
    if (record === 0) break;
    const granted: { readonly record: number; readonly status: Status }[] = [];
    while (record !== 0) {
      // Read first: once it is settled, the record may be used again.
      granted.push({ record, status: Atomics.load(words, record + STATUS) as Status });
      record = Atomics.load(words, record + PUSHED);
    }
    // The youngest is on top of the stack; they go on in the order in which they were granted.
    for (const { record, status } of granted.reverse()) if (status !== statuses.parked) settle(record, status);
  }
  if (pending.size > 0) arm();
}

function settle(record: number, status: Status): void {
  const resolve = pending.get(record);
  if (resolve === undefined) return;
  pending.delete(record);
  unchecked.delete(record);
  resolve(status);
  if (keeping.delete(record) && keeping.size === 0) doorbell?.setRef(false);
  if (pending.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

/** Looks at what this thread waits for: a holder or a waker may have died. */
function lookAround(): void {
  const { words } = memory();
  drain();
  const objects = new Set([...unchecked].map((record) => Atomics.load(words, record + OBJECT)));
  unchecked.clear();
  for (const object of objects) recheckOnArrival(object);
  sweep();
  // Under the guards nobody was in the middle of a grant: what is granted by now and not in the stack never will be.
  drain();
  for (const record of [...pending.keys()]) {
    const status = Atomics.load(words, record + STATUS) as Status;
    if (status !== statuses.parked && isUnannounced(record)) settle(record, status);
  }
}

/** Whether a record that was granted is in no stack, its waker having died before it came to that. */
function isUnannounced(record: number): boolean {
  const { words } = memory();
  const object = Atomics.load(words, record + OBJECT);
  return exclusively(object, () => {
    for (let at = Atomics.load(words, agent().at + GRANTED); at !== 0; at = Atomics.load(words, at + PUSHED)) {
      if (at === record) return false;
    }
    return true;
  });
}
