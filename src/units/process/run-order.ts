/** The work of a child or thread: it takes on the order, imports, runs the target, and leaves how that went. */

import { inspect } from 'node:util';
import { announceWaits } from '../../arena/reasons.ts';
import { objectTravel } from '../../arena/travel.ts';
import { encode } from '../../codec/encode.ts';
import { encodeErrorClass } from '../../codec/error-class.ts';
import type { Encoded, EncodeHooks } from '../../codec/types.ts';
import { summary } from '../../codec/value-path.ts';
import { CloneError, StartDuringImportError } from '../../errors.ts';
import { permitStarts } from '../import-guard.ts';
import { loadSharedObjects } from '../shared-objects.ts';
import { callTarget, importModules, unpackTarget } from '../target-unpack.ts';
import { unsettledExitCode } from './exit-status.ts';
import { type Mailbox, phases } from './mailbox.ts';

export interface Work {
  /** Who does it, for messages. */
  readonly title: string;
  /** Modules to import first. */
  readonly modules: readonly string[];
  readonly hasSharedObjects: boolean;
  /** The SharedArrayBuffers in target and arguments. */
  readonly memory: readonly SharedArrayBuffer[];
  /** Whether an uncaught error is printed here, and not by Node. */
  readonly printsUncaught: boolean;
  /** Takes on what the unit shall be. Throws what the system says. */
  takeOn(): void;
}

/**
 * Runs what the mailbox holds. What fails ends the unit with code 1, after the error was left and printed.
 *
 * @param read - reads the first parcel.
 */
export async function runOrder(mailbox: Mailbox, read: (order: Encoded) => Work): Promise<void> {
  const [orderParcel, targetParcel] = mailbox.takeStart();
  const work = read(orderParcel);
  const { title } = work;
  announceWaits((reason) => {
    mailbox.waitingFor = reason;
  });
  reportUncaught(mailbox, work);
  const settle = reportUnsettled(title);
  try {
    work.takeOn();
    permitStarts();
    mailbox.phase = phases.importing;
    await importModules(work.modules);
    if (work.hasSharedObjects) await loadSharedObjects();
    const target = unpackTarget(targetParcel, work.memory);
    mailbox.phase = phases.running;
    // After the phase: a parent that finds an earlier one lets go itself. A death in between holds it for ever, which is
    // better than to let go twice.
    objectTravel()?.letGo(target.handles);
    const value = await callTarget(target);
    settle();
    const objects = objectTravel()?.writer({ isFarewell: true });
    mailbox.postOutcome('returned', encode(value, 'result', { encodeErrorClass, ...objects }), objects?.handles);
  } catch (error) {
    settle();
    fail(mailbox, title, error);
  }
}

function fail(mailbox: Mailbox, title: string, error: unknown): never {
  postError(mailbox, error);
  // As in reportUncaught.
  if (!(error instanceof StartDuringImportError)) process.stderr.write(`${title} failed:\n${errorText(error)}\n`);
  process.exit(1);
}

/** An error outside of the target: Node prints it and ends the process, unless the program handles it. */
function reportUncaught(mailbox: Mailbox, { title, printsUncaught }: Work): void {
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    // A capture callback, node:domain's for one, handles it without any listener.
    if (process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()) return;
    postError(mailbox, error);
    // The parent tells of it: there, once is enough for all children.
    if (error instanceof StartDuringImportError) process.exit(1);
    process.stderr.write(`${title} failed by an uncaught error:\n${printsUncaught ? `${errorText(error)}\n` : ''}`);
  });
}

/** When nothing is left to happen and the target still waits, nobody would ever hear of it. */
function reportUnsettled(title: string): () => void {
  let isSettled = false;
  let isDrained = false;
  process.on('beforeExit', () => {
    isDrained = true;
  });
  process.on('exit', (code) => {
    if (isSettled || !isDrained || code !== 0) return;
    process.exitCode = unsettledExitCode;
    process.stderr.write(`${title} ended with its target unfinished: it awaits something that can no longer happen.\n`);
  });
  return () => {
    isSettled = true;
  };
}

function postError(mailbox: Mailbox, error: unknown): void {
  const kind = error instanceof StartDuringImportError ? 'unguarded' : 'threw';
  const objects = objectTravel()?.writer({ isFarewell: true });
  mailbox.postOutcome(kind, encodeError(error, { encodeErrorClass, ...objects }), objects?.handles);
}

function encodeError(error: unknown, hooks: EncodeHooks): Encoded {
  try {
    return encode(error, 'error', hooks);
  } catch {
    // A thrown function, symbol or socket: its description travels in its place.
    return encode(
      new CloneError(`The process threw a value that cannot be copied to another one: ${summary(error)}.`),
      'error',
    );
  }
}

function errorText(error: unknown): string {
  const text = inspect(error, { colors: process.stderr.isTTY === true });
  return error instanceof Error ? text : `Thrown: ${text}`;
}
