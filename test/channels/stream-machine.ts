/**
 * One queue in the machine of test/arena/fake-machine.ts, and what must hold of it in the end. The agents run src/channels
 * as it stands, with errands, passing and segments, over src/arena with its burials.
 *
 * Written again here: the heap, and the holds of objects (counts, one step each); packing (a message is a number, and refers to
 * an object); `wait` and `waitSync` of sync/waiting.ts, without reasons and signals; in fake-machine.ts, the event loop.
 */

import assert from 'node:assert/strict';
import { slotOf } from '../../src/arena/agents.ts';
import { GUARD, HEAD, KIND, OBJECT_WORDS, OWN, REFERENCES, STATE, TAIL } from '../../src/arena/object-words.ts';
import { OBJECT, STATUS, statuses } from '../../src/arena/records.ts';
import { GET_GUARD, PUT_GUARD, passages } from '../../src/channels/stream-words.ts';
import {
  type Agent,
  compile,
  complete,
  Machine,
  of,
  recordsModule,
  type Steps,
  waitsModule,
} from '../arena/fake-machine.ts';

/** Written once, before others look. */
const constant = /^word$|\+ (KIND|OWNER|MODE|ITEMS_MAX|UNITS_MAX|UNIT_BYTES|BODY|STREAM|PASSAGE|GATES \+ passage)$/;
const modules = [
  { path: 'arena/guard', state: ['depth', 'calls'] },
  recordsModule,
  { path: 'arena/repair' },
  { path: 'arena/queue' },
  { path: 'arena/death' },
  waitsModule,
  { path: 'channels/gate' },
  { path: 'channels/segment' },
  { path: 'channels/stream-words' },
  { path: 'channels/stream' },
  { path: 'channels/passing', state: ['youngest', 'inRow'] },
  {
    path: 'channels/errands',
    only: ['SPINS', 'Putting', 'Taking', 'Looking', 'isReadable', 'processors', 'spinForMessage'],
  },
];
const program = compile(modules.map((module) => ({ ...module, constant })));

const RECORD_WORDS = 16;
/** As generator-source.ts makes them. */
const SLAB_WORDS = 64;
/** Of a gate. */
const NUDGED = OWN + 2;
/** In the place of whatever was freed. */
const GARBAGE = -77;

/** What an agent did and was told, in the order in which it happened. */
export interface Account {
  readonly put: number[];
  readonly got: number[];
  /** What it is about to put, or to take. */
  readonly putting: Set<number>;
  getting: number;
  /** Whether it was told that nothing more will come. */
  sawEnd: boolean;
}

export class StreamMachine {
  readonly machine: Machine;
  readonly accounts: Map<Agent, Account> = new Map();
  /** How many segments there is memory for. */
  segmentsMax: number = Number.POSITIVE_INFINITY;
  body = 0;
  /** What each message refers to. */
  referred = 0;
  #gates: readonly number[] = [];
  readonly #chunks = new Set<number>();
  /** Slots of agents. */
  readonly #buried = new Set<number>();
  /** Owners who hold `referred`, and who are about to let go of a reference that they have taken out. */
  readonly #holders = new Set<number>();
  readonly #dropping = new Set<number>();

