/**
 * Death at any instruction: each scenario is played with its victim killed at each passing of each numbered step, and
 * each time the others must be served, and find everything whole.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { agent, deadSlots, liveSlots, PID } from '../../src/arena/agents.ts';
import { bury } from '../../src/arena/death.ts';
import { allocate, free } from '../../src/arena/heap.ts';
import { AGENT_COUNT, AGENT_WORDS, AGENTS, HEAP_GUARD } from '../../src/arena/layout.ts';
import { memory } from '../../src/arena/memory.ts';
import { GUARD, STATE } from '../../src/arena/object-words.ts';
import type { Handle } from '../../src/arena/objects.ts';
import { first } from '../../src/arena/queue.ts';
import { NEXT } from '../../src/arena/records.ts';
import { recheck } from '../../src/arena/repair.ts';
import { encodeHandle } from '../../src/sync/handles.ts';
import type { Lease } from '../../src/sync/lease.ts';
import { atOf } from '../../src/sync/shared-object.ts';
import { onOneNode } from '../support/one-node.ts';
import { root, until } from '../support/program.ts';
import type { Order } from './fault-actor.ts';
import { Actor, faultsOf, Program, within } from './fault-process.ts';
import { newObjects, type Objects, objectNames, type Scenario, scenarios } from './fault-scenarios.ts';
import { useAwaiting } from './fault-survivors.ts';

const program = new Program();
let survivor: Actor<Order>;
const covered = new Set<string>();

before(async () => {
  await program.build('test/arena/fault-actor.ts');
  agent();
  survivor = new Actor<Order>(program);
});

after(() => {
  survivor.child.kill('SIGKILL');
  program.remove();
});

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`${name}: the others live on, wherever it dies`, { timeout: 120_000, skip: onOneNode }, async () => {
    const list = join(program.folder, 'steps');
    rmSync(list, { force: true });
    await play(name, scenario, `list:${list}`);
    for (const fault of faultsOf(readFileSync(list, 'utf8').trim().split('\n'), covered)) {
      try {
        await play(name, scenario, fault);
      } catch (cause) {
        await survivor.kill();
        bury();
        survivor = new Actor<Order>(program);
        throw new Error(`killed at ${fault}`, { cause });
      }
    }
  });
}

/** Steps of what belongs to other tests: of data/ and channels/. */
const elsewhere = /^blocks\.|^queue\.insert/;

