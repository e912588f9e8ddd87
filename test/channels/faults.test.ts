/**
 * Death at any instruction, in queues and pipes: each scenario is played with its victim killed at each passing of each
 * numbered step. The others must be served, no item of a living producer may be lost or come twice, but those that the
 * victim had taken; its own items must come in order, without a gap; and everything must be whole.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { agent, deadSlots, liveSlots } from '../../src/arena/agents.ts';
import { bury } from '../../src/arena/death.ts';
import { memory } from '../../src/arena/memory.ts';
import { GUARD, OWN } from '../../src/arena/object-words.ts';
import type { Handle } from '../../src/arena/objects.ts';
import { first } from '../../src/arena/queue.ts';
import { NEXT } from '../../src/arena/records.ts';
import { recheck } from '../../src/arena/repair.ts';
import { bodyOf, GET_GUARD, gateOf, PUT_GUARD, passages, sizeOf } from '../../src/channels/stream-words.ts';
import { wait } from '../../src/channels/wait.ts';
import { ClosedError } from '../../src/errors.ts';
import { encodeHandle } from '../../src/sync/handles.ts';
import { atOf } from '../../src/sync/shared-object.ts';
import { Actor, faultsOf, Program, within } from '../arena/fault-process.ts';
import { onOneNode } from '../support/one-node.ts';
import { root, until } from '../support/program.ts';
import type { Order } from './fault-actor.ts';
import { newObjects, type Objects, objectNames, type Scenario, scenarios } from './fault-scenarios.ts';

const program = new Program();
let survivor: Actor<Order>;
const covered = new Set<string>();

before(async () => {
  await program.build('test/channels/fault-actor.ts');
  agent();
  survivor = new Actor(program);
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
        survivor = new Actor(program);
        throw new Error(`killed at ${fault}`, { cause });
      }
    }
  });
}

test('every step of queues and pipes is passed in some scenario', { skip: onOneNode }, () => {
  const names = readdirSync(join(root, 'src/channels')).flatMap((file) => {
    const text = readFileSync(join(root, 'src/channels', file), 'utf8');
    return [...text.matchAll(/\bfault\('([^']+)'\)/g)].map(([, step = '']) => step);
  });
  assert.ok(names.length > 5);
  assert.deepEqual(
    [...names, 'queue.insert', 'queue.inserted'].filter((step) => !covered.has(step)),
    [],
  );
});

/** One run, and what came out of it. */
class Round {
  readonly scenario: Scenario;
  readonly objects: Objects = newObjects();
  readonly handles: readonly Handle[] = objectNames.map((of) => encodeHandle(this.objects[of]) as Handle);
  readonly put: string[] = [];
  readonly got: string[] = [];
  readonly waits: Promise<void>[] = [];
  #isClosed = false;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
  }

  /** The stream that items come out of, and the one that the test puts them into. */
  get incoming(): number {
    const { about } = this.scenario;
    return bodyOf(memory().words[atOf(about === 'pipe' ? this.objects.near : this.objects[about]) + OWN]!);
  }

  get outgoing(): number {
    const { about } = this.scenario;
    return about === 'pipe' ? bodyOf(memory().words[atOf(this.objects.near) + OWN + 1]!) : this.incoming;
  }

  get size(): number {
    return sizeOf(this.incoming);
  }

  async putItem(): Promise<void> {
    const item = `test ${this.put.length}`;
    this.put.push(item);
    const { about } = this.scenario;
    await (about === 'pipe' ? this.objects.near.send(item) : this.objects[about].put(item)).catch((error) => {
      // Its only holder besides the test was the victim, or it was closed by it.
      this.unlessClosed(error);
      this.put.splice(this.put.indexOf(item), 1);
    });
  }

  async getItem(): Promise<void> {
    const { about } = this.scenario;
    const item = about === 'pipe' ? this.objects.near.recv() : this.objects[about].get();
    await item.then(
      (value) => this.got.push(typeof value === 'string' ? value : 'large'),
      (error) => this.unlessClosed(error),
    );
  }

  unlessClosed(error: unknown): void {
    if (!(error instanceof ClosedError)) throw error;
    this.#isClosed = true;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Starts a wait, and returns once it stands in the line. */
  async startWait(kind: string): Promise<void> {
    const isGet = !kind.startsWith('putting');
    const gate = gateOf(isGet ? this.incoming : this.outgoing, isGet ? passages.get : passages.put);
    const already = lengthOf(gate);
    this.waits.push(this.#wait(kind));
    await until(() => lengthOf(gate) > already);
  }

  async #wait(kind: string): Promise<void> {
    const { handles } = this;
    const about = this.scenario.about === 'pipe' ? 'near' : this.scenario.about;
    if (kind === 'getting') await this.getItem();
    else if (kind === 'putting') await this.putItem();
    else if (kind === 'looking') await wait([this.objects[about]]);
    else if (kind === 'putting, blocking') {
      const item = `test ${this.put.length}`;
      this.put.push(item);
      await survivor.order({ kind: 'put', about: about as 'small', item, handles });
    } else {
      const report = await survivor.order({ kind: 'get', about, handles });
      this.got.push((report as { got: string }).got);
    }
  }
}

