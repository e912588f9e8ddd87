/**
 * Starts a Node that will be a child: it boots, maps its mailbox, and waits there to be told what to run. What it boots
 * with (options of Node, environment, descriptors) is fixed from here on; everything else comes with the order.
 */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { PlatformError } from '../../errors.ts';
import { childEntry, cwdAtLoad } from '../current.ts';
import { withCompileCache } from './compile-cache.ts';
import { Mailbox } from './mailbox.ts';
import type { ProcessStdio } from './options.ts';

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
}

const plainBoot = (): BootOptions => ({ execArgv: [], env: currentEnvironment(), stdio: 'inherit' });

/** Node would start without it, and fail in the child. Asked once. */
let hasEntry: boolean | undefined;

/** @throws {PlatformError} `ERR_PLATFORM` when the system refuses another process. */
export function boot(options: BootOptions = plainBoot()): Booted {
  hasEntry ??= existsSync(childEntry);
  if (!hasEntry) throw refused();
  const mailbox = Mailbox.create();
  try {
    const handle = spawn(process.execPath, [...nodeOptions(options.execArgv), childEntry, starter()], {
      stdio: descriptors(options.stdio, mailbox.fd),
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

function descriptors(stdio: ProcessStdio, mailbox: number): StdioOptions {
  if (stdio === 'inherit') return ['inherit', 'inherit', 'inherit', mailbox];
  return stdio === 'ignore' ? ['ignore', 'ignore', 'ignore', mailbox] : ['ignore', 'pipe', 'pipe', mailbox];
}

/** `process.env`, less what would have a child report to the parent's test runner as if it were a test file. */
export function currentEnvironment(): Record<string, string> {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  return environment as Record<string, string>;
}

/** Variables that a runtime or its libraries read when they start, and so no spare can be given later. */
const readAtBoot = /^(NODE_|LD_|UV_|OPENSSL_|SSL_|GLIBC_|MALLOC_|ICU_|LC_|LANG|(HTTPS?|NO)_PROXY$)/i;

/** In which surroundings a child boots: two children with the same ones are as good as each other. */
export function surroundings(env: Readonly<Record<string, string>> = currentEnvironment()): string {
  const variables = Object.keys(env).filter((key) => readAtBoot.test(key));
  return JSON.stringify([
    process.getuid?.(),
    process.geteuid?.(),
    process.getgid?.(),
    process.getegid?.(),
    process.getgroups?.(),
    getPriority(),
    process.execPath,
    variables.sort().map((key) => [key, env[key]]),
  ]);
}

/** Options of the parent's Node that make no sense in a child: its inspector's port, its program text, its modes. */
const dropped: ReadonlySet<string> = new Set([
  ...['--inspect', '--inspect-brk', '--inspect-wait', '--inspect-port', '--debug-port', '--inspect-publish-uid'],
  ...['--eval', '-e', '--print', '-p', '-pe', '--interactive', '-i', '--check', '-c', '--input-type'],
  ...[
    '--test',
    '--watch',
    '--watch-path',
    '--watch-preserve-output',
    '--run',
    '--build-snapshot',
    '--build-snapshot-config',
  ],
  ...['--test-name-pattern', '--test-only', '--test-reporter', '--test-reporter-destination', '--test-concurrency'],
  ...['--test-timeout', '--test-shard', '--test-isolation', '--test-force-exit', '--experimental-test-coverage'],
]);
/** Those of them whose value may stand apart, as the next argument. */
const takesValue: ReadonlySet<string> = new Set([
  ...[
    '--inspect-port',
    '--debug-port',
    '--eval',
    '-e',
    '-p',
    '-pe',
    '--print',
    '--input-type',
    '--watch-path',
    '--run',
  ],
  ...['--test-name-pattern', '--test-reporter', '--test-reporter-destination', '--test-concurrency', '--test-timeout'],
  ...['--test-shard', '--test-isolation', '--build-snapshot-config'],
]);

/** The options that a child's Node gets: the parent's, loaders and source maps included, then `added`. */
export function nodeOptions(added: readonly string[], inherited: readonly string[] = process.execArgv): string[] {
  // A port of its own, should somebody ask it to be debugged (SIGUSR1).
  return [...withoutDropped(inherited), '--inspect-port=0', ...added];
}

function withoutDropped(options: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!;
    const name = option.startsWith('--') ? option.split('=')[0]! : option;
    if (!dropped.has(name)) kept.push(option);
    else if (takesValue.has(name) && !option.includes('=') && !(options[i + 1] ?? '-').startsWith('-')) i++;
  }
  return kept;
}

function bootEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const cached = withCompileCache(env);
  if (env.NODE_OPTIONS === undefined) return cached;
  // Blanks inside of quotes are part of an option.
  const options = env.NODE_OPTIONS.match(/(?:[^\s"]|"(?:\\.|[^"\\])*"?)+/g) ?? [];
  return { ...cached, NODE_OPTIONS: withoutDropped(options).join(' ') };
}

/** Node tells the reason only later, by an event; this finds out the usual ones now. */
function refused(): PlatformError {
  if (!existsSync(childEntry)) {
    return new PlatformError(
      `The file that child processes of Manyhands run is missing: ${childEntry}. A bundler may have put the library into the ` +
        'program. Leave it out (esbuild: --external:manyhands) and install it beside the bundle.',
    );
  }
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
