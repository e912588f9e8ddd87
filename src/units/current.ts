/** Which unit this code runs in. */

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { introduce } from '../arena/profile.ts';
import { StateError } from '../errors.ts';
import { setTimeout } from '../platform/clock.ts';
import { inheritedIdentity } from './process/inherited.ts';
import { type Birth, birthOf, type ThreadIdentity } from './thread/birth.ts';

/** What a process knows of itself; worker threads of it know the same. */
export interface Identity {
  readonly name: string;
  readonly daemon: boolean;
  /** The numbers in default names: `2:1` in the first child of `Process-2`; empty in the main process. */
  readonly path: string;
  readonly parent?: { readonly pid: number; readonly name: string };
}

/** The module that a child process runs first. */
export const childEntry: string = entry('process/child');
/** The module that a thread runs first. */
export const threadEntry: string = entry('thread/worker');

function entry(path: string): string {
  return fileURLToPath(new URL(`./${path}${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
}

/**
 * The working directory from which relative paths in options of Node (`--import ./setup.js`) are meant, wherever the
 * program went since. Here, because a child loads this module before it takes on its own.
 */
export const cwdAtLoad: string | undefined = workingDirectory();

/** `undefined` when it was removed. */
export function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** Whether this is the main thread of a child process. */
export const isChild: boolean = process.argv[1] === childEntry;
// Not imported: loading it takes 2 ms of the start of a child, and a child's first thread is a main thread.
export const isMainThread: boolean = isChild || process.getBuiltinModule('node:worker_threads').isMainThread;

/** What this thread was started with, when it is a `Thread`. */
export const birth: Birth | undefined = isMainThread ? undefined : birthOf();

introduce(() => {
  const { name, parent } = currentIdentity();
  const title = parent === undefined ? 'main process' : `process "${shortened(name)}"`;
  const thread = birth === undefined ? threadId() : `"${shortened(birth.identity.name)}"`;
  return { title: isMainThread ? title : `thread ${thread} of ${title}`, parentPid: parent?.pid ?? 0 };
});

/** As many characters of a name as others are shown. */
const NAME_MAX = 32;

function shortened(name: string): string {
  const characters = Array.from(name);
  return characters.length <= NAME_MAX ? name : `${characters.slice(0, NAME_MAX - 1).join('')}…`;
}

function threadId(): number {
  return process.getBuiltinModule('node:worker_threads').threadId;
}

let identity: Identity | undefined;

/** Who this process is. */
export function currentIdentity(): Identity {
  identity ??= birth?.process ??
    (isMainThread ? undefined : inheritedIdentity()) ?? { name: 'MainProcess', daemon: false, path: '' };
  return identity;
}

/** The `Thread` that this code runs in; `undefined` in a main thread and in a Worker of Node's own. */
export function currentThread(): ThreadIdentity | undefined {
  return birth?.identity;
}

/** Child: takes on the identity that its parent gave. */
export function assumeIdentity(given: Identity): void {
  identity = given;
}

/**
 * True in the main thread of the program that the user started, false in every child process and thread. Node's own
 * `import.meta.main` tells the same of the module that the user started.
 */
export const isMainProcess: boolean = isMainThread && !isChild;

export interface CurrentProcess {
  readonly pid: number;
  readonly name: string;
  readonly daemon: boolean;
  /** @throws {StateError} always: a process cannot wait for its own end. */
  join(): never;
  /** @throws {StateError} always: a process cannot wait for its own end. */
  joinSync(): never;
}

/** The process that this code runs in; in the main process the name is `MainProcess`. */
export function currentProcess(): CurrentProcess {
  const { name, daemon } = currentIdentity();
  const refuse = (): never => {
    throw new StateError(`Process "${name}" cannot join itself: it would wait for its own end for ever.`);
  };
  const described = { pid: process.pid, name, daemon } as CurrentProcess;
  // Not enumerable: what is left can be printed and sent.
  for (const call of ['join', 'joinSync']) Object.defineProperty(described, call, { value: refuse });
  return described;
}

export interface ParentProcess {
  readonly pid: number;
  readonly name: string;
  /** Whether it still runs. A child is killed with its parent, so this is hardly ever seen to be false. */
  readonly isAlive: boolean;
  /** Resolves false after `timeoutMs`. Without it, this waits until the parent ends, and this process with it. */
  join(timeoutMs?: number): Promise<boolean>;
}

/** The process that started this one; `undefined` in the main process. */
export function parentProcess(): ParentProcess | undefined {
  const { parent } = currentIdentity();
  if (parent === undefined) return undefined;
  return {
    ...parent,
    get isAlive() {
      return process.ppid === parent.pid;
    },
    join(timeoutMs) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      // Nobody resolves it otherwise: the kernel kills this process together with its parent.
      setTimeout(() => resolve(process.ppid !== parent.pid), Math.min(timeoutMs ?? 2 ** 31 - 1, 2 ** 31 - 1));
      return promise;
    },
  };
}
