/** What came of a process: the value of its target, or an error. */

import { decodeHandle } from '../../channels/handles.ts';
import { decode } from '../../codec/decode.ts';
import { decodeErrorClass } from '../../codec/error-class.ts';
import { StateError, UnitCrashedError } from '../../errors.ts';
import { describeExit, unsettledExitCode } from './exit-status.ts';
import type { Run } from './run.ts';

export type Settled<R> =
  | { readonly threw: false; readonly value: Awaited<R> }
  | { readonly threw: true; readonly error: unknown };

/** @param run - of a process that has ended; `undefined` when it was closed before anybody asked. */
export function settle<R>(run: Run | undefined, process: { readonly name: string }): Settled<R> {
  if (run === undefined) {
    return { threw: true, error: new StateError(`${process} was closed before its result was taken.`) };
  }
  const { outcome, lost } = run;
  if (lost !== undefined) return { threw: true, error: lost.reason };
  if (outcome === undefined) return { threw: true, error: crash(run, process) };
  try {
    const value = decode(outcome.value, { decodeErrorClass, decodeHandle });
    return outcome.kind === 'returned' ? { threw: false, value: value as Awaited<R> } : { threw: true, error: value };
  } catch (error) {
    return { threw: true, error };
  }
}

function crash(run: Run, process: { readonly name: string }): UnitCrashedError {
  const status = run.status ?? { kind: 'normal', code: 0 };
  const why =
    status.code === unsettledExitCode && status.kind === 'error'
      ? 'ended because its target awaits something that can no longer happen'
      : `${describeExit(status)} before its target returned`;
  return new UnitCrashedError(`${process} (pid ${run.pid}) ${why}.`, {
    exit: Object.freeze(status),
    unit: process.name,
  });
}
