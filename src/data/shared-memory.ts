/** Memory that is found by a name, also by programs that know nothing of each other. Its files: memory-file.ts. */

import { assertAvailable } from '../arena/blocks.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { ClosedError, ValidationError } from '../errors.ts';
import { type Mapping, system } from '../platform/system.ts';
import {
  attachFile,
  attachOpen,
  createFile,
  leaveFile,
  type MemoryFile,
  notFound,
  pathOf,
  randomName,
  removeName,
} from './memory-file.ts';

const NAME_BYTES_MAX = 255;
const SIZE_MAX = 2 ** 46;

export interface SharedMemoryOptions {
  /** By which others attach to it; default: a random one. */
  readonly name?: string;
  /** More than 0. All of it is allocated at once. */
  readonly sizeBytes: number;
}

/** By which shared memory is found again in another process. */
export interface MemoryHandle {
  readonly kind: 'memory';
  readonly name: string;
  /** The sender and its descriptor: the memory may have no name any more. */
  readonly pid: number;
  readonly fd: number;
  readonly inode: string;
}

/** What a value holds of the system. */
interface Holding {
  readonly file: MemoryFile;
  readonly mapping: Mapping;
  /** Whether it was sent to somebody who may come for it only after the end of this process. */
  isExpected: boolean;
}

const holdings = new Set<Holding>();
const collected = new FinalizationRegistry<Holding>((holding) => {
  holding.mapping.unmap();
  leave(holding);
});
/** Whoever can reach the memory reaches the value. */
const memories = new WeakMap<ArrayBuffer, SharedMemory>();

/** What programs shall not call. */
interface Inside {
  make(name: string, file: MemoryFile): SharedMemory;
  handleOf(value: object, isFarewell: boolean): MemoryHandle | undefined;
}
let inside: Inside;

/**
 * Memory with a name, in which any program of this user sees what the others write.
 *
 * It lives until the last that holds it closes it or ends; then its name goes as well. `unlink` takes the name away at
 * once, and leaves the memory to those who hold it. Nothing but that ever takes it from a holder. A program that is killed
 * leaves the name behind if it was the last: `manyhands shm clean` removes such, as does making memory of that name.
 *
 * It travels in arguments and results; the receiver holds it then for itself.
 *
 * ```ts
 * const memory = SharedMemory.create({ name: 'frames', sizeBytes: 1_000_000 });
 * new Uint8Array(memory.buffer)[0] = 1; // seen in another program by SharedMemory.attach('frames')
 * memory.close(); // or `using memory = …`, where Node knows it
 * ```
 */
export class SharedMemory implements Disposable {
  /** By which it is attached to. */
  readonly name: string;
  readonly sizeBytes: number;
  #holding: Holding | undefined;
  readonly #file: MemoryFile;
  #buffer: ArrayBuffer | undefined;

