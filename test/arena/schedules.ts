/**
 * All orders of steps of some agents with at most so many preemptions; with a death of the first agent at each of its steps
 * as well, where that is asked for.
 *
 * An agent that gives way (sleeps, ends, dies) is no preemption, and then each of the others is tried; but once all had to
 * time out after a death, another order costs as a preemption does. Without a death nobody may need a timeout.
 */

import assert from 'node:assert/strict';
import type { Agent, Steps } from './fake-machine.ts';

export interface Bounds {
  readonly preemptions: number;
  /** Whether the first agent may die. */
  readonly withDeath?: boolean;
}

/** One schedule at its start. */
export interface Play {
  readonly agents: readonly Agent[];
  /** What each agent does. */
  readonly parts: readonly Steps[];
  /** To be called when everybody has ended. */
  check(): void;
}

/** The time after which users give up: it may pass at any moment. */
export const USER_TIMEOUT_MS = 50;
/** A choice: which agent makes the next step, or the death of the first. */
const DEATH = -1;
const STEPS_MAX = 3_000;
/** More rounds of timeouts than any repair needs. */
const TIMEOUTS_MAX = 8;

/** Depth first over the choices, each schedule run anew from the start. @returns how many there were. */
export function explore(start: () => Play, bounds: Bounds): number {
  const prefixes: number[][] = [[]];
  let count = 0;
  for (let prefix = prefixes.pop(); prefix !== undefined; prefix = prefixes.pop()) {
    count++;
    const taken: number[] = [];
    try {
      play(start(), bounds, prefix, taken, (others) => {
        for (const other of others) prefixes.push([...taken, other]);
      });
    } catch (cause) {
      throw new Error(`schedule ${count}: ${inRuns(taken)}`, { cause });
    }
  }
  return count;
}

function play(
  { agents, parts, check }: Play,
  bounds: Bounds,
  prefix: number[],
  taken: number[],
  branch: (others: number[]) => void,
): void {
  const running = new Map(parts.entries());
  let last = 0;
  let preemptions = 0;
  let timeouts = 0;
  let mayDie = bounds.withDeath ?? false;
  const isRunnable = (i: number): boolean => {
    const { blocked } = agents[i]!;
    return running.has(i) && (blocked === undefined || blocked.timeoutMs === USER_TIMEOUT_MS);
  };
  for (let step = 0; running.size > 0; step++) {
    assert.ok(step < STEPS_MAX, 'it comes to an end');
    const runnable = [...running.keys()].filter(isRunnable);
    if (runnable.length === 0) {
      assert.ok(agents.some(({ isAlive }) => !isAlive) && timeouts++ < TIMEOUTS_MAX, 'nobody waits for ever');
      for (const i of running.keys()) agents[i]!.timeOut();
      continue;
    }
    const isForced = !runnable.includes(last);
    // After a death and a timeout for all, another order of these costs as much as a preemption, or there is no end.
    const isFree = isForced && timeouts === 0;
    const preferred = isForced ? runnable[0]! : last;
    let choice = preferred;
    if (step < prefix.length) choice = prefix[step]!;
    else {
      const others = isFree || preemptions < bounds.preemptions ? runnable.filter((i) => i !== preferred) : [];
      branch(mayDie && preferred === 0 ? [...others, DEATH] : others);
    }
    taken.push(choice);
    if (choice === DEATH) {
      mayDie = false;
      agents[0]!.isAlive = false;
      running.delete(0);
      continue;
    }
    if (!isFree && choice !== preferred) preemptions++;
    last = choice;
    if (agents[choice]!.blocked !== undefined) agents[choice]!.timeOut();
    if (running.get(choice)!.next().done === true) running.delete(choice);
  }
  check();
}

/** `0×12 1×3 dies`: who made how many steps in a row. */
function inRuns(choices: readonly number[]): string {
  const runs: { readonly choice: number; count: number }[] = [];
  for (const choice of choices) {
    const run = runs.at(-1);
    if (run?.choice === choice) run.count++;
    else runs.push({ choice, count: 1 });
  }
  return runs.map(({ choice, count }) => (choice === DEATH ? 'dies' : `${choice}×${count}`)).join(' ');
}
