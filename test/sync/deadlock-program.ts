/** Programs that stand still, or seem to: run by deadlocks.test.ts, as each needs a process tree of its own. */

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { Barrier, Event, Lock, Process, setDeadlockReport } from 'manyhands';
import { cross, take, work } from './deadlock-targets.ts';
import type { Manner } from './targets.ts';

/** Some report's times, of 50 ms, and the 100 ms that a unit rests before it counts as resting, several times over. */
const WHILE_MS = 1000;

function waitForIt(event: Event): Promise<boolean> {
  return event.wait();
}

/** Lets the event come from outside of all that a report looks at, and the program end. */
function setLater(): NodeJS.Timeout {
  return setTimeout(() => never.set(), WHILE_MS);
}

/** A process that waits, by the time that this resolves. */
async function startWaiter(): Promise<Process<[Event], Promise<boolean>>> {
  const child = new Process({ target: waitForIt, args: [never], name: 'E' });
  child.start();
  while (child.waitingFor !== `${never}`) await new Promise((resolve) => setTimeout(resolve, 5));
  return child;
}

function startCross(manner: Manner): Process<Parameters<typeof cross>>[] {
  const [left, right] = [new Lock({ name: 'left' }), new Lock({ name: 'right' })];
  const met = new Barrier(2);
  const processes = [
    new Process<Parameters<typeof cross>>({ target: cross, args: [manner, left, right, met], name: 'A' }),
    new Process<Parameters<typeof cross>>({ target: cross, args: [manner, right, left, met], name: 'B' }),
  ];
  for (const process of processes) process.start();
  return processes;
}

function startTaker(): Process<[Lock]> {
  const lock = new Lock({ name: "parent's" });
  lock.acquireSync();
  const child = new Process<[Lock]>({ target: take, args: [lock], name: 'C' });
  child.start();
  return child;
}

const never = new Event({ name: 'never' });

const ways: Record<string, () => unknown> = {
  'cross awaited': () => Promise.all(startCross('awaited').map((one) => one.join())),
  'cross blocking': () => Promise.all(startCross('blocking').map((one) => one.join())),
  'cross blocking joinSync': () => startCross('blocking')[0]?.joinSync(),
  'parent awaited': () => startTaker().join(),
  'parent blocking': () => startTaker().joinSync(),
  event: async () => (await startWaiter()).join(),
  set: async () => {
    setDeadlockReport({ afterMs: 120 });
    await (await startWaiter()).join();
  },

  timer: async () => {
    const child = await startWaiter();
    setLater();
    await child.join();
  },
  'hidden timer': async () => {
    const child = await startWaiter();
    setLater().unref();
    await child.join();
  },
  server: async () => {
    const server = createServer().listen(0);
    await endFromOutside();
    server.close();
  },
  'hidden server': async () => {
    createServer().listen(0).unref();
    await endFromOutside();
  },
  signal: async () => {
    process.on('SIGUSR2', () => never.set());
    await endFromOutside();
  },
  limit: async () => {
    const child = await startWaiter();
    await never.wait({ timeoutMs: WHILE_MS });
    never.set();
    await child.join();
  },
  aborting: async () => {
    const child = await startWaiter();
    const controller = new AbortController();
    // Seen by nobody: what has been taken from Node's count.
    const sleeper = spawn('sleep', [String(WHILE_MS / 1000)], { stdio: 'ignore' });
    sleeper.unref();
    sleeper.on('exit', () => controller.abort());
    await never.wait({ signal: controller.signal }).catch(() => never.set());
    await child.join();
  },
  busy: async () => {
    const waits = await startWaiter();
    const child = new Process({ target: work, args: [2 * WHILE_MS] });
    child.start();
    await child.join();
    never.set();
    await waits.join();
  },
  off: endFromOutside,
  'set off': async () => {
    setDeadlockReport(false);
    await endFromOutside();
  },
};

/** Everybody waits, and somebody of whom no unit knows ends it. */
async function endFromOutside(): Promise<void> {
  const child = await startWaiter();
  // Not below this process: else it would count as something that may wake it.
  spawn('sh', ['-c', `(sleep ${WHILE_MS / 1000}; kill -9 ${child.pid}) >/dev/null 2>&1 &`], { stdio: 'ignore' });
  await child.join();
}

if (import.meta.main) await ways[process.argv[2] ?? '']?.();
