/** From what the kernel and the child say to how a process ended. */

import { constants } from 'node:os';
import type { WaitStatus } from '../../platform/system.ts';
import type { OutcomeKind } from './mailbox.ts';

export interface ExitStatus {
  readonly kind: 'normal' | 'error' | 'fatal' | 'killed';
  readonly code?: number;
  readonly signal?: string;
}

/** Signals that the kernel or the runtime sends to a process for what it did itself. */
const faults: ReadonlySet<string> = new Set([
  'SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS', 'SIGXCPU', 'SIGXFSZ',
]); // biome-ignore format: a list

/** Exit code of a process whose target waits for something that can no longer happen; Node's own for modules. */
export const unsettledExitCode = 13;

export function exitStatus(status: WaitStatus, outcome: OutcomeKind | undefined): ExitStatus {
  if ('signalNumber' in status) {
    const signal = signalName(status.signalNumber);
    return { kind: faults.has(signal) ? 'fatal' : 'killed', signal };
  }
  const { code } = status;
  if (code === 0) return { kind: 'normal', code };
  return { kind: outcome === undefined || outcome === 'returned' ? 'error' : 'fatal', code };
}

/** Of a unit that knows no signals and was made to end: that of a process which `terminate()` ended. */
export const terminatedExitCode: number = -constants.signals.SIGTERM;

/** As in Python: the code, or minus the number of the signal. */
export function exitCodeOf({ code, signal }: Pick<ExitStatus, 'code' | 'signal'>): number {
  if (code !== undefined) return code;
  return signal === undefined ? terminatedExitCode : -numberOf(signal);
}

/** `exited with code 3`, `was killed by SIGKILL`: for messages. */
export function describeExit({ kind, code, signal }: ExitStatus): string {
  if (signal === undefined && kind === 'killed') return 'was terminated';
  if (signal === undefined && kind === 'fatal') return 'broke down';
  if (signal === undefined) return `exited with code ${code}`;
  return kind === 'fatal' ? `broke down with ${signal}` : `was killed by ${signal}`;
}

const numbers = constants.signals as Readonly<Record<string, number>>;
// SIGIOT is a second name of SIGABRT, and comes first.
const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
names.set(constants.signals.SIGABRT, 'SIGABRT');

function signalName(number: number): string {
  return names.get(number) ?? `SIG${number}`;
}

function numberOf(signal: string): number {
  return numbers[signal] ?? Number(signal.slice('SIG'.length));
}
