/** What is said at a standstill, and after how long: for the whole tree, because its units share these settings. */

import { fstatSync, writeSync } from 'node:fs';
import { REPORT_MS, REPORTED } from '../arena/layout.ts';
import { memory } from '../arena/memory.ts';
import { ValidationError } from '../errors.ts';
import { deadlocksIn } from './deadlocks.ts';
import type { Node, WaitGraph } from './wait-graph.ts';

const DEFAULT_MS = 5000;
const LONGEST_MS = 2 ** 30;
/** Units that are listed; of more, how many there are. */
const LISTED_MAX = 20;
const NULL_DEVICE = 0x103;

export interface DeadlockReportOptions {
  /** How long everything must have stood still: an integer from 1 to 2^30. */
  readonly afterMs: number;
}

/**
 * Sets after which time a program in which all units wait for each other for ever says so on standard error, once. It lists
 * what each unit waits for, and the deadlocks found; it ends nothing. Counts for the whole process tree, from now on.
 *
 * Default: 5 seconds, or the environment variable `MANYHANDS_DEADLOCK_REPORT_MS`, where 0 switches it off.
 *
 * @param options - `false` switches it off.
 * @throws {ValidationError} `ERR_VALIDATION`
 */
export function setDeadlockReport(options: DeadlockReportOptions | false): void {
  const afterMs: unknown = options === false ? 0 : options?.afterMs;
  if (
    !Number.isInteger(afterMs) ||
    (options !== false && (afterMs as number) < 1) ||
    (afterMs as number) > LONGEST_MS
  ) {
    throw new ValidationError(
      `setDeadlockReport() takes false or { afterMs }, an integer from 1 to ${LONGEST_MS}, and got ${described(options)}.`,
    );
  }
  Atomics.store(memory().words, REPORT_MS, (afterMs as number) + 1);
}

function described(options: unknown): string {
  if (typeof options !== 'object' || options === null) return String(options);
  return `{ afterMs: ${String((options as { afterMs?: unknown }).afterMs)} }`;
}

/** Milliseconds; `undefined` when it is switched off. */
export function reportAfterMs(): number | undefined {
  const ms = Atomics.load(memory().words, REPORT_MS) - 1;
  const wanted = ms >= 0 ? ms : ofEnvironment();
  return wanted === 0 ? undefined : wanted;
}

function ofEnvironment(): number {
  const text = process.env.MANYHANDS_DEADLOCK_REPORT_MS ?? '';
  const ms = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isInteger(ms) && ms >= 0 && ms <= LONGEST_MS ? ms : DEFAULT_MS;
}

/** Reports a standstill, unless a unit of the tree has reported this one already. */
export function report(graph: WaitGraph, afterMs: number): void {
  // Nobody would read it here; another unit may have somebody who does.
  if (isDiscarded()) return;
  const { words } = memory();
  const mark = hash(graph.mark);
  const last = Atomics.load(words, REPORTED);
  if (last === mark || Atomics.compareExchange(words, REPORTED, last, mark) !== last) return;
  try {
    writeSync(2, reportText(graph, afterMs));
  } catch {
    // Standard error is closed or full: there is nobody left to tell.
  }
}

function reportText(graph: WaitGraph, afterMs: number): string {
  const nodes = [...graph.nodes.values()];
  const lines = nodes.slice(0, LISTED_MAX).map(lineOf);
  if (nodes.length > LISTED_MAX) lines.push(`  and ${nodes.length - LISTED_MAX} more`);
  return `${[
    `Manyhands: all units of this program wait for each other, for ever (seen for ${afterMs / 1000} s):`,
    ...lines,
    ...deadlocksIn(graph).map(({ text }) => text),
    'Nothing was ended. setDeadlockReport(false) or MANYHANDS_DEADLOCK_REPORT_MS=0 switches this report off.',
  ].join('\n')}\n`;
}

function lineOf({ title, pid, edges }: Node): string {
  const counts = new Map<string, number>();
  for (const edge of edges) counts.set(edge.title, (counts.get(edge.title) ?? 0) + 1);
  const things = [...counts].map(([thing, count]) => (count === 1 ? thing : `${thing} (${count} times)`));
  const rest = things.length > LISTED_MAX ? ` and ${things.length - LISTED_MAX} more` : '';
  return `  ${title} (pid ${pid}) waits for ${things.slice(0, LISTED_MAX).join(', ')}${rest}`;
}

function isDiscarded(): boolean {
  try {
    const { rdev } = fstatSync(2);
    return rdev === NULL_DEVICE;
  } catch {
    return true; // closed
  }
}

/** FNV-1a, not 0. */
function hash(text: string): number {
  let value = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value === 0 ? 1 : value;
}
