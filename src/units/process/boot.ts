/**
 * Starts a Node that will be a child: it boots, maps its mailbox, and waits there to be told what to run. What it boots
 * with (options of Node, environment, descriptors) is fixed from here on; everything else comes with the order.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readlinkSync } from 'node:fs';
import { arenaFd } from '../../arena/memory.ts';
import { PlatformError } from '../../errors.ts';
import { childEntry, cwdAtLoad } from '../current.ts';
import { withCompileCache } from './compile-cache.ts';
import { Mailbox } from './mailbox.ts';
import { inheritedNodeOptions, nodeOptions } from './node-options.ts';
import type { ProcessStdio } from './options.ts';
import { currentEnvironment, surroundings } from './surroundings.ts';

/** A booting or waiting child, not yet told what to run. */
export interface Booted {
  readonly handle: ChildProcess;
  readonly pid: number;
  readonly mailbox: Mailbox;
  /** What it has of its parent for good; a child with other surroundings than the parent has now is of no use. */
  readonly surroundings: string;
}

export interface BootOptions {
  /** Options of Node besides the parent's. */
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: ProcessStdio;
  /** Whether it is for later: then it loads what it can while it waits. */
  readonly isSpare: boolean;
}

/** @throws {PlatformError} `ERR_PLATFORM` when the system refuses another process. */
export function bootSpare(): Booted {
  return boot({ execArgv: [], env: currentEnvironment(), stdio: 'inherit', isSpare: true });
}

/** Node would start without it, and fail in the child. Asked once. */
let hasEntry: boolean | undefined;

/** @throws {PlatformError} `ERR_PLATFORM` when the system refuses another process. */
export function boot(options: BootOptions): Booted {
  hasEntry ??= existsSync(childEntry);
  if (!hasEntry) throw missingEntry();
  const mailbox = Mailbox.create();
  try {
    const purpose = options.isSpare ? ['spare'] : [];
    const handle = spawn(process.execPath, [...nodeOptions(options.execArgv), childEntry, starter(), ...purpose], {
      stdio: [...descriptors(options.stdio), mailbox.fd, arenaFd()],
      env: bootEnvironment(options.env),
      cwd: cwdAtLoad !== undefined && existsSync(cwdAtLoad) ? cwdAtLoad : undefined,
    });
    // The handle reports a failed spawn once more, as an event; it has been thrown here by then.
    // So does a signal that is not allowed, to a child of more rights: after this process gave up its own.
    handle.on('error', () => {});
    if (handle.pid === undefined) throw refused();
    return { handle, pid: handle.pid, mailbox, surroundings: surroundings(options.env) };
  } catch (error) {
    mailbox.close();
    if (error instanceof PlatformError) throw error;
    throw new PlatformError(`The system refuses another process: ${String(error)}.`, { cause: error });
  }
}

/** This thread, as a path below /proc: the child sees by it whether it is still there. */
function starter(): string {
  return readlinkSync('/proc/thread-self');
}

/** Standard input, output and error. */
function descriptors(stdio: ProcessStdio): ('inherit' | 'ignore' | 'pipe')[] {
  if (stdio === 'inherit') return ['inherit', 'inherit', 'inherit'];
  return stdio === 'ignore' ? ['ignore', 'ignore', 'ignore'] : ['ignore', 'pipe', 'pipe'];
}

function bootEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const cached = withCompileCache(env);
  return env.NODE_OPTIONS === undefined ? cached : { ...cached, NODE_OPTIONS: inheritedNodeOptions(env.NODE_OPTIONS) };
}

function missingEntry(): PlatformError {
  return new PlatformError(
    `The file that child processes of Manyhands run is missing: ${childEntry}. A bundler may have put the library into the ` +
      'program. Leave it out (esbuild: --external:manyhands) and install it beside the bundle.',
  );
}

/** Node tells the reason only later, by an event; this finds out the usual ones now. */
function refused(): PlatformError {
  return new PlatformError(
    `The system refuses another process: ${hasDescriptors() ? 'too many processes or too little memory' : 'too many open files'}. ` +
      'Let some end first, or raise the limit (ulimit -u, ulimit -n).',
  );
}

/** As many as a start opens, at the most. */
const DESCRIPTORS = 8;

function hasDescriptors(): boolean {
  const opened: number[] = [];
  try {
    for (let i = 0; i < DESCRIPTORS; i++) opened.push(openSync('/dev/null', 'r'));
    return true;
  } catch {
    return false; // EMFILE or ENFILE: that is the answer
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}