  constructor(count: number) {
    this.machine = new Machine(program, count, (agent, machine) => this.#stubs(agent, machine));
  }

  /** A new queue, and agents that did nothing yet. */
  reset(maxItems: number | undefined): void {
    const { machine } = this;
    machine.reset();
    for (const one of [this.#chunks, this.#buried, this.#holders, this.#dropping]) one.clear();
    for (const agent of machine.agents)
      this.accounts.set(agent, { put: [], got: [], putting: new Set(), getting: 0, sawEnd: false });
    const call = (name: string, ...inputs: unknown[]): number =>
      complete(of(machine.agents[0]!, 'stream-words', name)(...inputs)) as number;
    this.body = call('bodyOf', call('createStream', { maxItems }));
    this.#gates = Object.values(passages).map((passage) => call('gateOf', this.body, passage));
    this.referred = machine.allocate(OBJECT_WORDS);
    machine.words[this.referred + REFERENCES] = 1;
  }

  #stubs(agent: Agent, machine: Machine): object {
    return {
      ...this.#clock(agent),
      ...this.#burial(machine),
      ...this.#objects(agent, machine),
      ...this.#chunk(machine),
    };
  }

  #clock(agent: Agent): object {
    return {
      nowMs: () => 1000 + agent.nowMs,
      cpuCount: () => 2,
      deadlineOf: (options: { timeoutMs?: number } | undefined) =>
        agent.nowMs + (options?.timeoutMs ?? Number.POSITIVE_INFINITY),
      throwIfGivenUp: nothing,
      wait: (record: number, _reason: string, deadline: number) => agent.park(record, deadline),
      *waitSync(record: number, _reason: string, deadline: number): Steps {
        const status = yield* of(agent, 'waits', 'sleepOn')(record, deadline);
        if (status !== statuses.parked) return status;
        if (yield* of(agent, 'waits', 'withdraw')(record)) return statuses.cancelled;
        return yield* of(agent, 'waits', 'sleepOn')(record, Number.POSITIVE_INFINITY);
      },
    };
  }

  #burial(machine: Machine): object {
    const slots = (isAlive: boolean): { at: number; owner: number }[] =>
      machine.agents.filter((one) => one.isAlive === isAlive).map(({ owner }) => ({ at: slotOf(owner), owner }));
    return {
      deadSlots: () => slots(false).filter(({ at }) => !this.#buried.has(at)),
      liveSlots: () => slots(true).map(({ at }) => at),
      freeSlot: (at: number) => this.#buried.add(at),
      free: () => {},
      *waitedForAt(words: Int32Array, slab: number, wanted: (status: number) => Steps<boolean>): Steps<number[]> {
        const objects: number[] = [];
        for (let at = slab + RECORD_WORDS; at < slab + SLAB_WORDS; at += RECORD_WORDS) {
          yield;
          if (complete(wanted(words[at + STATUS]!))) objects.push(words[at + OBJECT]!);
        }
        return objects;
      },
    };
  }

  #objects(agent: Agent, machine: Machine): object {
    const { words, allocate } = machine;
    const dropping = this.#dropping;
    const count = function* (at: number, change: number): Steps<boolean> {
      yield;
      words[at + REFERENCES]! += change;
      return true;
    };
    const changeHolder = function* (
      holders: Set<number>,
      change: 'add' | 'delete',
      owner: number,
      at: number,
    ): Steps<void> {
      yield;
      const before = holders.size;
      holders[change](owner);
      words[at + REFERENCES]! += holders.size - before;
    };
    return {
      createPart: (kind: number) => {
        const at = allocate(OBJECT_WORDS);
        words[at + KIND] = kind;
        words[at + REFERENCES] = 1;
        return at;
      },
      registerDispose: nothing,
      registerDoubt: nothing,
      retain: (at: number) => count(at, 1),
      retainIfThere: (at: number) => count(at, 1),
      *drop(at: number): Steps<void> {
        dropping.add(agent.owner);
        yield* count(at, -1);
        dropping.delete(agent.owner);
      },
      hold: (at: number) => changeHolder(this.#holders, 'add', agent.owner, at),
      releaseTable: () => changeHolder(this.#holders, 'delete', machine.agents[0]!.owner, this.referred),
    };
  }

  #chunk({ words, allocate }: Machine): object {
    return {
      allocateWarmChunk: (sizeBytes: number) => {
        if (this.#chunks.size >= this.segmentsMax) throw new OutOfMemory();
        const chunk = allocate(sizeBytes / 4);
        this.#chunks.add(chunk);
        return chunk;
      },
      freeWarmChunk: (chunk: number, sizeBytes: number) => {
        assert.ok(this.#chunks.delete(chunk), 'a segment is freed once');
        words.fill(GARBAGE, chunk, chunk + sizeBytes / 4);
      },
      byteOfChunk: (chunk: number) => {
        assert.ok(this.#chunks.has(chunk), 'a segment is read while it is there');
        return chunk * 4;
      },
      wordsAt: (byte: number, length: number) => words.subarray(byte / 4, byte / 4 + length),
      bytesAt: (byte: number, length: number) => new Uint8Array(words.buffer as ArrayBuffer, byte, length),
      readStored,
      isOutOfMemory: (error: unknown) => error instanceof OutOfMemory,
    };
  }

  /** Everybody has ended: one of those who live finds all in order. */
  check(): void {
    const { words, agents } = this.machine;
    const living = agents.at(-1)!;
    const dead = agents.find(({ isAlive }) => !isAlive);
    if (dead !== undefined) this.#bury(living);
    for (const [i, gate] of this.#gates.entries()) {
      for (const [name, word] of Object.entries({ HEAD, TAIL, GUARD, STATE, NUDGED }))
        assert.equal(words[gate + word], 0, `${name} of the gate to ${Object.keys(passages)[i]}`);
    }
    const left = this.#drain(living);
    for (const word of [PUT_GUARD, GET_GUARD]) assert.equal(words[this.body + word], 0, 'the guards are free');
    this.#checkItems(left, dead);
    this.#checkReferences(dead);
    assert.ok(this.#chunks.size <= (dead === undefined ? 1 : 2), `${this.#chunks.size} segments`);
  }

  #checkReferences(dead: Agent | undefined): void {
    const lost = this.machine.words[this.referred + REFERENCES]! - 1 - this.#holders.size;
    // What a death may lose: a reference that was just counted for a message, or taken out of it.
    const isOfDead =
      dead !== undefined && (this.accounts.get(dead)!.putting.size > 0 || this.#dropping.has(dead.owner));
    assert.ok(lost === 0 || (lost === 1 && isOfDead), `${lost} references too many`);
  }

  /** What is half done under a guard is repaired by the next to take it; all the rest a burial must do. */
  #bury(living: Agent): void {
    complete(of(living, 'death', 'bury')());
    for (const gate of this.#gates) complete(of(living, 'repair', 'exclusively')(gate, nothing));
    complete(of(living, 'guard', 'guarded')(this.body + PUT_GUARD, nothing, nothing));
  }

  #drain(living: Agent): number[] {
    const stream = streamOf(living, this.body);
    const items: number[] = [];
    for (;;) {
      const item = complete(stream.take(readStored));
      if (typeof item !== 'number') {
        // An empty one is not looked into: what a dead one left is let go by who takes next, or lets go of all.
        complete(stream.discardAll(false));
        return items;
      }
      items.push(item);
    }
  }

  #checkItems(left: readonly number[], dead: Agent | undefined): void {
    const accounts = [...this.accounts.values()];
    const seen = [...accounts.flatMap(({ got }) => got), ...left];
    assert.equal(new Set(seen).size, seen.length, `none comes twice: ${seen.join(' ')}`);
    assert.ok(left.length === 0 || !accounts.some(({ sawEnd }) => sawEnd), 'the end comes behind all items');
    const lost = accounts.flatMap(({ put }) => put).filter((item) => !seen.includes(item));
    // It may have taken one, and have died before it could say so.
    const mayBeLost = dead === undefined ? 0 : this.accounts.get(dead)!.getting;
    assert.ok(lost.length <= mayBeLost, `lost: ${lost.join(' ')}`);
    const known = new Set(accounts.flatMap(({ put, putting }) => [...put, ...putting]));
    for (const item of seen) assert.ok(known.has(item), `${item} was put`);
    for (const { got } of [...accounts, { got: left }]) {
      for (const producer of new Set(got.map(producerOf))) {
        const items = got.filter((item) => producerOf(item) === producer);
        assert.deepEqual(
          items,
          items.toSorted((a, b) => a - b),
          'in the order of each producer',
        );
      }
    }
  }
}

export class OutOfMemory extends Error {}

interface FakeStream {
  take(read: typeof readStored): Steps;
  discardAll(isLast: boolean): Steps;
}

/** The stream as an agent has it. */
export function streamOf(agent: Agent, body: number): FakeStream {
  return new (agent.calls.stream!.Stream as new (body: number) => FakeStream)(body);
}

/** Items are numbered by who puts them. */
export const ITEMS_OF_EACH = 100;

function producerOf(item: number): number {
  return Math.floor(item / ITEMS_OF_EACH);
}

function* readStored(message: { copyTo(target: Uint8Array): Steps }): Steps<number> {
  const item = new Int32Array(1);
  yield* message.copyTo(new Uint8Array(item.buffer));
  return item[0]!;
}

function* nothing(): Steps<void> {}
