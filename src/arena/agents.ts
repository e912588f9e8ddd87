/**
 * Agents: the threads that use the arena. Each has a slot, and an *owner word* that names it for good: the slot's number
 * and how often the slot has been given out, so that a dead agent is never taken for the next one in its slot.
 *
 *   word         who writes it        meaning
 *   PID          claimer (CAS 0→pid)  the process; 0: the slot is free
 *   TID          the agent            the thread
 *   START        the agent            when the thread began, in ticks since boot: ids are used again, this is not
 *   GENERATION   claimer              how often the slot was claimed
 *   STATE        the agent, sweeper   claimed 0, live 1, swept 2
 *   GRANTED      wakers (CAS push), the agent (exchange)   records that were granted: waits.ts
 *   ARMED        the agent 1, wakers (exchange 0)          whether a grant must ring
 *   DOORBELL     the agent            descriptor of the pipe to ring, + 1
 *   PIPE         the agent            number of that pipe (inode): descriptors are used again
 *   RECORDS      the agent            first slab of waiter records: records.ts
 *   HOLDS        the agent            first page of the table of objects held: holds.ts
 *   INSIDE       the agent            address of the outermost guard that it is about to take, or has: guard.ts
 *   16 to 63     the agent            what it says of itself: profile.ts
 */

import { PlatformError } from '../errors.ts';
import { kernelThread } from '../platform/proc.ts';
import { system } from '../platform/system.ts';
import { fault } from './fault.ts';
import { AGENT_COUNT, AGENT_WORDS, AGENTS } from './layout.ts';
import { memory } from './memory.ts';
import { writeProfile } from './profile.ts';

export const PID = 0;
export const TID = 1;
const START = 2;
const GENERATION = 3;
const STATE = 4;
export const GRANTED = 5;
export const ARMED = 6;
export const DOORBELL = 7;
export const RECORDS = 8;
export const HOLDS = 9;
export const PIPE = 10;
export const INSIDE = 11;

const LIVE = 1;
const SLOT_BITS = 10;
const GENERATIONS = 2 ** 20;

/** Names an agent: positive, at most 30 bits. */
export type Owner = number;

export interface Agent {
  readonly owner: Owner;
  /** Address of its slot. */
  readonly at: number;
}

let own: Agent | undefined;

/** This thread as an agent; it takes a slot when first asked. */
export function agent(): Agent {
  own ??= register();
  return own;
}

/** Address of the slot of `owner`. */
export function slotOf(owner: Owner): number {
  return AGENTS + ((owner & (2 ** SLOT_BITS - 1)) - 1) * AGENT_WORDS;
}

/** Whether the agent that `owner` names still runs. Asks the kernel: some 20 µs. */
export function isAlive(owner: Owner): boolean {
  if (owner === own?.owner) return true;
  const { words } = memory();
  const at = slotOf(owner);
  if (Atomics.load(words, at + GENERATION) !== owner >>> SLOT_BITS || Atomics.load(words, at + STATE) !== LIVE) {
    return false;
  }
  return isRunning(words, at);
}

/** The slots of process `pid`, the one kept for burials included. */
export function slotsOf(pid: number): number[] {
  const { words } = memory();
  const slots: number[] = [];
  for (let i = 0; i < AGENT_COUNT; i++) {
    const at = AGENTS + i * AGENT_WORDS;
    if (Atomics.load(words, at + PID) === pid) slots.push(at);
  }
  return slots;
}

/** The slots whose agents have died without giving them back. */
export function deadSlots(): { readonly at: number; readonly owner: Owner }[] {
  const { words } = memory();
  return allSlots()
    .filter((at) => Atomics.load(words, at + PID) !== 0 && !isRunning(words, at))
    .map((at) => ({ at, owner: ownerOf(words, at) }));
}

/** The slots of agents that are at work. */
export function liveSlots(): number[] {
  const { words } = memory();
  return allSlots().filter((at) => Atomics.load(words, at + STATE) === LIVE);
}

