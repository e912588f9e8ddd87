/**
 * The files behind named shared memory: /dev/shm/manyhands-UID-NAME, of mode 0600.
 *
 * Each holder has the file open with a shared lock (flock), which the kernel takes off when the holder dies. An exclusive
 * lock can be had only when nobody holds the file; so whoever gets one may remove the file, and nobody removes it from
 * under a holder. Names and locks meet in these steps:
 *
 *   create   makes manyhands-UID.new-RANDOM, locks it shared, gives it its size and all of its memory, then links it under
 *            its name: whoever finds the name finds all of it, held. The first name goes.
 *   attach   opens the name, locks shared. Refused: somebody is removing it, so look for the name again. Then asks whether
 *            it still has a name: it may have been removed between the two, so look again.
 *   leave    locks exclusively. Refused: others hold it, or do the same at this moment; the last to try is not refused.
 *            Then removes the name, if it is still this file's, and closes.
 *   remove   of what dead holders left: as `leave`, by somebody who never held it.
 *
 * A holder that is killed leaves the file, to be found by `attach` or removed as stale. Dying within `create` leaves the
 * file under its first name, stale.
 */

import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  unlinkSync,
} from 'node:fs';
import { fault } from '../arena/fault.ts';
import { PlatformError, StateError } from '../errors.ts';
import { system } from '../platform/system.ts';

const FOLDER = '/dev/shm';
/** How long an attach looks again while somebody seems to remove the file: that takes microseconds. */
const PATIENCE_MS = 2000;

/** An open file with a shared lock. */
export interface MemoryFile {
  readonly fd: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly inode: bigint;
  readonly device: bigint;
}

/** A file of this user as the folder has it. */
export interface FoundFile {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly isHeld: boolean;
}

/** What begins every name of this user's. */
export function prefix(): string {
  return `manyhands-${process.getuid?.() ?? 0}`;
}

export function pathOf(name: string): string {
  return `${FOLDER}/${prefix()}-${name}`;
}

export function randomName(): string {
  // Not imported: loading it takes 4 ms of the start of a child.
  return process.getBuiltinModule('node:crypto').randomBytes(12).toString('hex');
}

/**
 * @throws {StateError} `ERR_EXISTS` when the name is taken by memory that somebody holds.
 * @throws {PlatformError} `ERR_OUT_OF_MEMORY` when there is not as much; `ERR_PLATFORM` when the folder refuses.
 */
export function createFile(name: string, sizeBytes: number): MemoryFile {
  const { fd, path: firstPath } = createUnnamed();
  try {
    ftruncateSync(fd, sizeBytes);
    // All of it now: a touch of a page for which there is no room would kill the toucher.
    if (!system().reserve(fd, sizeBytes)) throw noRoom(name, sizeBytes);
    if (fault !== undefined) fault('memory.reserved');
    giveName(firstPath, name);
    if (fault !== undefined) fault('memory.named');
    unlinkSync(firstPath);
    return opened(fd, pathOf(name), fstatSync(fd, { bigint: true }));
  } catch (error) {
    removeName(firstPath, fstatSync(fd, { bigint: true }));
    closeSync(fd);
    throw error;
  }
}

/** @throws {StateError} `ERR_NOT_FOUND` when there is no such memory. */
export function attachFile(name: string): MemoryFile {
  const path = pathOf(name);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const fd = open(name, path);
    const file = lockShared(fd, path);
    if (file !== undefined) return file;
    if (performance.now() > deadline)
      throw new PlatformError(`Shared memory "${name}" (${path}) stays locked by others.`);
    // One who removes the file needs a moment; there is no event for it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** A file that another process has open, which may have no name any more; `undefined` when it is no longer there. */
export function attachOpen(pid: number, fd: number, path: string, inode: bigint): MemoryFile | undefined {
  try {
    const own = openSync(`/proc/${pid}/fd/${fd}`, constants.O_RDWR);
    const stats = fstatSync(own, { bigint: true });
    if (stats.ino === inode && system().lockFile(own, 'shared')) return opened(own, path, stats);
    closeSync(own);
    return undefined;
  } catch {
    return undefined; // its process has ended, or closed it
  }
}

/** Closes a file; its name goes with the last holder, unless `keepsName`. */
export function leaveFile(file: MemoryFile, keepsName = false): void {
  try {
    if (!keepsName && system().lockFile(file.fd, 'exclusive')) {
      if (fault !== undefined) fault('memory.last');
      removeName(file.path, { ino: file.inode, dev: file.device });
    }
  } finally {
    closeSync(file.fd);
  }
}

/** Removes the name of a file; false when it has none any more, or it is another file's by now. */
export function removeName(path: string, { ino, dev }: { readonly ino: bigint; readonly dev: bigint }): boolean {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (found?.ino !== ino || found.dev !== dev) return false;
  unlinkSync(path);
  return true;
}

/** This user's files, held or not. */
export function findFiles(): FoundFile[] {
  return own().flatMap((path) => look(path, () => {}) ?? []);
}

/** Removes this user's files that nobody holds; returns them. */
export function removeStaleFiles(): FoundFile[] {
  const removed: FoundFile[] = [];
  for (const path of own()) {
    look(path, (file, stats) => {
      if (removeName(path, stats)) removed.push(file);
    });
  }
  return removed;
}

/** @param onStale - called with the exclusive lock when nobody holds the file. */
function look(path: string, onStale: (file: FoundFile, stats: BigIntStats) => void): FoundFile | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return undefined; // removed meanwhile, or no file of ours
  }
  try {
    const stats = fstatSync(fd, { bigint: true });
    if (!stats.isFile() || Number(stats.uid) !== process.getuid?.()) return undefined;
    const isHeld = !system().lockFile(fd, 'exclusive');
    const file = { name: nameOf(path), path, sizeBytes: Number(stats.size), isHeld };
    if (!isHeld) onStale(file, stats);
    return file;
  } finally {
    closeSync(fd);
  }
}

