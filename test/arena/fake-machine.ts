/**
 * A machine of generators: sources of src, as they are, with a pause in front of each access to shared memory, so that a
 * test decides which agent makes the next step. How they become generators: generator-source.ts.
 *
 * A test says which modules it wants; whatever these import from others is a stub: agents, clock, doorbell, heap and futex
 * here, the rest by the test.
 */

import * as agents from '../../src/arena/agents.ts';
import * as layout from '../../src/arena/layout.ts';
import * as objectWords from '../../src/arena/object-words.ts';
import { type Module, Source } from './generator-source.ts';

export type Steps<T = unknown> = Generator<unknown, T, unknown>;
type Stepping = (...args: never[]) => Steps;

/** What one agent runs; compiled once, and set up for each agent. */
export type Program = (stubs: object, known: object) => Steps;

export const recordsModule: Module = { path: 'arena/records', state: ['unused'] };

/** What of waits.ts needs no event loop. */
export const waitsModule: Module = {
  path: 'arena/waits',
  state: ['pending', 'unchecked', 'keeping', 'isDrainPlanned'],
  only: [
    'pending',
    'unchecked',
    'keeping',
    'doorbell',
    'timer',
    'isDrainPlanned',
    'RECHECK_MS',
    'sleepOn',
    'withdraw',
    'drainSoon',
    'arm',
  ].concat(['drain', 'settle', 'lookAround', 'isUnannounced']),
};

export interface Blocked {
  readonly index: number;
  readonly timeoutMs: number;
}

/** The words that agents share, and who of them lives. */
export class Machine {
  readonly words: Int32Array = new Int32Array(4096);
  readonly object = 256;
  readonly agents: Agent[] = [];
  #heap = HEAP;

  /** @param stubs - beside those of this file, or in their place. */
  constructor(program: Program, count: number, stubs: (agent: Agent, machine: Machine) => object) {
    for (let i = 0; i < count; i++) this.agents.push(new Agent(this, i, program, stubs));
  }

  /** As it was at the start: to make all anew for each schedule would be most of the work. */
  reset(): void {
    this.words.fill(0);
    this.#heap = HEAP;
    for (const agent of this.agents) agent.reset();
  }

  allocate = (count: number): number => {
    const at = this.#heap;
    this.#heap += count;
    return at;
  };

  isAlive = (owner: number): boolean => this.agents.some((one) => one.owner === owner && one.isAlive);

  wake(index: number): void {
    for (const one of this.agents) if (one.blocked?.index === index) one.blocked = undefined;
  }
}

/** Behind the slots of agents. */
const HEAP = 2048;

/** Yielded by a coroutine that waits. */
const parking = Symbol('parking');

/** Where the bells of the agents hang: words of the machine, which only this file knows. */
const BELLS = 128;

export class Agent {
  readonly owner: number;
  isAlive = true;
  blocked: Blocked | undefined;
  nowMs = 0;
  readonly calls: Record<string, Record<string, unknown>>;
  readonly #machine: Machine;
  readonly #bell: number;
  readonly #microtasks: (() => Steps)[] = [];
  /** When those who await give up. */
  readonly #deadlines = new Map<number, number>();
  readonly #coroutines = new Set<Steps>();
  #current: Steps | undefined;

  constructor(
    machine: Machine,
    index: number,
    program: Program,
    furtherStubs: (agent: Agent, machine: Machine) => object,
  ) {
    this.#machine = machine;
    this.owner = (1 << 10) | (index + 1);
    this.#bell = BELLS + index;
    const { words } = machine;
    const self = this;
    const mapping = {
      *waitWhile(at: number, expected: number, timeoutMs: number): Steps<void> {
        yield;
        yield* self.#block(at, expected, timeoutMs);
      },
      *wake(at: number): Steps<void> {
        yield;
        machine.wake(at);
      },
    };
    const stubs = {
      memory: () => ({ words, mapping }),
      agent: () => ({ owner: this.owner, at: agents.slotOf(this.owner) }),
      isAlive: machine.isAlive,
      slotOf: agents.slotOf,
      ring: (owner: number) => {
        const bell = BELLS + (owner & 1023) - 1;
        words[bell] = 1;
        machine.wake(bell);
      },
      allocate: machine.allocate,
      nowMs: () => 0,
      *announceOwnGrant(): Steps<void> {
        yield* (self.calls as unknown as { waits: { drainSoon: () => Steps } }).waits.drainSoon();
      },
      queueMicrotask: (task: () => Steps) => this.#microtasks.push(task),
      clearInterval: () => {},
      performance: { now: () => this.nowMs },
      /** Nobody is stopped here. */
      *letRunOn(): Steps<void> {},
      complete,
      ...furtherStubs(this, machine),
    };
    const known = { agents: { ...agents, ...stubs }, layout, 'object-words': objectWords };
    this.calls = complete(program(stubs, known)) as typeof this.calls;
  }