  /** Not for programs: see `create` and `attach`. */
  private constructor(name: string, file: MemoryFile) {
    this.name = name;
    this.sizeBytes = file.sizeBytes;
    this.#file = file;
    const mapping = mapOrLeave(file);
    this.#holding = { file, mapping, isExpected: false };
    hold(this.#holding);
    collected.register(this, this.#holding, this);
  }

  /**
   * Makes memory, all of it 0.
   *
   * @throws {StateError} `ERR_EXISTS` when somebody holds memory of that name.
   * @throws {ValidationError} `ERR_VALIDATION` for a name with a slash or NUL, an empty or too long one, or a size that is none.
   * @throws {PlatformError} `ERR_OUT_OF_MEMORY` when there is not as much.
   */
  static create(options: SharedMemoryOptions): SharedMemory {
    const { name, sizeBytes } = checkOptions(options);
    assertAvailable(sizeBytes);
    return new SharedMemory(name, createFile(name, sizeBytes));
  }

  /** @throws {StateError} `ERR_NOT_FOUND` when there is none of that name. */
  static attach(name: string): SharedMemory {
    checkName(name, 'SharedMemory.attach()');
    return new SharedMemory(name, attachFile(name));
  }

  /** The memory itself. Always the same; detached by `close`. @throws {ClosedError} `ERR_CLOSED` once closed. */
  get buffer(): ArrayBuffer {
    const { mapping } = this.#held('buffer');
    if (this.#buffer === undefined) {
      this.#buffer = mapping.view(0, this.sizeBytes);
      memories.set(this.#buffer, this);
    }
    return this.#buffer;
  }

  /** Lets go: `buffer` and its views are empty from here on. Who closes last removes the name. A second call does nothing. */
  close(): void {
    const holding = this.#holding;
    if (holding === undefined) return;
    this.#holding = undefined;
    collected.unregister(this);
    // Of a buffer that was transferred away the new owner may still use the memory: it stays mapped.
    if (this.#buffer === undefined || detach(this.#buffer)) holding.mapping.unmap();
    leave(holding);
  }

  /** Removes the name: nobody can attach any more. @throws {StateError} `ERR_NOT_FOUND` when it is removed already. */
  unlink(): void {
    const { path, inode, device } = this.#file;
    if (!removeName(path, { ino: inode, dev: device })) throw notFound(this.name, path);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #held(what: string): Holding {
    if (this.#holding !== undefined) return this.#holding;
    throw new ClosedError(`Shared memory "${this.name}" is closed here, and cannot be used (${what}) any more.`);
  }

  static {
    inside = {
      make: (name, file) => new SharedMemory(name, file),
      handleOf(value, isFarewell) {
        if (!(#holding in value)) return undefined;
        const holding = value.#held('sent');
        if (isFarewell) holding.isExpected = true;
        const { fd, inode } = holding.file;
        return { kind: 'memory', name: value.name, pid: process.pid, fd, inode: String(inode) };
      },
    };
  }
}

sendAsHandle(SharedMemory.prototype);

/**
 * The handle of shared memory; `undefined` for any other object.
 *
 * @param isFarewell - whether this process may end before the receiver has it: then the name stays for the receiver.
 * @throws {ClosedError} `ERR_CLOSED` when it is closed here.
 */
export function memoryHandleOf(value: object, isFarewell: boolean): MemoryHandle | undefined {
  return inside.handleOf(value, isFarewell);
}

/** The shared memory of a handle that arrived. @throws {ClosedError} `ERR_CLOSED` when it is gone. */
export function takeMemory(handle: MemoryHandle): SharedMemory {
  return inside.make(handle.name, find(handle));
}

export function isMemoryHandle(handle: unknown): handle is MemoryHandle {
  return (handle as { readonly kind?: unknown }).kind === 'memory';
}

function find({ name, pid, fd, inode }: MemoryHandle): MemoryFile {
  const sent = BigInt(inode);
  const opened = attachOpen(pid, fd, pathOf(name), sent);
  if (opened !== undefined) return opened;
  try {
    const file = attachFile(name);
    if (file.inode === sent) return file;
    leaveFile(file);
  } catch (cause) {
    throw gone(name, cause);
  }
  throw gone(name);
}

function gone(name: string, cause?: unknown): ClosedError {
  return new ClosedError(`Shared memory "${name}" is gone: nobody held it any more when it arrived.`, { cause });
}

function mapOrLeave(file: MemoryFile): Mapping {
  try {
    return system().map(file.fd, file.sizeBytes);
  } catch (error) {
    leaveFile(file);
    throw error;
  }
}

function hold(holding: Holding): void {
  if (holdings.size === 0) process.on('exit', leaveAll);
  holdings.add(holding);
}

function leave(holding: Holding): void {
  holdings.delete(holding);
  if (holdings.size === 0) process.off('exit', leaveAll);
  leaveFile(holding.file, holding.isExpected);
}

/** The memory stays mapped: others that hear of the exit may still use it. */
function leaveAll(): void {
  for (const holding of [...holdings]) leave(holding);
}

/** Empties a buffer and all views of it; false when somebody had done so. */
function detach(buffer: ArrayBuffer): boolean {
  const newer = buffer as ArrayBuffer & { readonly detached: boolean; transfer(): ArrayBuffer };
  if (newer.detached) return false;
  newer.transfer();
  return true;
}

function checkOptions(options: unknown): { readonly name: string; readonly sizeBytes: number } {
  const { name = randomName(), sizeBytes } = (options ?? {}) as {
    readonly name?: unknown;
    readonly sizeBytes?: unknown;
  };
  checkName(name, 'SharedMemory.create()');
  if (!Number.isInteger(sizeBytes) || (sizeBytes as number) <= 0 || (sizeBytes as number) > SIZE_MAX) {
    throw new ValidationError(
      `SharedMemory.create(): sizeBytes must be an integer of at least 1, and is ${String(sizeBytes)}.`,
    );
  }
  return { name, sizeBytes: sizeBytes as number };
}

function checkName(name: unknown, call: string): asserts name is string {
  if (typeof name !== 'string' || name === '') {
    throw new ValidationError(`${call}: the name must be a string that is not empty, and is ${JSON.stringify(name)}.`);
  }
  if (/[/\0]/.test(name) || !name.isWellFormed()) {
    throw new ValidationError(
      `${call}: the name ${JSON.stringify(name)} has a slash, a NUL or half a character in it.`,
    );
  }
  const spare = NAME_BYTES_MAX - Buffer.byteLength(pathOf('').replace(/.*\//, ''));
  if (Buffer.byteLength(name) > spare) {
    throw new ValidationError(`${call}: the name has ${Buffer.byteLength(name)} bytes, and ${spare} are allowed.`);
  }
}
