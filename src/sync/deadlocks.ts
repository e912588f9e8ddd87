/** The deadlocks of the process tree, by name; wait-graph.ts says what counts as one. */

import { agent } from '../arena/agents.ts';
import { noteRunning } from '../arena/profile.ts';
import { type Step, stuckCycles, type WaitGraph, waitGraph } from './wait-graph.ts';

/** One unit in a cycle. */
export interface DeadlockedUnit {
  /** `process "worker"`, `main process`, `thread 3 of main process`. */
  readonly unit: string;
  readonly pid: number;
  /** What the unit before it in the cycle waits for; `undefined` when that one waits for the end of this unit. */
  readonly holds: string | undefined;
  /** `lock "accounts"`, or `process "worker"`: its end. A lock without a name has a number: `lock #12`. */
  readonly waitsFor: string;
}

/** Units each of which waits for the next, the last one for the first. */
export interface Deadlock {
  readonly cycle: readonly DeadlockedUnit[];
  /** The same in a few lines, for a terminal. */
  readonly text: string;
}

/**
 * The deadlocks among all processes and threads of the tree at this moment: the cycles of who holds and who waits.
 *
 * Told are those that nothing can undo but a signal from outside: cycles through `Lock`s, `RLock`s and waits for the end of a
 * process, in which nobody has another way to go on. A wait with `timeoutMs` or `signal` has one. So has a unit that awaits
 * while timers, sockets or other awaits may still wake it, and one that is found to await less than a tenth of a second.
 * Semaphores, conditions, events and barriers belong to nobody, so there is no cycle through them.
 *
 * May be called in any unit of the tree. Does not wait; the units that it looks at do not notice.
 *
 * ```ts
 * for (const { text } of deadlocks()) console.log(text);
 * // deadlock of 2 units:
 * //   process "A" (pid 4711) holds lock "left" and waits for lock "right"
 * //   process "B" (pid 4712) holds lock "right" and waits for lock "left"
 * ```
 */
export function deadlocks(): Deadlock[] {
  // Who asks does not rest.
  noteRunning(agent().at);
  const graph = waitGraph();
  return graph === undefined ? [] : deadlocksIn(graph);
}

export function deadlocksIn(graph: WaitGraph): Deadlock[] {
  return stuckCycles(graph).map((steps) => {
    const cycle = Object.freeze(steps.map((step, i) => unitAt(step, steps.at(i - 1)!)));
    return Object.freeze({ cycle, text: textOf(cycle) });
  });
}

function unitAt({ node, edge }: Step, before: Step): DeadlockedUnit {
  const holds = before.edge.isEnd ? undefined : before.edge.title;
  return Object.freeze({ unit: node.title, pid: node.pid, holds, waitsFor: edge.title });
}

function textOf(cycle: readonly DeadlockedUnit[]): string {
  const lines = cycle.map(({ unit, pid, holds, waitsFor }) => {
    const held = holds === undefined ? '' : `holds ${holds} and `;
    return `  ${unit} (pid ${pid}) ${held}waits for ${waitsFor}`;
  });
  return [cycle.length === 1 ? 'deadlock of a unit with itself:' : `deadlock of ${cycle.length} units:`, ...lines].join(
    '\n',
  );
}