/** Gives a slot back, once nothing in the arena waits for or belongs to its agent. */
export function freeSlot(at: number): void {
  const { words } = memory();
  for (const field of [STATE, TID, START, GRANTED, ARMED, DOORBELL, PIPE, RECORDS, HOLDS, INSIDE])
    Atomics.store(words, at + field, 0);
  // Last: from here on it may be claimed.
  Atomics.store(words, at + PID, 0);
}

export function ownerOf(words: Int32Array, at: number): Owner {
  const slot = (at - AGENTS) / AGENT_WORDS + 1;
  return (Atomics.load(words, at + GENERATION) << SLOT_BITS) | slot;
}

/** But the last, which is kept for burials. */
function allSlots(): number[] {
  return Array.from({ length: AGENT_COUNT - 1 }, (_, i) => AGENTS + i * AGENT_WORDS);
}

let bury: (() => void) | undefined;

/** Says what gives back the slots of the dead, should all be taken. */
export function whenFull(giveBack: () => void): void {
  bury = giveBack;
}

function register(): Agent {
  const { words } = memory();
  const at = claim(words) ?? claimOfDead(words);
  if (at !== undefined) return settle(words, at);
  throw new PlatformError(`More than ${AGENT_COUNT - 1} threads use locks and queues of one process tree.`);
}

const BURIAL_TRIES = 100;
const BURIAL_WAIT_MS = 10;

/** Who buries takes guards, and so must be an agent itself: meanwhile it has the last slot, one thread at a time. */
function claimOfDead(words: Int32Array): number | undefined {
  const last = AGENTS + (AGENT_COUNT - 1) * AGENT_WORDS;
  for (let i = 0; i < BURIAL_TRIES; i++) {
    const pid = Atomics.load(words, last + PID);
    const isFree = pid === 0 || kernelThread(pid, pid)?.hasEnded !== false;
    if (isFree && Atomics.compareExchange(words, last + PID, pid, process.pid) === pid) {
      own = settle(words, last);
      try {
        bury?.();
      } finally {
        own = undefined;
        freeSlot(last);
      }
      return claim(words);
    }
    memory().mapping.waitWhile(last + PID, pid, BURIAL_WAIT_MS);
    const at = claim(words);
    if (at !== undefined) return at;
  }
  return undefined;
}

function claim(words: Int32Array): number | undefined {
  return allSlots().find((at) => Atomics.compareExchange(words, at + PID, 0, process.pid) === 0);
}

function settle(words: Int32Array, at: number): Agent {
  if (fault !== undefined) fault('agent.claimed');
  const tid = system().threadId();
  // The start first: once there is a thread, it is judged by its start.
  Atomics.store(words, at + START, kernelThread(process.pid, tid)?.startedAtTicks ?? 0);
  if (fault !== undefined) fault('agent.started');
  Atomics.store(words, at + TID, tid);
  Atomics.store(words, at + GENERATION, (Atomics.load(words, at + GENERATION) + 1) % GENERATIONS || 1);
  // The slot of burials passes from one that died to the next without being freed.
  Atomics.store(words, at + INSIDE, 0);
  writeProfile(at);
  if (fault !== undefined) fault('agent.settled');
  // Last: others judge by the words above whether it lives.
  Atomics.store(words, at + STATE, LIVE);
  return { owner: ownerOf(words, at), at };
}

function isRunning(words: Int32Array, at: number): boolean {
  const pid = Atomics.load(words, at + PID);
  const tid = Atomics.load(words, at + TID);
  try {
    // Claimed and not yet settled: its process must be there.
    const thread = kernelThread(pid, tid === 0 ? pid : tid);
    if (thread === undefined || thread.hasEnded) return false;
    return tid === 0 || thread.startedAtTicks === Atomics.load(words, at + START);
  } catch {
    return true; // nobody can tell at this moment; who asks will ask again
  }
}
