/** The arena as this thread has it: found or made, and mapped, when it is first needed. */

import { fstatSync, readdirSync, readlinkSync } from 'node:fs';
import { PlatformError } from '../errors.ts';
import { type Mapping, system } from '../platform/system.ts';
import { ARENA_BYTES, HEAP, HEAP_CURSOR, MAGIC, MAGIC_VALUE, WORDS_BYTES } from './layout.ts';

const LABEL = 'manyhands-arena';

export interface Memory {
  readonly fd: number;
  readonly mapping: Mapping;
  /** The part that is addressed by words. */
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

/** Where the arena is in this process, for its other threads. */
export interface Place {
  readonly fd: number;
  readonly address: number;
}

let opened: Memory | undefined;
let descriptor: number | undefined;
let mapping: Mapping | undefined;

/** @throws {PlatformError} where there is no shared memory. */
export function memory(): Memory {
  opened ??= open(arenaFd());
  return opened;
}

/** Where this thread has the arena, or will have it when it uses it. */
export function placeOfMemory(): Place {
  const fd = arenaFd();
  mapping ??= system().map(fd, ARENA_BYTES);
  return { fd, address: mapping.address };
}

/**
 * Thread: has it use the arena where another thread of its process has mapped it. Of its own, it would leave a mapping behind
 * at its end, of which a process has room for 2,000.
 */
export function shareMemory({ fd, address }: Place): void {
  descriptor = fd;
  mapping = system().mappingAt(address, ARENA_BYTES);
}

/** Whether this thread has used the arena yet. */
export function isOpened(): boolean {
  return opened !== undefined;
}

/** Whether any process of the tree may have used the arena: before, it has no pages. */
export function isUsed(): boolean {
  return isOpened() || fstatSync(arenaFd()).blocks > 0;
}

/** The descriptor of this process's arena, which children inherit. */
export function arenaFd(): number {
  descriptor ??= find() ?? create();
  return descriptor;
}

/** A view of `sizeBytes` from byte `offset` of the arena on. */
export function viewOf(offset: number, sizeBytes: number): ArrayBuffer {
  return memory().mapping.view(offset, sizeBytes);
}

function create(): number {
  const fd = system().createMemory(LABEL, ARENA_BYTES);
  // Another thread may have made one at the same moment. The older one counts, and all see it: it has the lower number.
  const oldest = find();
  if (oldest === undefined || oldest === fd) return fd;
  system().close(fd);
  return oldest;
}

/** Of all descriptors of this process that are arenas, the one of the oldest. */
function find(): number | undefined {
  let oldest: { readonly fd: number; readonly inode: bigint } | undefined;
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (!isArena(fd)) continue;
    const inode = fstatSync(fd, { bigint: true }).ino;
    if (oldest === undefined || inode < oldest.inode) oldest = { fd, inode };
  }
  return oldest?.fd;
}

function isArena(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`/memfd:${LABEL} `);
  } catch {
    return false; // closed meanwhile
  }
}

function open(fd: number): Memory {
  mapping ??= system().map(fd, ARENA_BYTES);
  const words = new Int32Array(mapping.buffer, 0, WORDS_BYTES / 4);
  Atomics.compareExchange(words, HEAP_CURSOR, 0, HEAP);
  const magic = Atomics.compareExchange(words, MAGIC, 0, MAGIC_VALUE);
  if (magic !== 0 && magic !== MAGIC_VALUE) {
    throw new PlatformError('The shared memory of this process tree was made by another version of Manyhands.');
  }
  return { fd, mapping, words, bytes: new Uint8Array(mapping.buffer, 0, WORDS_BYTES) };
}
