/**
 * Exhaustive interleaving of queues: the code of src/channels as it stands (gate, stream-words, stream, segment, passing,
 * errands), over that of src/arena (guards, records, queues of waiters, waits, repair, burial), in every order of steps with
 * at most so many preemptions (../arena/schedules.ts); where a scenario says so, with a death of the first agent at each of
 * its steps as well. What is written again for it: stream-machine.ts.
 *
 * Checked: no item is lost or comes twice; those of one producer keep their order; without a death nobody needs a timeout
 * to be served, with one at the latest the burial helps; each segment is freed once and not read later, each reference is
 * let go; in the end lines are empty, guards free, nobody is nudged, strict or parked.
 *
 * Covered: two agents with 2 or 3 preemptions, three and four with 1 or 2, with a death 0 or 1; some 70,000 schedules,
 * each scenario's number is printed. Not covered: two deaths, a death of who buries; memory in another order than the
 * steps'; limits in bytes; the ends of pipes; signals; messages in blocks; several messages in one segment; whether who
 * came first is served first, but for the coroutines of one agent.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Agent, of, type Steps } from '../arena/fake-machine.ts';
import { type Bounds, explore, type Play, USER_TIMEOUT_MS } from '../arena/schedules.ts';
import { onOneNode } from '../support/one-node.ts';
import { ITEMS_OF_EACH, OutOfMemory, StreamMachine, streamOf } from './stream-machine.ts';

class Closed extends Error {}

type Part = (agent: Agent, on: StreamMachine) => Steps;

interface Scenario extends Bounds {
  readonly parts: readonly Part[];
  readonly maxItems?: number;
  /** How many messages there is memory for. */
  readonly segmentsMax?: number;
}

/** What an awaiting part does in the event loop. */
const coroutinesOf = new Map<Part, Part>();
/** How an agent waits. */
type Way = 'blocks' | 'awaits';