function own(): string[] {
  const begin = prefix();
  const names = readdirSync(FOLDER).filter((file) => file.startsWith(`${begin}-`) || file.startsWith(`${begin}.new-`));
  return names.sort().map((file) => `${FOLDER}/${file}`);
}

/** One that died in `create` has none: its first name is shown, with the dot that no other has before it. */
function nameOf(path: string): string {
  const rest = path.slice(FOLDER.length + 1 + prefix().length);
  return rest.startsWith('-') ? rest.slice(1) : rest;
}

function createUnnamed(): { readonly fd: number; readonly path: string } {
  for (;;) {
    const path = `${FOLDER}/${prefix()}.new-${randomName()}`;
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    } catch (cause) {
      throw new PlatformError(`Shared memory cannot be made in ${FOLDER}: ${(cause as Error).message}`, { cause });
    }
    fchmodSync(fd, 0o600); // whatever the umask
    if (fault !== undefined) fault('memory.created');
    if (lockShared(fd, path) !== undefined) return { fd, path };
    // Somebody who removes what is stale was faster than our lock.
  }
}

function giveName(firstPath: string, name: string): void {
  const path = pathOf(name);
  for (let isFirst = true; ; isFirst = false) {
    try {
      linkSync(firstPath, path);
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new PlatformError(`Shared memory "${name}" cannot be made: ${(cause as Error).message}`, { cause });
      }
      // What a dead program left stands in nobody's way.
      if (isFirst) look(path, (_, stats) => void removeName(path, stats));
      else throw exists(name, path);
    }
  }
}

function open(name: string, path: string): number {
  try {
    const fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
    const stats = fstatSync(fd);
    if (stats.isFile() && stats.uid === process.getuid?.() && stats.size > 0) return fd;
    closeSync(fd);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(name, path);
    throw new PlatformError(`Shared memory "${name}" cannot be opened: ${(cause as Error).message}`, { cause });
  }
  throw new PlatformError(`${path} is not shared memory that Manyhands made for this user.`);
}

/** Locks a file; closes it and returns `undefined` when it is being removed, or was. */
function lockShared(fd: number, path: string): MemoryFile | undefined {
  if (system().lockFile(fd, 'shared')) {
    const stats = fstatSync(fd, { bigint: true });
    if (stats.nlink > 0n) return opened(fd, path, stats);
  }
  closeSync(fd);
  return undefined;
}

function opened(fd: number, path: string, { size, ino, dev }: BigIntStats): MemoryFile {
  return { fd, path, sizeBytes: Number(size), inode: ino, device: dev };
}

function noRoom(name: string, sizeBytes: number): PlatformError {
  return new PlatformError(
    `There is no room for ${sizeBytes} bytes of shared memory "${name}" in ${FOLDER} (ENOSPC): see df ${FOLDER}.`,
    { code: 'ERR_OUT_OF_MEMORY' },
  );
}

function exists(name: string, path: string): StateError {
  return new StateError(
    `Shared memory "${name}" exists already, and somebody holds it (${path}). Attach to it, or take another name.`,
    { code: 'ERR_EXISTS' },
  );
}

export function notFound(name: string, path: string): StateError {
  return new StateError(
    `There is no shared memory "${name}" (${path}). Its last holder may have closed it, or somebody unlinked it.`,
    { code: 'ERR_NOT_FOUND' },
  );
}
