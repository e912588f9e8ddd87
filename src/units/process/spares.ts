/**
 * Spare processes: booted ahead of their use, for Node takes tens of milliseconds to start. The first `start()` boots
 * its own child and then a spare; each further one takes a spare and boots the next. None is used twice, holds the
 * program open, or outlives it.
 */

import { ValidationError } from '../../errors.ts';
import { setImmediate } from '../../platform/clock.ts';
import { kernelState } from '../../platform/proc.ts';
import { type Booted, bootSpare } from './boot.ts';
import { endAtExit } from './exit-hook.ts';
import { phases } from './mailbox.ts';
import { surroundings } from './surroundings.ts';

let wanted = initialCount();
const spares: Booted[] = [];
let isRefilling = false;

/**
 * How many spare processes to keep ready once the first process was started. Each takes about 55 MiB.
 *
 * @param count - 0 switches spares off. Default: 1, or the environment variable `MANYHANDS_SPARE_PROCESSES`.
 * @throws {ValidationError} `ERR_VALIDATION` unless `count` is an integer from 0 to 64.
 */
export function keepSpareProcesses(count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > 64) {
    throw new ValidationError(`keepSpareProcesses() takes an integer from 0 to 64, and got ${String(count)}.`);
  }
  wanted = count;
  while (spares.length > wanted) discard(spares.pop()!);
}

/** How many spares are kept (`wanted`), and how many of them could be used at this moment, without waiting for their boot. */
export interface SpareProcesses {
  readonly wanted: number;
  readonly booting: number;
  readonly ready: number;
}

/** How it stands with the spares of this thread. */
export function spareProcesses(): SpareProcesses {
  const ready = spares.filter(({ mailbox }) => mailbox.phase >= phases.warm).length;
  return Object.freeze({ wanted, booting: spares.length - ready, ready });
}

/** A spare that suits the surroundings of now and `env`; `undefined` when there is none. */
export function takeSpare(env: Readonly<Record<string, string>>): Booted | undefined {
  const now = spares.length === 0 ? '' : surroundings(env);
  for (;;) {
    const spare = spares.shift();
    if (spare === undefined) return undefined;
    spare.handle.off('exit', forget);
    if (spare.surroundings === now && !isEnding(spare.pid)) {
      spare.handle.ref();
      return spare;
    }
    discard(spare);
  }
}

/** Takes back a child that was not told what to run. */
export function keepAsSpare(child: Booted): void {
  if (spares.length >= wanted) {
    discard(child);
    return;
  }
  child.handle.unref();
  child.handle.once('exit', forget);
  endAtExit.add(child);
  spares.push(child);
}

/** Boots what is missing, as soon as the program leaves this turn of its loop. */
export function refillSpares(): void {
  if (isRefilling || spares.length >= wanted) return;
  isRefilling = true;
  setImmediate(() => {
    isRefilling = false;
    try {
      while (spares.length < wanted) keepAsSpare(bootSpare());
    } catch {
      // Out of processes or descriptors: the next start() will say so to somebody who asked for a process.
    }
  });
}

/** Whether it has ended, or is about to: some of its threads may outlive its main thread for a moment. */
function isEnding(pid: number): boolean {
  const letter = kernelState(pid);
  return letter === undefined || letter === 'Z' || letter === 'X';
}

/** Ends a child that was not told what to run. */
export function discard(spare: Booted): void {
  spare.handle.off('exit', forget);
  spare.handle.once('exit', () => endAtExit.delete(spare));
  spare.mailbox.dismiss();
  spare.handle.kill('SIGKILL');
  spare.mailbox.close();
}

/** A spare that somebody killed. */
function forget(this: unknown): void {
  const index = spares.findIndex(({ handle }) => handle === this);
  const spare = spares[index];
  if (spare === undefined) return;
  spares.splice(index, 1);
  endAtExit.delete(spare);
  spare.mailbox.close();
}

function initialCount(): number {
  const count = Number(process.env.MANYHANDS_SPARE_PROCESSES ?? 1);
  return Number.isInteger(count) && count >= 0 && count <= 64 ? count : 1;
}
