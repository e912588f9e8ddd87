/**
 * Exhaustive interleaving: the code of locks, semaphores, guards, queues, records and waits, as it stands in src, over
 * the machine of fake-machine.ts, in every order of steps with at most so many preemptions; where a scenario says so,
 * with a death of the first agent at each of its steps as well.
 *
 * A step is one access to shared memory, sleep or wake. An agent that gives way (sleeps, ends, dies) is no preemption, and
 * then each of the others is tried; but once all had to time out after a death, another order costs as a preemption does.
 * Checked: one holder at a time; everybody who lives is served; without a death nobody needs a timeout for it, so no
 * wake-up is lost; the queue is empty at the end, the guard free, and the lock or the permits are there.
 *
 * Covered: two agents with 3 preemptions (2 where one takes the lock twice and may die), three with 2 (1 where one of
 * three may die at a lock); some 36,000 schedules in all, each scenario's number is printed. Not covered: the loops of
 * lock.ts and semaphore.ts, which are written again here; two deaths; events, conditions, barriers, burial, the heap.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GUARD, HEAD, KIND, kinds, STATE } from '../../src/arena/object-words.ts';
import { type Mode, modes, statuses } from '../../src/arena/records.ts';
import { onOneNode } from '../support/one-node.ts';
import { type Agent, compile, complete, Machine, of, recordsModule, type Steps, waitsModule } from './fake-machine.ts';
import { type Bounds, explore, type Play } from './schedules.ts';

const program = compile([
  { path: 'arena/guard', state: ['depth', 'calls'] },
  recordsModule,
  { path: 'arena/repair' },
  { path: 'arena/queue' },
  waitsModule,
  { path: 'sync/lock-words', state: ['handedOver'] },
  { path: 'sync/semaphore-words' },
]);

type Part = (agent: Agent, run: Run) => Steps;

interface Scenario extends Bounds {
  readonly kind: 'lock' | 'semaphore';
  readonly parts: readonly Part[];
  /** Whether those who queue have waited long enough to be handed the lock. */
  readonly isDue?: boolean;
  /** At the start; 1 if it says nothing. */
  readonly permits?: number;
}

/** One schedule at work. */
interface Run {
  readonly machine: Machine;
  readonly inside: Set<Agent>;
}

const blocking = using(modes.thread);
const awaiting = using(modes.loop);
const givingUp = using(modes.thread, 50);
const twice: Part = function* (agent, run) {
  yield* blocking(agent, run);
  yield* blocking(agent, run);
};

const scenarios: Readonly<Record<string, Scenario>> = {
  'lock, two who block': { kind: 'lock', parts: [blocking, blocking], preemptions: 3 },
  'lock, two who block, handed over': { kind: 'lock', parts: [blocking, blocking], preemptions: 3, isDue: true },
  'lock, two who block, twice': { kind: 'lock', parts: [twice, twice], preemptions: 3, isDue: true },
  'lock, one blocks and one awaits': { kind: 'lock', parts: [blocking, awaiting], preemptions: 3 },
  'lock, two who await, handed over': { kind: 'lock', parts: [awaiting, awaiting], preemptions: 3, isDue: true },
  'lock, three who block': { kind: 'lock', parts: [blocking, blocking, blocking], preemptions: 2 },
  'lock, three of both kinds, handed over': {
    kind: 'lock',
    parts: [blocking, awaiting, blocking],
    preemptions: 2,
    isDue: true,
  },
  'lock, one gives up while it is released': { kind: 'lock', parts: [blocking, givingUp], preemptions: 3 },
  'lock, one of three gives up, handed over': {
    kind: 'lock',
    parts: [blocking, givingUp, blocking],
    preemptions: 2,
    isDue: true,
  },
  'lock, one of two dies': { kind: 'lock', parts: [blocking, blocking], preemptions: 3, withDeath: true },
  'lock, one of two dies, handed over': {
    kind: 'lock',
    parts: [blocking, awaiting],
    preemptions: 3,
    isDue: true,
    withDeath: true,
  },
  'lock, one of three dies': { kind: 'lock', parts: [blocking, blocking, awaiting], preemptions: 1, withDeath: true },
  'lock, one of two dies the second time': { kind: 'lock', parts: [twice, awaiting], preemptions: 2, withDeath: true },
  'lock, one that gives up dies': { kind: 'lock', parts: [givingUp, blocking], preemptions: 3, withDeath: true },
  'semaphore, two who block': { kind: 'semaphore', parts: [blocking, blocking], preemptions: 3 },
  'semaphore, one blocks and one awaits': { kind: 'semaphore', parts: [blocking, awaiting], preemptions: 3 },
  'semaphore, three who block': { kind: 'semaphore', parts: [blocking, blocking, blocking], preemptions: 2 },
  'semaphore, one gives up': { kind: 'semaphore', parts: [blocking, givingUp], preemptions: 3 },
  'semaphore, one of three dies': {
    kind: 'semaphore',
    parts: [blocking, blocking, awaiting],
    preemptions: 2,
    permits: 2,
    withDeath: true,
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`${name}: right in every order of steps`, { skip: onOneNode }, (context) => {
    const machine = makeMachine(scenario);
    context.diagnostic(`${explore(() => start(scenario, machine), scenario)} schedules`);
  });
}

