/** What this library asks of the operating system beyond Node's own API. One implementation today: `linux.ts`. */

import { PlatformError } from '../errors.ts';
import { createLinux } from './linux.ts';
import { sheltered } from './shelter.ts';

/** How a child process ended, before anybody reaped it. */
export type WaitStatus = { readonly code: number } | { readonly signalNumber: number };

/** Memory shared with other processes, until `unmap`. Never touch `buffer` after it: the process would fault. */
export interface Mapping {
  /** Where it is in this process: by it other threads of the process use the same mapping. */
  readonly address: number;
  readonly buffer: ArrayBuffer;
  /** Blocks the thread while 32-bit word number `index` is `expected`, until `wake`; may also return early. */
  waitWhile(index: number, expected: number, timeoutMs?: number): void;
  /** Wakes every thread, of any process, that waits at 32-bit word number `index`. */
  wake(index: number): void;
  /** `sizeBytes` of it from byte `offset` on, the same memory. */
  view(offset: number, sizeBytes: number): ArrayBuffer;
  unmap(): void;
}

export interface System {
  /** The kernel's id of the calling thread. */
  threadId(): number;
  /** A pipe, closed on exec, its ends not blocking. */
  pipe(): { readonly readFd: number; readonly writeFd: number };
  /** Opens a file for reading and writing, without blocking, closed on exec. Node, in a worker thread, would close it once more at the end. */
  open(path: string): number;
  /** Has the kernel send SIGKILL to this process when the thread that started it ends. */
  dieWithParent(): void;
  /** Closes a descriptor that came from here; Node warns of such when it closes them in a worker thread. */
  close(fd: number): void;
  /** Keeps `fd` from being inherited by programs that this process starts. */
  closeOnExec(fd: number): void;
  /** Anonymous shared memory as a file descriptor, closed on exec; `label` shows in /proc/PID/fd. */
  createMemory(label: string, sizeBytes: number): number;
  /** Maps the first `sizeBytes` of `fd`, shared, for reading and writing. */
  map(fd: number, sizeBytes: number): Mapping;
  /** What another thread of this process has mapped; to be unmapped once, when no thread uses it any more. */
  mappingAt(address: number, sizeBytes: number): Mapping;
  /** Gives the memory of a range of a file in memory back to the kernel; it reads as 0 from then on. */
  punchHole(fd: number, offset: number, sizeBytes: number): void;
  /** Allocates all of a file, so that no touch of its pages can fail later; false when there is no room (ENOSPC, ENOMEM). */
  reserve(fd: number, sizeBytes: number): boolean;
  /** Locks an open file (flock) for as long as it is open, without waiting; false when others' locks forbid it. */
  lockFile(fd: number, mode: 'shared' | 'exclusive'): boolean;
  /** A descriptor that becomes readable when process `pid` ends; `undefined` when there is no such process. */
  openProcess(pid: number): number | undefined;
  /** Blocks the thread until one of `fds` is readable or closed; returns those. Empty when `timeoutMs` passed. */
  pollReadable(fds: readonly number[], timeoutMs: number | undefined): number[];
  /** How child `pid` ended, leaving it to be reaped by Node; `undefined` while it runs or once it was reaped. */
  peekExit(pid: number): WaitStatus | undefined;
  /** Whether all threads of child `pid` are stopped by a signal; `ended` as well once it was reaped. */
  peekStop(pid: number): 'running' | 'stopped' | 'ended';
  /** Reaps child `pid` if it has ended and nobody did. */
  reap(pid: number): void;
  /** Restricts thread `tid` to the processors given by index. */
  setAffinity(tid: number, processors: readonly number[]): void;
  /** Bounds the private memory of this process to what it has now plus `bytes`. */
  limitGrowth(bytes: number): void;
}

let current: System | undefined;

/** @throws {PlatformError} `ERR_PLATFORM_UNSUPPORTED` where processes and shared memory are not supported. */
export function system(): System {
  if (current !== undefined) return current;
  if (process.platform !== 'linux') {
    throw new PlatformError(
      `Manyhands cannot start processes on ${process.platform}: shared memory and process control exist for Linux only so far.`,
      { code: 'ERR_PLATFORM_UNSUPPORTED' },
    );
  }
  try {
    current = sheltered(createLinux);
  } catch (cause) {
    throw new PlatformError(
      `Manyhands could not load its native part (koffi) on ${process.platform}-${process.arch}. ` +
        'Check that optional dependencies were installed, and that the program was bundled with `manyhands` left external.',
      { code: 'ERR_PLATFORM_UNSUPPORTED', cause },
    );
  }
  return current;
}
