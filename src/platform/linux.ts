/** The Linux calls behind `System`, through koffi. Numbers are those of x86-64 and arm64, which agree but for one. */

import { readFileSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { PlatformError } from '../errors.ts';
import { nowMs } from './clock.ts';
import { koffi } from './koffi.ts';
import { sheltered } from './shelter.ts';
import type { Mapping, System, WaitStatus } from './system.ts';

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const MFD_CLOEXEC = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_NORESERVE = 0x4000;
const POLLIN = 1;
const EINTR = 4;
const EAGAIN = 11;
const ENOMEM = 12;
const ENOSPC = 28;
const ESRCH = 3;
const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const CLD_EXITED = 1;
const CLD_STOPPED = 5;
const RLIMIT_DATA = 2;
const SYS_pidfd_open = 434;
/** One of the few calls whose number differs. */
const SYS_futex = process.arch === 'arm64' ? 98 : 202;
const SYS_gettid = process.arch === 'arm64' ? 178 : 186;
const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const EVERYBODY = 2 ** 31 - 1;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
/** A signal undoes a call: bit by bit, it comes to an end also under a profiler. */
const RESERVED_BYTES = 2 ** 25;
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SIGINFO_BYTES = 128;
/** Offsets in siginfo_t, whose union begins at 16 on 64-bit machines. */
const SI_CODE = 8;
const SI_PID = 16;
const SI_STATUS = 24;
const POLLFD_BYTES = 8;
/** cpu_set_t: 1,024 processors. */
const CPU_SET_BYTES = 128;
/** The longest call of a worker thread that blocks. */
const THREAD_CALL_MS = 100;

export function createLinux(): System {
  const ffi = koffi();
  const libc = ffi.load(null);
  const prctl = libc.func('int prctl(int, ulong, ulong, ulong, ulong)');
  const close = libc.func('int close(int)');
  const fcntl = libc.func('int fcntl(int, int, int)');
  const open = libc.func('int open(const char *, int)');
  const memfdCreate = libc.func('int memfd_create(const char *, uint)');
  const ftruncate = libc.func('int ftruncate(int, int64)');
  const mmap = libc.func('void *mmap(void *, size_t, int, int, int, int64)');
  const munmap = libc.func('int munmap(void *, size_t)');
  const fallocate = libc.func('int fallocate(int, int, int64, int64)');
  const flock = libc.func('int flock(int, int)');
  const pollCall = libc.func('int poll(void *, ulong, int)');
  const waitid = libc.func('int waitid(int, uint, void *, int)');
  const syscall = libc.func('long syscall(long, long, long)');
  const futex = libc.func('int syscall(int, int64, int, int, const void *, int64, int)');
  const pipe2 = libc.func('int pipe2(void *, int)');
  const affinity = libc.func('int sched_setaffinity(int, size_t, const void *)');
  const setrlimit = libc.func('int setrlimit(int, const void *)');

  const failed = (call: string): PlatformError => {
    const errno = ffi.errno();
    return new PlatformError(`${call} failed: ${getSystemErrorName(-errno)}`, { code: `ERR_SYSTEM_CALL` });
  };
  const checked = (call: string, result: number): number => {
    if (result < 0) throw failed(call);
    return result;
  };
  const waitFor = (pid: number, options: number): WaitStatus | undefined => {
    const info = Buffer.alloc(SIGINFO_BYTES);
    if (waitid(P_PID, pid, info, WEXITED | WNOHANG | options) < 0) return undefined; // ECHILD: reaped already
    if (info.readInt32LE(SI_PID) === 0) return undefined;
    const status = info.readInt32LE(SI_STATUS);
    return info.readInt32LE(SI_CODE) === CLD_EXITED ? { code: status } : { signalNumber: status };
  };
  const view = (address: number, sizeBytes: number): ArrayBuffer =>
    sheltered(() => ffi.view(BigInt(address), sizeBytes));
  const mappingAt = (address: number, sizeBytes: number): Mapping => ({
    address,
    buffer: view(address, sizeBytes),
    // A signal, or a word that has changed already, ends the wait as well: callers look at the word again.
    waitWhile: (index, expected, timeoutMs) =>
      void futex(SYS_futex, address + index * 4, FUTEX_WAIT, expected, timespec(timeoutMs), 0, 0),
    wake: (index) => void futex(SYS_futex, address + index * 4, FUTEX_WAKE, EVERYBODY, null, 0, 0),
    view: (offset, size) => view(address + offset, size),
    unmap: () => void munmap(BigInt(address), sizeBytes),
  });

  return {
    threadId: () => Number(syscall(SYS_gettid, 0, 0)),
    pipe() {
      const ends = Buffer.alloc(8);
      checked('pipe2', pipe2(ends, O_NONBLOCK | O_CLOEXEC));
      return { readFd: ends.readInt32LE(0), writeFd: ends.readInt32LE(4) };
    },
    open: (path) => checked(`open(${path})`, open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)),
    dieWithParent() {
      checked('prctl(PR_SET_PDEATHSIG)', prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    },
    close: (fd) => void close(fd),
    closeOnExec(fd) {
      checked(`fcntl(${fd}, FD_CLOEXEC)`, fcntl(fd, F_SETFD, FD_CLOEXEC));
    },
    createMemory(label, sizeBytes) {
      const fd = checked('memfd_create', memfdCreate(label, MFD_CLOEXEC));
      checked('ftruncate', ftruncate(fd, sizeBytes));
      return fd;
    },
    map(fd, sizeBytes) {
      const address = mmap(null, sizeBytes, PROT_READ_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0) as bigint;
      if (address === 0xffff_ffff_ffff_ffffn) throw failed('mmap');
      // Addresses of programs are below 2^47. As numbers, a call takes half the time.
      return mappingAt(Number(address), sizeBytes);
    },
    mappingAt,
    punchHole(fd, offset, sizeBytes) {
      const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
      checked('fallocate(PUNCH_HOLE)', fallocate(fd, mode, offset, sizeBytes));
    },
    reserve(fd, sizeBytes) {
      for (let at = 0; at < sizeBytes; at += RESERVED_BYTES) {
        while (fallocate(fd, 0, at, Math.min(RESERVED_BYTES, sizeBytes - at)) < 0) {
          const errno = ffi.errno();
          if (errno === ENOSPC || errno === ENOMEM) return false;
          if (errno !== EINTR) throw failed('fallocate');
        }
      }
      return true;
    },
    lockFile(fd, mode) {
      if (flock(fd, (mode === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB) >= 0) return true;
      if (ffi.errno() === EAGAIN) return false;
      throw failed('flock');
    },
    openProcess(pid) {
      const fd = Number(syscall(SYS_pidfd_open, pid, 0));
      if (fd >= 0) return fd;
      if (ffi.errno() === ESRCH) return undefined;
      throw failed('pidfd_open');
    },
    pollReadable(fds, timeoutMs) {
      const deadline = timeoutMs === undefined ? undefined : nowMs() + timeoutMs;
      // A thread that is terminated notices it when a call returns; a process is killed as it stands.
      const longestCallMs = Number(syscall(SYS_gettid, 0, 0)) === process.pid ? 2 ** 30 : THREAD_CALL_MS;
      const polled = Buffer.alloc(fds.length * POLLFD_BYTES);
      for (const [index, fd] of fds.entries()) {
        polled.writeInt32LE(fd, index * POLLFD_BYTES);
        polled.writeInt16LE(POLLIN, index * POLLFD_BYTES + 4);
      }
      for (;;) {
        const left = Math.min(Math.max(0, Math.ceil((deadline ?? Number.POSITIVE_INFINITY) - nowMs())), longestCallMs);
        const count = pollCall(polled, fds.length, left);
        if (count > 0) return fds.filter((_, index) => polled.readInt16LE(index * POLLFD_BYTES + 6) !== 0);
        if (count < 0 && ffi.errno() !== EINTR) throw failed('poll');
        if (deadline !== undefined && nowMs() >= deadline) return [];
      }
    },
    peekExit: (pid) => waitFor(pid, WNOWAIT),
    peekStop(pid) {
      const info = Buffer.alloc(SIGINFO_BYTES);
      // ECHILD: reaped already. The kernel tells of a stop once the last thread has stopped.
      if (waitid(P_PID, pid, info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) < 0) return 'ended';
      if (info.readInt32LE(SI_PID) === 0) return 'running';
      return info.readInt32LE(SI_CODE) === CLD_STOPPED ? 'stopped' : 'ended';
    },
    reap: (pid) => void waitFor(pid, 0),
    setAffinity(tid, processors) {
      const set = Buffer.alloc(CPU_SET_BYTES);
      for (const index of processors) set[index >> 3] = (set[index >> 3] ?? 0) | (1 << (index & 7));
      checked(`sched_setaffinity([${processors.join(', ')}])`, affinity(tid, CPU_SET_BYTES, set));
    },
    limitGrowth(bytes) {
      // RLIMIT_DATA counts private writable memory, committed or not, which V8 begins with 50 to 570 MB of; only the
      // growth from here on is the program's own.
      const limit = Buffer.alloc(16);
      const bound = BigInt(privateBytes()) + BigInt(Math.floor(bytes));
      limit.writeBigUInt64LE(bound, 0);
      limit.writeBigUInt64LE(bound, 8);
      checked('setrlimit(RLIMIT_DATA)', setrlimit(RLIMIT_DATA, limit));
    },
  };
}

const time = Buffer.alloc(16);

/** A `struct timespec`, for the one call that copies it; none waits for ever. Always the same memory. */
function timespec(timeoutMs: number | undefined): Buffer | null {
  if (timeoutMs === undefined) return null;
  const ms = Math.max(0, timeoutMs);
  const seconds = Math.floor(ms / 1000);
  time.writeInt32LE(seconds % 2 ** 31, 0);
  time.writeInt32LE(Math.min(999_999_999, Math.ceil((ms - seconds * 1000) * 1e6)), 8);
  return time;
}

function privateBytes(): number {
  const kilobytes = /^VmData:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return Number(kilobytes) * 1024;
}