const scenarios: Readonly<Record<string, Scenario>> = {
  'one puts, one gets': { parts: [puts(1), gets(1)], preemptions: 3 },
  'one puts, one gets, awaiting': { parts: [puts(1, 'awaits'), gets(1, 'awaits')], preemptions: 2 },
  'one puts two, one gets two': { parts: [puts(2), gets(2)], preemptions: 2 },
  'one puts two, one awaits two': { parts: [puts(2), gets(2, 'awaits')], preemptions: 2 },
  'one puts two, two get': { parts: [puts(2), gets(1), gets(1)], preemptions: 2 },
  'one puts two, one gets and one awaits': { parts: [puts(2), gets(1), gets(1, 'awaits')], preemptions: 1 },
  'two put, two get': { parts: [puts(1), puts(1), gets(1), gets(1)], preemptions: 1 },
  'one item of room, one puts two, one gets two': { parts: [puts(2), gets(2)], maxItems: 1, preemptions: 2 },
  'one item of room, two put, one gets two': { parts: [puts(1), puts(1), gets(2)], maxItems: 1, preemptions: 1 },
  'one item of room, two put and await, one gets two': {
    parts: [puts(1, 'awaits'), puts(1, 'awaits'), gets(2, 'awaits')],
    maxItems: 1,
    preemptions: 1,
  },
  'two items of room, one puts two, one puts one, one gets three': {
    parts: [puts(2), puts(1), gets(3)],
    maxItems: 2,
    preemptions: 1,
  },
  'one gives up to get, another does not': {
    parts: [gets(1, 'blocks', USER_TIMEOUT_MS), gets(1), puts(2)],
    preemptions: 1,
  },
  'one gives up to get, awaiting, another does not': {
    parts: [gets(1, 'awaits', USER_TIMEOUT_MS), gets(1, 'awaits'), puts(2)],
    preemptions: 1,
  },
  'one gives up to put, another does not': {
    parts: [inTurn(puts(1), puts(1, 'blocks', USER_TIMEOUT_MS)), puts(1), gets(2)],
    maxItems: 1,
    preemptions: 1,
  },
  'closed while one waits to get': { parts: [closes(), gets(1)], preemptions: 3 },
  'closed while one waits to get, awaiting': { parts: [closes(), gets(1, 'awaits')], preemptions: 3 },
  'closed while two wait to get one': { parts: [inTurn(puts(1), closes()), gets(1), gets(1)], preemptions: 1 },
  'closed while one waits to put': { parts: [puts(2), closes()], maxItems: 1, preemptions: 2 },
  'closed while one waits to put, awaiting': { parts: [puts(2, 'awaits'), closes()], maxItems: 1, preemptions: 2 },
  'memory for two, one puts three, one gets two': { parts: [puts(3), gets(2)], segmentsMax: 2, preemptions: 2 },
  'memory for two, one puts three, closed meanwhile': { parts: [puts(3), closes()], segmentsMax: 2, preemptions: 2 },
  'one looks, one gets': { parts: [looks(), gets(1), puts(2)], preemptions: 1 },
  'one looks, one gets, and it is closed': { parts: [looks(), gets(2), inTurn(puts(1), closes())], preemptions: 1 },
  'one agent waits to get twice': { parts: [together(gets(1, 'awaits'), gets(1, 'awaits')), puts(2)], preemptions: 2 },
  'one agent waits to get twice, another once': {
    parts: [together(gets(1, 'awaits'), gets(1, 'awaits')), puts(3), gets(1)],
    preemptions: 1,
  },
  'one agent waits to get twice, and comes too late': {
    parts: [together(deals(1, 'awaits'), deals(1, 'awaits')), puts(2), deals(2), inTurn(puts(1), joins(), puts(1))],
    preemptions: 0,
  },
  'one agent waits to get twice, and gives up the older': {
    parts: [together(gets(1, 'awaits', USER_TIMEOUT_MS), gets(1, 'awaits')), puts(2)],
    preemptions: 1,
  },
  'one agent waits to put three': {
    parts: [together(puts(1, 'awaits'), puts(1, 'awaits'), puts(1, 'awaits')), gets(3)],
    maxItems: 1,
    preemptions: 1,
  },
  'one agent waits to get and looks': { parts: [together(looks(), gets(1, 'awaits')), puts(2)], preemptions: 1 },
  'one joins, one deals': { parts: [inTurn(puts(2), joins()), deals(2)], preemptions: 2 },
  'one of two who put dies': { parts: [puts(1), puts(1), gets(1)], preemptions: 0, withDeath: true },
  'one of two who put dies, others await': {
    parts: [puts(1, 'awaits'), puts(1, 'awaits'), gets(1, 'awaits')],
    preemptions: 0,
    withDeath: true,
  },
  'one of two who wait to put dies': {
    parts: [puts(1), puts(1), gets(1)],
    maxItems: 1,
    preemptions: 0,
    withDeath: true,
  },
  'one of two who get dies': { parts: [gets(1), gets(1), puts(2)], preemptions: 0, withDeath: true },
  'one of two who await to get dies': {
    parts: [gets(1, 'awaits'), gets(1, 'awaits'), puts(2)],
    preemptions: 0,
    withDeath: true,
  },
  'one that waits to get twice dies': {
    parts: [together(gets(1, 'awaits'), gets(1, 'awaits')), gets(1), puts(3)],
    preemptions: 0,
    withDeath: true,
  },
  'one that gives up to get dies': {
    parts: [gets(1, 'blocks', USER_TIMEOUT_MS), gets(1), puts(2)],
    preemptions: 0,
    withDeath: true,
  },
  'one that looks dies': { parts: [looks(), gets(1), puts(2)], preemptions: 0, withDeath: true },
  'one that closes dies': { parts: [closes(), gets(1), closes()], preemptions: 0, withDeath: true },
  'one item of room, one that gets dies': {
    parts: [gets(1), gets(1), puts(2)],
    maxItems: 1,
    preemptions: 0,
    withDeath: true,
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`${name}: right in every order of steps`, { skip: onOneNode }, (context) => {
    const on = new StreamMachine(scenario.parts.length);
    context.diagnostic(`${explore(() => start(scenario, on), scenario)} schedules`);
  });
}

const owner = { isLetGo: false, closedError: (): Error => new Closed() };

function start({ parts, maxItems, segmentsMax = Number.POSITIVE_INFINITY }: Scenario, on: StreamMachine): Play {
  on.segmentsMax = segmentsMax;
  on.reset(maxItems);
  const { agents } = on.machine;
  return { agents, parts: parts.map((part, i) => part(agents[i]!, on)), check: () => on.check() };
}

/** Puts so many items, one after the other, until the queue is closed. */
function puts(count: number, way: Way = 'blocks', timeoutMs?: number): Part {
  return inWay(way, function* (agent, on) {
    const account = on.accounts.get(agent)!;
    for (let i = 0; i < count; i++) {
      const item = (on.machine.agents.indexOf(agent) + 1) * ITEMS_OF_EACH + account.put.length + account.putting.size;
      account.putting.add(item);
      const message = {
        form: 0,
        bytes: new Uint8Array(Int32Array.of(item).buffer),
        start: 0,
        length: 4,
        sizeBytes: 4,
        references: [on.referred],
        blockCount: 0,
        stage: () => {},
        keep: () => {},
        settle: () => {},
      };
      const result = yield* passes(
        way,
        agent,
        errand(agent, 'Putting', streamOf(agent, on.body), message),
        nothing,
        timeoutMs,
      );
      if (result === true) account.put.push(item);
      account.putting.delete(item);
      if (result === 'closed') return;
    }
  });
}