test('every step of the sources is passed in some scenario', { skip: onOneNode }, () => {
  const names = ['src/arena', 'src/sync'].flatMap((path) =>
    readdirSync(join(root, path)).flatMap((file) => {
      const text = readFileSync(join(root, path, file), 'utf8');
      return [...text.matchAll(/\bfault\(([^)]*'[^)]*)\)/g)].flatMap(([, inner = '']) =>
        [...inner.matchAll(/'([^']+)'/g)].map(([, step = '']) => step),
      );
    }),
  );
  assert.ok(names.length > 20);
  assert.deepEqual(
    [...new Set(names)].filter((step) => !covered.has(step) && !elsewhere.test(step)),
    [],
  );
});

async function play(name: string, scenario: Scenario, fault: string): Promise<void> {
  const objects = newObjects();
  const handles = objectNames.map((of) => encodeHandle(objects[of]) as Handle);
  const at = atOf(objects[scenario.about]);
  const victim = new Actor<Order>(program, fault);
  const corpse =
    scenario.corpse && new Actor<Order>(program, scenario.corpse.dies === 'at rest' ? undefined : scenario.corpse.dies);
  try {
    await victim.order({ kind: 'prepare', scenario: name, handles });
    if (corpse !== undefined) await corpse.order({ kind: 'prepare', scenario: scenario.corpse!.scenario, handles });
    const own = scenario.heldForMs === undefined ? undefined : await holdIt(scenario, objects);
    if (scenario.corpse?.dies === 'at rest') await endAtRest(corpse!, scenario, handles);
    const waits = await startWaiters(scenario, objects, handles);
    if (corpse !== undefined && !corpse.hasEnded) {
      corpse.child.send({ kind: 'go', scenario: scenario.corpse!.scenario } satisfies Order);
      await corpse.ended;
    }
    if (scenario.isFull) takeAllSlots(victim);
    const going = victim.order({ kind: 'go', scenario: name });
    if (own !== undefined) {
      const queued = waits.length + 1;
      await until(() => victim.hasEnded || lengthOf(at) >= queued || fault.startsWith('list'));
      await new Promise((resolve) => setTimeout(resolve, scenario.heldForMs));
      own.release();
    }
    await within(going, 'the victim');
    victim.child.kill('SIGKILL');
    await victim.ended;
    await finishFor(scenario, objects, waits);
    await checkWhole(scenario, objects, handles);
  } finally {
    victim.child.kill('SIGKILL');
    corpse?.child.kill('SIGKILL');
    await Promise.all([victim.ended, corpse?.ended]);
  }
  bury();
  assert.equal(deadSlots().length, 0);
  assert.ok(liveSlots().length <= 2, `${liveSlots().length} agents are left`);
}

async function endAtRest(corpse: Actor<Order>, scenario: Scenario, handles: readonly Handle[]): Promise<void> {
  await corpse.order({ kind: 'prepare', scenario: scenario.corpse!.scenario, handles });
  await corpse.order({ kind: 'go', scenario: scenario.corpse!.scenario });
  corpse.child.kill('SIGKILL');
  await corpse.ended;
}

/** The test itself is the holder. */
async function holdIt(scenario: Scenario, objects: Objects): Promise<Lease> {
  return (objects[scenario.about] as Objects['lock']).acquire();
}

interface Wait {
  readonly done: Promise<unknown>;
  isDone: boolean;
}

async function startWaiters(scenario: Scenario, objects: Objects, handles: readonly Handle[]): Promise<Wait[]> {
  const waits: Wait[] = [];
  const at = atOf(objects[scenario.about]);
  for (const mode of scenario.waiters ?? []) {
    const done =
      mode === 'awaiting'
        ? useAwaiting(scenario.about, objects)
        : survivor.order({ kind: 'use', about: scenario.about, handles });
    const wait: Wait = { done, isDone: false };
    const settle = (): void => {
      wait.isDone = true;
    };
    done.then(settle, settle);
    waits.push(wait);
    await until(() => wait.isDone || lengthOf(at) === waits.filter(({ isDone }) => !isDone).length);
  }
  return waits;
}

/** What the victim did not come to do, the test does; then all are served. */
async function finishFor(scenario: Scenario, objects: Objects, waits: readonly Wait[]): Promise<void> {
  if (scenario.about === 'event') objects.event.set();
  // The victim's permit may have died with it.
  if (scenario.about === 'semaphore' && scenario.heldForMs === undefined) objects.semaphore.release();
  if (scenario.about === 'condition') {
    await within(objects.condition.acquire(), 'the lock of the condition');
    objects.condition.notifyAll();
    objects.condition.release();
  }
  if (scenario.about === 'barrier' && waits.length > 0) {
    const all = Promise.all(waits.map(({ done }) => done));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 300))]);
    // It died before it was there, and others must come in its place.
    if (waits.some(({ isDone }) => !isDone)) {
      const missing = objects.barrier.parties - objects.barrier.waiting;
      await within(Promise.all(Array.from({ length: missing }, () => useAwaiting('barrier', objects))), 'the barrier');
    }
  }
  await within(Promise.all(waits.map(({ done }) => done)), 'those who waited');
}

async function checkWhole(scenario: Scenario, objects: Objects, handles: readonly Handle[]): Promise<void> {
  const { about } = scenario;
  const at = atOf(objects[about]);
  const { words } = memory();
  // Used once more, by both.
  if (about === 'lock' || about === 'rlock') {
    await within(useAwaiting(about, objects), 'a further acquire');
    await within(survivor.order({ kind: 'use', about, handles }), 'a further acquire elsewhere');
    assert.ok(Atomics.load(words, at + STATE) <= 1, 'the lock is free');
    objects[about].tryAcquire()!.release();
  } else if (about === 'semaphore') {
    await within(useAwaiting(about, objects), 'a further acquire');
    const { value } = objects.semaphore;
    // Of a unit that died the permit is gone; those of the others, and none else, are there.
    assert.ok(scenario.heldForMs === undefined ? value === 1 || value === 2 : value <= 1, `${value} permits`);
    if (value > 0) objects.semaphore.tryAcquire()!.release();
  } else if (about === 'barrier') {
    objects.barrier.reset();
    const indexes = Promise.all([1, 2, 3].map(() => objects.barrier.wait()));
    assert.deepEqual(await within(indexes, 'a further round'), [0, 1, 2]);
  }
  // Whoever comes next has the guards of the dead.
  recheck(at);
  free(allocate(1), 1);
  for (const guard of [at + GUARD, HEAP_GUARD]) assert.equal(Atomics.load(words, guard), 0, 'the guards are free');
  assert.equal(first(at), 0, 'the queue is empty');
}

function lengthOf(at: number): number {
  let length = 0;
  for (let record = first(at); record !== 0 && length < 100; record = Atomics.load(memory().words, record + NEXT))
    length++;
  return length;
}

/** In each free slot somebody who has died. */
function takeAllSlots({ child }: Actor<Order>): void {
  const { words } = memory();
  assert.ok(child.pid);
  const nobody = 2 ** 22; // above every pid
  for (let i = 0; i < AGENT_COUNT - 1; i++) Atomics.compareExchange(words, AGENTS + i * AGENT_WORDS + PID, 0, nobody);
}
