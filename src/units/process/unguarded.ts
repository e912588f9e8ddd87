/** Tells of a missing main guard: once for a program, however many children ran into it. */

import { setImmediate } from '../../platform/clock.ts';

let isTold = false;

/**
 * Writes the error of a child to stderr, and has the program end with code 1, unless the program has seen the error
 * itself by then.
 *
 * @param isSeen - whether somebody asked for the child's result, and so got the error.
 */
export function tellUnguarded(error: unknown, isSeen: () => boolean): void {
  // Whoever waits for the end of the child goes on first, and may ask.
  setImmediate(() => {
    if (isSeen()) return;
    process.exitCode ??= 1;
    if (isTold) return;
    isTold = true;
    process.stderr.write(`${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n`);
  });
}