async function play(name: string, scenario: Scenario, fault: string): Promise<void> {
  const round = new Round(scenario);
  const { objects, handles } = round;
  const victim = new Actor<Order>(program, fault);
  try {
    await victim.order({ kind: 'prepare', scenario: name, handles });
    for (let i = 0; i < (scenario.before ?? 0); i++) await round.putItem();
    // From here on the other end is the victim's alone.
    if (scenario.about === 'pipe') objects.far.close();
    for (const kind of scenario.waiters ?? []) await round.startWait(kind);
    const standing = lengthOf(gateOf(round.incoming, passages.get));
    const going = victim.order({ kind: 'go', scenario: name, handles });
    if (scenario.meanwhile !== undefined) {
      await until(() => victim.hasEnded || lengthOf(gateOf(round.incoming, passages.get)) > standing);
      for (let i = 0; i < scenario.meanwhile; i++) await round.putItem();
    }
    if (name.startsWith('room waited for')) {
      const line = gateOf(round.outgoing, passages.put);
      await until(() => victim.hasEnded || lengthOf(line) > (scenario.waiters ?? []).length);
      for (let i = 0; i < 3; i++) {
        await until(() => victim.hasEnded || round.size > 0);
        if (round.size > 0) await within(round.getItem(), 'an item');
      }
    }
    await within(going, 'the victim');
    await victim.kill();
    await finish(round);
    await checkWhole(round);
  } finally {
    await victim.kill();
  }
  bury();
  assert.equal(deadSlots().length, 0);
  assert.ok(liveSlots().length <= 2, `${liveSlots().length} agents are left`);
}

/** Those who wait are served; then everything that is left comes out. */
async function finish(round: Round): Promise<void> {
  const { objects, scenario } = round;
  let areDone = false;
  const all = Promise.all(round.waits).then(() => {
    areDone = true;
  });
  const deadline = performance.now() + 5_000;
  while (!areDone && performance.now() < deadline) {
    if (scenario.about === 'queue' && lengthOf(gateOf(round.incoming, passages.get)) > 0) await round.putItem();
    if (scenario.about === 'small' && round.size > 0) await round.getItem();
    await new Promise(setImmediate);
  }
  await within(all, 'those who waited');
  if (scenario.about === 'pipe') {
    while (!round.isClosed) await within(round.getItem(), 'what is left, or the end of the victim');
    return;
  }
  const queue = objects[scenario.about];
  if (!round.isClosed && !queue.isFull) await within(round.putItem(), 'a further put');
  for (;;) {
    try {
      const item = queue.tryGet();
      if (item === undefined) return;
      round.got.push(typeof item.value === 'string' ? item.value : 'large');
    } catch (error) {
      round.unlessClosed(error);
      return;
    }
  }
}

async function checkWhole(round: Round): Promise<void> {
  const { got, put, scenario } = round;
  assert.equal(new Set(got.filter((item) => item !== 'large')).size, got.filter((item) => item !== 'large').length);
  const missing = scenario.about === 'pipe' ? [] : put.filter((item) => !got.includes(item));
  assert.ok(missing.length <= (scenario.mayTake ?? 0), `lost: ${missing.join(', ')} of ${put.join(', ')}`);
  const ofVictim = got.filter((item) => /^victim \d/.test(item));
  if ((scenario.mayTake ?? 0) === 0 || scenario.about === 'pipe') {
    assert.deepEqual(
      ofVictim.toSorted(),
      ofVictim.map((_, i) => `victim ${i}`),
      'without a gap',
    );
  }
  const { words } = memory();
  const bodies = [...new Set([round.incoming, round.outgoing])];
  for (const body of bodies) {
    for (const passage of Object.values(passages)) {
      const gate = gateOf(body, passage);
      recheck(gate);
      assert.equal(words[gate + GUARD], 0, 'the guards of the gates are free');
      assert.equal(first(gate), 0, 'the lines are empty');
    }
  }
  if (scenario.about !== 'pipe' && !round.isClosed) {
    // Whoever comes next has the guards of the dead.
    const queue = round.objects[scenario.about];
    await within(queue.put('last'), 'a further put');
    assert.equal(await within(queue.get(), 'a further get'), 'last');
    assert.equal(queue.size, 0);
    for (const guard of [PUT_GUARD, GET_GUARD]) assert.equal(words[round.incoming + guard], 0, 'the guards are free');
  }
}

function lengthOf(at: number): number {
  let length = 0;
  for (let record = first(at); record !== 0 && length < 100; record = Atomics.load(memory().words, record + NEXT))
    length++;
  return length;
}
