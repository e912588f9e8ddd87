/** What came of a process or thread: the value of its target, or an error. */

import { decodeHandle } from '../../channels/handles.ts';
import { decode } from '../../codec/decode.ts';
import { decodeErrorClass } from '../../codec/error-class.ts';
import { StateError, UnitCrashedError } from '../../errors.ts';
import { describeExit, type ExitStatus, unsettledExitCode } from './exit-status.ts';
import type { Outcome } from './mailbox.ts';

/** A run of a unit that has ended: what is left of it. */
export interface Ended {
  /** What the system calls the unit: `pid 12`. */
  readonly id: string;
  readonly status: ExitStatus | undefined;
  readonly outcome: Outcome | undefined;
  readonly lost: { readonly reason: unknown } | undefined;
  /** What the engine says of its end. */
  readonly fault?: unknown;
}

export type Settled<R> =
  | { readonly threw: false; readonly value: Awaited<R> }
  | { readonly threw: true; readonly error: unknown };

/** @param run - of a unit that has ended; `undefined` when it was closed before anybody asked. */
export function settle<R>(run: Ended | undefined, unit: { readonly name: string }): Settled<R> {
  if (run === undefined) {
    return { threw: true, error: new StateError(`${unit} was closed before its result was taken.`) };
  }
  const { outcome, lost } = run;
  if (lost !== undefined) return { threw: true, error: lost.reason };
  if (outcome === undefined) return { threw: true, error: crash(run, unit) };
  try {
    const value = decode(outcome.value, { decodeErrorClass, decodeHandle });
    return outcome.kind === 'returned' ? { threw: false, value: value as Awaited<R> } : { threw: true, error: value };
  } catch (error) {
    return { threw: true, error };
  }
}

function crash(run: Ended, unit: { readonly name: string }): UnitCrashedError {
  const status = run.status ?? { kind: 'normal', code: 0 };
  const why =
    status.code === unsettledExitCode && status.kind === 'error'
      ? 'ended because its target awaits something that can no longer happen'
      : `${describeExit(status)} before its target returned`;
  const reason = run.fault instanceof Error ? `: ${run.fault.message}` : '.';
  return new UnitCrashedError(
    `${unit} (${run.id}) ${why}${reason}`,
    { exit: Object.freeze(status), unit: unit.name },
    run.fault === undefined ? {} : { cause: run.fault },
  );
}
