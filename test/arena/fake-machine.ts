/**
 * A machine of generators: the sources of src/arena and src/sync, as they are, with a pause in front of each access to
 * shared memory, so that a test decides which agent makes the next step.
 *
 * The sources' text is stripped of its types; each function becomes a generator, each call of one `yield*`, and each
 * `Atomics.x()` yields first. Agents, clock, doorbell, heap and futex are stubs.
 */

import * as agents from '../../src/arena/agents.ts';
import * as layout from '../../src/arena/layout.ts';
import * as objectWords from '../../src/arena/object-words.ts';
import { Source } from './generator-source.ts';

export type Steps<T = unknown> = Generator<unknown, T, unknown>;
type Stepping = (...args: never[]) => Steps;

/** Modules in the order in which they import each other; of `waits` only what needs no event loop. */
const MODULES: readonly (readonly [path: string, only?: readonly string[]])[] = [
  ['arena/guard'],
  ['arena/records'],
  ['arena/repair'],
  ['arena/queue'],
  [
    'arena/waits',
    [
      'pending',
      'unchecked',
      'doorbell',
      'timer',
      'isDrainPlanned',
      'RECHECK_MS',
      'sleepOn',
      'withdraw',
      'drainSoon',
      'arm',
    ].concat(['drain', 'settle', 'lookAround', 'isUnannounced']),
  ],
  ['sync/lock-words'],
  ['sync/semaphore-words'],
];
/** What one agent runs; compiled once, and set up anew for each run. */
const program = compile();

export interface Blocked {
  readonly index: number;
  readonly timeoutMs: number;
}

/** The words that agents share, and who of them lives. */
export class Machine {
  readonly words: Int32Array = new Int32Array(4096);
  readonly object = 256;
  readonly agents: Agent[] = [];
  #heap = 2048;

  constructor(count: number, isDue: boolean) {
    for (let i = 0; i < count; i++) this.agents.push(new Agent(this, i, isDue));
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

  constructor(machine: Machine, index: number, isDue: boolean) {
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
      *isDue(): Steps<boolean> {
        yield;
        return isDue;
      },
      *announceOwnGrant(): Steps<void> {
        yield* (self.calls as unknown as { waits: { drainSoon: () => Steps } }).waits.drainSoon();
      },
      /** Burials are not covered; what they do for others is. */
      *sweep(): Steps<void> {
        const { repair } = self.calls as unknown as { repair: { recheck: (object: number) => Steps } };
        if (machine.agents.some((one) => !one.isAlive)) yield* repair.recheck(machine.object);
      },
      queueMicrotask: (task: () => Steps) => this.#microtasks.push(task),
      clearInterval: () => {},
      performance: { now: () => this.nowMs },
      fault: undefined,
    };
    const known = {
      agents: { ...agents, ...stubs },
      layout,
      'object-words': objectWords,
      memory: stubs,
      heap: stubs,
      fault: stubs,
      death: stubs,
      stopped: { *letRunOn(): Steps<void> {} },
      doorbell: stubs,
      'own-grants': stubs,
    };
    this.calls = complete(program(stubs, known)) as typeof this.calls;
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
    while (status === undefined) {
      const task = this.#microtasks.shift();
      if (task !== undefined) yield* task();
      else if (this.#machine.words[this.#bell] === 0) yield* this.#lookUp(waits.lookAround!);
      else {
        this.#machine.words[this.#bell] = 0;
        yield* waits.drain!();
      }
    }
    return status;
  }

  *#lookUp(lookAround: () => Steps): Steps<void> {
    const before = this.nowMs;
    yield* this.#block(this.#bell, 0, 100);
    if (this.nowMs > before) yield* lookAround();
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

export function complete<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value as T;
  }
}

function compile(): (stubs: object, known: object) => Steps {
  const modules = MODULES.map(([path, only]) => {
    const name = path.slice(path.indexOf('/') + 1);
    return `M[${JSON.stringify(name)}] = yield* (function* () {\n${new Source(path, only).text}\n})();`;
  });
  const text = `return function* (stubs, M) { const { performance, queueMicrotask, clearInterval } = stubs;\n${modules.join('\n')}\nreturn M; }`;
  return new Function(text)() as (stubs: object, known: object) => Steps;
}
