import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Connection } from 'manyhands';

export interface Job {
  readonly id: number;
  readonly name: string;
  readonly done: boolean;
}

/** How many round trips before the clock, and how many under it. */
export interface Trips {
  readonly warmUps: number;
  readonly count: number;
}

/** Sends back what comes; ends with a job that is done. */
export async function echo(there: Connection<Job>): Promise<void> {
  for (;;) {
    const job = await there.recv();
    if (job.done) return;
    await there.send(job);
  }
}

/** The same, blocking. */
export function echoSync(there: Connection<Job>): void {
  for (;;) {
    const job = there.recvSync();
    if (job.done) return;
    there.sendSync(job);
  }
}

/** @returns microseconds for one job there and back. */
export async function ask(here: Connection<Job>, { warmUps, count }: Trips): Promise<number> {
  let begunMs = 0;
  for (let id = -warmUps; id < count; id++) {
    if (id === 0) begunMs = performance.now();
    await here.send({ id, name: 'job', done: false });
    await here.recv();
  }
  const perTrip = ((performance.now() - begunMs) / count) * 1000;
  await here.send({ id: count, name: 'job', done: true });
  return perTrip;
}

/** The same, blocking. */
export function askSync(here: Connection<Job>, { warmUps, count }: Trips): number {
  let begunMs = 0;
  for (let id = -warmUps; id < count; id++) {
    if (id === 0) begunMs = performance.now();
    here.sendSync({ id, name: 'job', done: false });
    here.recvSync();
  }
  const perTrip = ((performance.now() - begunMs) / count) * 1000;
  here.sendSync({ id: count, name: 'job', done: true });
  return perTrip;
}

/** The same, to a child of `fork`, which stays on the processors of this process. */
export async function askForked({ warmUps, count }: Trips): Promise<number> {
  const child = fork(fileURLToPath(new URL('forked.ts', import.meta.url)), { serialization: 'json' });
  let begunMs = 0;
  for (let id = -warmUps; id < count; id++) {
    if (id === 0) begunMs = performance.now();
    child.send({ id, name: 'job', done: false });
    await once(child, 'message');
  }
  const perTrip = ((performance.now() - begunMs) / count) * 1000;
  child.disconnect();
  return perTrip;
}