  reset(): void {
    this.isAlive = true;
    this.blocked = undefined;
    this.nowMs = 0;
    this.#microtasks.length = 0;
    this.#deadlines.clear();
    this.#coroutines.clear();
    for (const module of Object.values(this.calls)) (module.reset as (() => void) | undefined)?.();
  }

  /** As `awaitRecord` and the event loop do: the status of the record, once it is settled. */
  *awaitRecord(record: number): Steps<number> {
    const waits = this.calls.waits as unknown as { pending: Map<number, Stepping> } & Record<string, () => Steps>;
    let status: number | undefined;
    waits.pending.set(record, function* (settled: number): Steps<void> {
      yield;
      status = settled;
    } as Stepping);
    yield* waits.arm!();
    while (status === undefined) yield* this.#turn(waits);
    return status;
  }

  /** An event loop of coroutines, until all have ended. Those that wait do so by `park`. */
  *loop(...coroutines: Steps[]): Steps<void> {
    const waits = this.calls.waits as unknown as Record<string, () => Steps>;
    for (const one of coroutines) this.#goOnWith(one);
    while (this.#coroutines.size > 0) yield* this.#turn(waits);
  }

  /** Has a coroutine run, in a microtask, until it parks or ends. */
  #goOnWith(coroutine: Steps): void {
    const run = this.#run.bind(this);
    this.#coroutines.add(coroutine);
    this.#microtasks.push(() => run(coroutine));
  }

  *#run(coroutine: Steps): Steps<void> {
    this.#current = coroutine;
    for (;;) {
      const { done, value } = coroutine.next();
      if (done === true) this.#coroutines.delete(coroutine);
      if (done === true || value === parking) return;
      yield;
    }
  }

  /** As `wait` of a coroutine: the status of the record, once it is settled. @param deadline - then it is withdrawn. */
  *park(record: number, deadline: number): Steps<number> {
    const waits = this.calls.waits as unknown as {
      pending: Map<number, Stepping>;
      unchecked: Set<number>;
      arm: () => Steps;
    };
    const goOn = this.#goOnWith.bind(this, this.#current!);
    let status: number | undefined;
    // Nothing else is done in this call: a promise is resolved, and its coroutine goes on later.
    // biome-ignore lint/correctness/useYield: called by what has become generators.
    waits.pending.set(record, function* (settled: number): Steps<void> {
      status = settled;
      goOn();
    } as Stepping);
    waits.unchecked.add(record);
    if (deadline !== Number.POSITIVE_INFINITY) this.#deadlines.set(record, deadline);
    yield* waits.arm();
    yield parking;
    this.#deadlines.delete(record);
    return status!;
  }

  /** One turn of the event loop. */
  *#turn(waits: Record<string, () => Steps>): Steps<void> {
    const task = this.#microtasks.shift();
    if (task !== undefined) yield* task();
    else if (this.#machine.words[this.#bell] === 0) yield* this.#lookUp(waits);
    else {
      this.#machine.words[this.#bell] = 0;
      yield* waits.drain!();
    }
  }

  *#lookUp(waits: Record<string, (record?: number) => Steps>): Steps<void> {
    const before = this.nowMs;
    const next = Math.min(...this.#deadlines.values()) - before;
    yield* this.#block(this.#bell, 0, Math.max(0, Math.min(100, next)));
    if (this.nowMs === before) return;
    const late = [...this.#deadlines].filter(([, deadline]) => deadline <= this.nowMs);
    for (const [record] of late) {
      this.#deadlines.delete(record);
      yield* waits.withdraw!(record);
    }
    if (late.length === 0) yield* waits.lookAround!();
  }

  *#block(index: number, expected: number, timeoutMs: number): Steps<void> {
    if (this.#machine.words[index] !== expected) return;
    this.blocked = { index, timeoutMs };
    yield;
  }

  timeOut(): void {
    this.nowMs += this.blocked?.timeoutMs ?? 0;
    this.blocked = undefined;
  }
}

/** A function of a module, as an agent has it. */
export function of(agent: Agent, module: string, name: string): (...inputs: unknown[]) => Steps {
  return agent.calls[module]![name] as (...inputs: unknown[]) => Steps;
}

export function complete<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value as T;
  }
}

/** @param modules - in the order in which they import each other. */
export function compile(modules: readonly Module[]): Program {
  const texts = modules.map((module) => {
    const name = module.path.slice(module.path.indexOf('/') + 1);
    return `M[${JSON.stringify(name)}] = yield* (function* () {\n${new Source(module).text}\n})();`;
  });
  const text = `return function* (stubs, M) { const { performance, queueMicrotask, clearInterval } = stubs;\n${texts.join('\n')}\nreturn M; }`;
  return new Function(text)() as Program;
}
