/**
 * A guard: the short lock in front of the words of one object, held for a few hundred nanoseconds at a time.
 *
 *   word = 0                  free
 *   word = owner × 2          held
 *   word = owner × 2 + 1      held, and somebody may sleep on it
 *
 * Who finds it held spins a little, then sleeps on the word; after each sleep of some milliseconds it looks whether the
 * holder still lives: that costs 20 µs. A holder that died is replaced by compare-and-exchange, so by one of those who saw
 * it; that one first *repairs* what the dead one may have left half done, then goes on as the holder. Every protocol that
 * runs under a guard is therefore written so that each single write leaves something that its repair understands.
 *
 * Whoever is to be woken by what happens under a guard is woken after it (`afterwards`): at once, it would run into the guard.
 * A death in between loses the call; every sleeper looks for itself now and then.
 *
 * A holder that is *stopped* lives, and all would wait for it. So each agent says in the word INSIDE of its slot which guard
 * it is about to take, or has (of nested ones the outermost: it is let go of last); who stops a process looks there, and who
 * finds its holder stopped has it run on: stopped.ts.
 */

import { agent, INSIDE, isAlive } from './agents.ts';
import { fault } from './fault.ts';
import { memory } from './memory.ts';
import { letRunOn } from './stopped.ts';

/** Some 2 µs: several times what a guard is held for. */
const SPINS = 100;
const SLEEP_MS = 2;

/** How many guards this thread has, or is about to take. */
let depth = 0;
let calls: (() => void)[] = [];

/** Has `call` made once no guard is held any more by this thread; at once if none is. */
export function afterwards(call: () => void): void {
  if (depth === 0) call();
  else calls.push(call);
}

/** Runs `body` as the holder of the guard at word `at`; `repair` runs before it when the last holder died. */
export function guarded<T>(at: number, repair: () => void, body: () => T): T {
  const isInherited = enter(at);
  try {
    if (isInherited) repair();
    return body();
  } finally {
    leave(at);
  }
}

/** Takes the guard at word `at`, for whoever cannot pay for a function: `leave` must follow. True when its last holder died. */
export function enter(at: number): boolean {
  const { words } = memory();
  const { owner, at: slot } = agent();
  const mine = owner * 2;
  // Plain stores: nobody goes by this word before the thread has stopped, and what a stopped thread has done is a beginning of
  // its program. Raised before the exchange that takes, lowered after the one that gives: so whoever holds is seen to. (No
  // compiler moves a store across an atomic operation.)
  if (depth++ === 0) words[slot + INSIDE] = at;
  const isInherited = Atomics.compareExchange(words, at, 0, mine) !== 0 && wait(words, at, mine) === 'inherited';
  if (fault !== undefined) fault(isInherited ? 'guard.inherited' : 'guard.held');
  return isInherited;
}

export function leave(at: number): void {
  const { words, mapping } = memory();
  if (fault !== undefined) fault('guard.release');
  // Exchange, then wake: a sleeper that sets its mark after the exchange finds the word changed, and does not sleep.
  const isAwaited = (Atomics.exchange(words, at, 0) & 1) === 1;
  if (--depth === 0) words[agent().at + INSIDE] = 0;
  if (isAwaited) mapping.wake(at);
  if (depth === 0 && calls.length > 0) callAll();
}

function callAll(): void {
  const all = calls;
  calls = [];
  for (const call of all) call();
}

function wait(words: Int32Array, at: number, mine: number): 'free' | 'inherited' {
  for (let i = 0; i < SPINS; i++) if (Atomics.load(words, at) === 0 && take(words, at, 0, mine)) return 'free';
  for (;;) {
    const seen = Atomics.load(words, at);
    // Taken with the mark: others may sleep as well, and nobody counts them.
    if (seen === 0) {
      if (take(words, at, 0, mine + 1)) return 'free';
    } else if ((seen & 1) === 1 || take(words, at, seen, seen + 1)) {
      memory().mapping.waitWhile(at, seen | 1, SLEEP_MS);
      if (Atomics.load(words, at) !== (seen | 1)) continue;
      if (isAlive(seen >>> 1)) letRunOn(seen >>> 1);
      else if (take(words, at, seen | 1, mine + 1)) return 'inherited';
    }
  }
}

function take(words: Int32Array, at: number, from: number, to: number): boolean {
  return Atomics.compareExchange(words, at, from, to) === from;
}