/** What an agent does: acquire, be alone, release; as in lock.ts and semaphore.ts. @param timeoutMs - then it gives up. */
function using(mode: Mode, timeoutMs = Number.POSITIVE_INFINITY): Part {
  return function* (agent, run) {
    const isLock = Atomics.load(run.machine.words, run.machine.object + KIND) === kinds.lock;
    const isMine = yield* (isLock ? acquireLock : acquirePermit)(agent, run.machine, mode, timeoutMs);
    if (!isMine) return;
    if (isLock) {
      const others = [...run.inside].filter(({ isAlive }) => isAlive);
      assert.equal(others.length, 0, 'alone');
    }
    run.inside.add(agent);
    yield;
    run.inside.delete(agent);
    yield* isLock
      ? of(agent, 'lock-words', 'release')(run.machine.object)
      : of(agent, 'semaphore-words', 'give')(run.machine.object, 1, 100);
  };
}

function* acquireLock(agent: Agent, { object }: Machine, mode: Mode, timeoutMs: number): Steps<boolean> {
  const call = (name: string, ...inputs: unknown[]): Steps => of(agent, 'lock-words', name)(...inputs);
  if (yield* call('takeFree', object)) return true;
  if (mode === modes.thread && (yield* call('spin', object))) return true;
  if (yield* call('tryTake', object)) return true;
  const record = (yield* call('queueUp', object, mode)) as number;
  if (record === 0) return true;
  for (;;) {
    const status = yield* waitFor(agent, record, mode, timeoutMs);
    if (status === statuses.nudged && !(yield* call('spin', object)) && (yield* call('queueAgain', object, record)))
      continue;
    yield* of(agent, 'records', 'giveRecord')(record);
    return status !== statuses.cancelled;
  }
}

function* acquirePermit(agent: Agent, { object }: Machine, mode: Mode, timeoutMs: number): Steps<boolean> {
  if (yield* of(agent, 'semaphore-words', 'take')(object)) return true;
  const record = (yield* of(agent, 'semaphore-words', 'queueUp')(object, mode)) as number;
  if (record === 0) return true;
  const status = yield* waitFor(agent, record, mode, timeoutMs);
  yield* of(agent, 'records', 'giveRecord')(record);
  return status !== statuses.cancelled;
}

function* waitFor(agent: Agent, record: number, mode: Mode, timeoutMs: number): Steps<number> {
  if (mode === modes.loop) return yield* agent.awaitRecord(record);
  const status = (yield* of(agent, 'waits', 'sleepOn')(record, timeoutMs)) as number;
  if (status !== statuses.parked) return status;
  if (yield* of(agent, 'waits', 'withdraw')(record)) return statuses.cancelled;
  return (yield* of(agent, 'waits', 'sleepOn')(record, Number.POSITIVE_INFINITY)) as number;
}

function makeMachine({ parts, isDue = false }: Scenario): Machine {
  return new Machine(program, parts.length, (agent, { agents, object }) => ({
    *isDue(): Steps<boolean> {
      yield;
      return isDue;
    },
    /** Burials are not covered; what they do for others is. */
    *sweep(): Steps<void> {
      if (agents.some((one) => !one.isAlive)) yield* of(agent, 'repair', 'recheck')(object);
    },
  }));
}

function start(scenario: Scenario, machine: Machine): Play {
  machine.reset();
  const { words, object, agents } = machine;
  words[object + KIND] = kinds[scenario.kind];
  if (scenario.kind === 'semaphore') words[object + STATE] = (scenario.permits ?? 1) * 4;
  const run: Run = { machine, inside: new Set() };
  return {
    agents,
    parts: scenario.parts.map((part, i) => part(agents[i]!, run)),
    check: () => check(scenario, machine),
  };
}

/** Everybody has ended: one of those who live finds all in order. */
function check({ kind, permits = 1, withDeath }: Scenario, { words, object, agents }: Machine): void {
  const living = agents.at(-1)!;
  const hasDied = !agents[0]!.isAlive;
  if (hasDied) complete(of(living, 'repair', 'recheck')(object));
  assert.equal(words[object + HEAD], 0, 'the queue is empty');
  assert.equal(words[object + GUARD], 0, 'the guard is free');
  if (kind === 'lock') {
    assert.ok(complete(of(living, 'lock-words', 'tryTake')(object)), 'the lock can be had');
    assert.ok(complete(of(living, 'lock-words', 'release')(object)));
    return;
  }
  const left = words[object + STATE]! >>> 2;
  // The permit of a holder that died is gone.
  assert.ok(left === permits || (withDeath === true && hasDied && left === permits - 1), `${left} permits`);
}