/** Takes so many items, one after the other, until the queue is closed. */
function gets(count: number, way: Way = 'blocks', timeoutMs?: number): Part {
  return inWay(way, function* (agent, on) {
    const account = on.accounts.get(agent)!;
    const stream = streamOf(agent, on.body);
    const spin = (): Steps => of(agent, 'errands', 'spinForMessage')(on.body);
    for (let i = 0; i < count; i++) {
      account.getting++;
      const result = yield* passes(way, agent, errand(agent, 'Taking', stream, asItIs), spin, timeoutMs);
      if (typeof result === 'number') account.got.push(result);
      account.getting--;
      if (result === 'closed') {
        account.sawEnd = true;
        return;
      }
    }
  });
}

/** Waits until there is something to get. */
function looks(): Part {
  return inWay('awaits', function* (agent, on) {
    yield* passes('awaits', agent, errand(agent, 'Looking', streamOf(agent, on.body)), nothing);
  });
}

function closes(): Part {
  return (agent, on) => of(agent, 'stream-words', 'closeStream')(on.body, 'writer');
}

/** Says of so many items, which it takes, that they are dealt with. */
function deals(count: number, way: Way = 'blocks'): Part {
  const takes = gets(1, way);
  return inWay(way, function* (agent, on) {
    for (let i = 0; i < count; i++) {
      yield* (coroutinesOf.get(takes) ?? takes)(agent, on);
      assert.equal(yield* of(agent, 'stream-words', 'markDone')(on.body), true);
    }
  });
}

/** Waits until all items are dealt with. */
function joins(): Part {
  return inWay('awaits', function* (agent, on) {
    const gate = yield* of(agent, 'stream-words', 'gateOf')(on.body, 2);
    const isDone = (): Steps => of(agent, 'stream-words', 'isAllDone')(on.body);
    const { notYet } = agent.calls.passing!;
    yield* passes(
      'awaits',
      agent,
      {
        gate,
        isLooking: true,
        reason: nothing,
        // biome-ignore lint/correctness/useYield: called by what has become generators.
        *wanted(): Steps<number> {
          return 1;
        },
        *attempt(): Steps {
          return (yield* isDone()) ? true : notYet;
        },
      },
      nothing,
    );
    assert.equal(yield* isDone(), true);
  });
}

/** One after the other. */
function inTurn(...parts: Part[]): Part {
  return function* (agent, on) {
    for (const part of parts) yield* part(agent, on);
  };
}

/** Coroutines of one agent; each of `parts` awaits. */
function together(...parts: Part[]): Part {
  return (agent, on) => agent.loop(...parts.map((part) => coroutinesOf.get(part)!(agent, on)));
}

function inWay(way: Way, part: Part): Part {
  if (way === 'blocks') return part;
  const looped: Part = (agent, on) => agent.loop(part(agent, on));
  coroutinesOf.set(looped, part);
  return looped;
}

function errand(agent: Agent, name: string, ...inputs: unknown[]): unknown {
  return new (agent.calls.errands![name] as new (...inputs: unknown[]) => unknown)(owner, ...inputs);
}

function* passes(way: Way, agent: Agent, one: unknown, spin: () => Steps, timeoutMs?: number): Steps {
  const options = timeoutMs === undefined ? undefined : { timeoutMs };
  try {
    const { notYet } = agent.calls.passing!;
    const result = yield* of(agent, 'passing', way === 'awaits' ? 'tryPass' : 'tryPassSync')(one);
    if (result !== notYet) return result;
    if (way === 'awaits') return yield* of(agent, 'passing', 'pass')(one, options);
    yield* spin();
    return yield* of(agent, 'passing', 'passSync')(one, options);
  } catch (error) {
    if (error instanceof Closed) return 'closed';
    // Of an empty queue, while the last one to get still lets go of what it got.
    if (error instanceof OutOfMemory) return 'none';
    throw error;
  }
}

// biome-ignore lint/correctness/useYield: called by what has become generators.
function* asItIs(incoming: unknown): Steps {
  return incoming;
}

function* nothing(): Steps<void> {}
