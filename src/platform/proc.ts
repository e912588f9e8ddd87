/** What /proc tells of a process. */

import { readdirSync, readFileSync } from 'node:fs';

/**
 * One letter, as in proc(5): R running or runnable, S sleeping, D waiting for the disk, T stopped by a signal,
 * t by a tracer, Z zombie, X dead. `undefined` when there is no such process.
 *
 * @param tid - one of its threads; default: the main thread.
 */
export function kernelState(pid: number, tid: number = pid): string | undefined {
  // "pid (name) S ...": the name may contain anything, so look behind its last parenthesis.
  const stat = read(tid === pid ? `/proc/${pid}/stat` : `/proc/${pid}/task/${tid}/stat`);
  return stat?.charAt(stat.lastIndexOf(')') + 2);
}

/** The kernel function in which a thread of `pid`, the main one by default, sleeps, e.g. `ep_poll`; `undefined` when it tells none. */
export function kernelWaitChannel(pid: number, tid: number = pid): string | undefined {
  const channel = read(`/proc/${pid}/task/${tid}/wchan`);
  return channel === undefined || channel === '0' || channel === '' ? undefined : channel;
}

export interface KernelThread {
  /** Since the boot of the machine, modulo 2^31: with the id it names a thread for good. */
  readonly startedAtTicks: number;
  readonly hasEnded: boolean;
}

/**
 * A thread of any process; `undefined` when there is none. Throws when that cannot be known, as for want of a descriptor:
 * a thread that lives must not be taken for dead.
 */
export function kernelThread(pid: number, tid: number): KernelThread | undefined {
  const stat = readIfThere(`/proc/${pid}/task/${tid}/stat`);
  if (stat === undefined) return undefined;
  // Field 3 is the state, 22 the start: proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { startedAtTicks: Number(fields[19]) % 2 ** 31, hasEnded: fields[0] === 'Z' || fields[0] === 'X' };
}

/** The ids of all threads of this process, V8's and libuv's included. */
export function ownThreads(): number[] {
  return readdirSync('/proc/self/task').map(Number);
}

/** The file mode creation mask. `process.umask()` would set it to 0 for a moment, for all threads. */
export function ownUmask(): number {
  return Number.parseInt(/^Umask:\s+(\d+)/m.exec(read('/proc/self/status') ?? '')?.[1] ?? '22', 8);
}

/**
 * Bytes that can be touched before the machine is out of memory, swap included; those of this process's control group
 * only as far as its limit goes, for what it has of the page cache counts as used there. `undefined` when nobody tells.
 */
export function availableBytes(): number | undefined {
  const meminfo = read('/proc/meminfo') ?? '';
  const kilobytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1]);
  const available = (kilobytes('MemAvailable') + kilobytes('SwapFree')) * 1024;
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Number.isNaN(available) ? undefined : Math.min(available, limit);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined; // it has ended
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // ENOENT or ESRCH: it has ended
  }
}
