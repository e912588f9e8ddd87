/**
 * The dining philosophers (Dijkstra 1965): five at a round table, with a fork between each two. To eat, one needs both.
 *
 * First each takes the fork on the left and waits for the one on the right, for ever: `deadlocks()` finds it and names it.
 * Then each takes the fork with the lower number first. So somebody always gets both: there is no cycle to wait in.
 */

import { Barrier, type Deadlock, deadlocks, Lock, Process } from 'manyhands';

const NAMES = ['Plato', 'Confucius', 'Socrates', 'Voltaire', 'Descartes'];
const MEALS = 2000;

/** All take their left fork before anybody reaches for the right one. */
function dineNaively(left: Lock, right: Lock, allHaveOne: Barrier): void {
  left.acquireSync();
  allHaveOne.waitSync();
  right.acquireSync();
}

interface Dinner {
  readonly meals: number;
  readonly ms: number;
  readonly longestWaitMs: number;
}

/** @param first - the fork with the lower number. */
function dineInOrder(first: Lock, second: Lock, allAreSeated: Barrier, meals: number): Dinner {
  allAreSeated.waitSync();
  const begin = performance.now();
  let longestWaitMs = 0;
  for (let i = 0; i < meals; i++) {
    const hungry = performance.now();
    const one = first.acquireSync();
    const other = second.acquireSync();
    longestWaitMs = Math.max(longestWaitMs, performance.now() - hungry);
    other.release();
    one.release();
  }
  return { meals, ms: performance.now() - begin, longestWaitMs };
}

function layTable(): { readonly forks: Lock[]; readonly barrier: Barrier } {
  return {
    forks: NAMES.map((_, i) => new Lock({ name: `fork ${i + 1}` })),
    barrier: new Barrier(NAMES.length),
  };
}

async function firstDeadlock(): Promise<Deadlock> {
  for (;;) {
    const [deadlock] = deadlocks();
    if (deadlock !== undefined) return deadlock;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function naiveDinner(): Promise<void> {
  const { forks, barrier } = layTable();
  const philosophers = NAMES.map(
    (name, i) => new Process({ target: dineNaively, args: [forks[i]!, forks[(i + 1) % NAMES.length]!, barrier], name }),
  );
  for (const philosopher of philosophers) philosopher.start();
  console.log('Everybody takes the left fork, then the right one.\n');
  const { text } = await firstDeadlock();
  console.log(text.replaceAll(/^/gm, '  '));
  for (const philosopher of philosophers) philosopher.kill();
  await Promise.all(philosophers.map((philosopher) => philosopher.join()));
  console.log('\nNobody will ever eat, so they were sent home.\n');
}

async function orderedDinner(): Promise<void> {
  const { forks, barrier } = layTable();
  const philosophers = NAMES.map((name, i) => {
    const [lower, higher] = [i, (i + 1) % forks.length].sort((a, b) => a - b);
    return new Process({ target: dineInOrder, args: [forks[lower!]!, forks[higher!]!, barrier, MEALS], name });
  });
  for (const philosopher of philosophers) philosopher.start();
  console.log('Everybody takes the fork with the lower number first.\n');
  const dinners = await Promise.all(philosophers.map((philosopher) => philosopher.result()));
  console.log(`  ${'philosopher'.padEnd(12)}${'meals'.padStart(6)}${'time'.padStart(9)}${'longest wait'.padStart(15)}`);
  for (const [i, { meals, ms, longestWaitMs }] of dinners.entries()) {
    const columns = [String(meals).padStart(6), inMs(ms).padStart(9), inMs(longestWaitMs).padStart(15)];
    console.log(`  ${NAMES[i]!.padEnd(12)}${columns.join('')}`);
  }
  console.log('\nAll have eaten.');
}

function inMs(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

if (import.meta.main) {
  await naiveDinner();
  await orderedDinner();
}
