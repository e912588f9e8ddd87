/**
 * Child processes of the scripts: one at a time, ended with their parent, and their end passed on.
 *
 * Ctrl-C reaches the whole foreground group of a terminal, the child included, so it is not sent a second time: many
 * programs take a second SIGINT for "now, at once". A signal that was sent to this process alone is passed on.
 */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
const FROM_THE_KEYBOARD = new Set(['SIGINT', 'SIGQUIT']);
/** How long a signal to oneself may take before the exit code says it instead (as process 1 it never comes). */
const SELF_SIGNAL_MS = 200;

/** Thrown by work that stopped because this process was sent `signal`. */
export class Interrupted extends Error {
  constructor(signal) {
    super(`Interrupted by ${signal}.`);
    this.signal = signal;
  }
}

/**
 * Runs a command until it has ended. Stdio is this process's own unless `options.stdio` says otherwise.
 *
 * @returns {Promise<{ code: number | null, signal: string | null, stderr: string, interruptedBy: string | undefined }>}
 *   how it ended, what it wrote to a piped stderr, and the last signal that this process got meanwhile.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    let interruptedBy;
    let stderr = '';
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    const listeners = SIGNALS.map((signal) => [
      signal,
      () => {
        interruptedBy = signal;
        if (!(FROM_THE_KEYBOARD.has(signal) && isInForeground())) child.kill(signal);
      },
    ]);
    for (const [signal, listener] of listeners) process.on(signal, listener);
    const stopListening = () => {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    };
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', (error) => {
      stopListening();
      reject(error);
    });
    child.on('close', (code, signal) => {
      stopListening();
      resolve({ code, signal, stderr, interruptedBy });
    });
  });
}

/** Ends this process as a child ended: by the same signal, or with the same exit code. */
export function endLike({ code, signal }) {
  if (signal === null || signal === undefined) process.exit(code ?? 1);
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), SELF_SIGNAL_MS);
}

/** Runs a script's body: an error is one message and exit code 1, an interruption ends by its signal. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (error instanceof Interrupted) return endLike(error);
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** Whether a key pressed in the terminal signals this process group. */
function isInForeground() {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group, , , foregroundGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === foregroundGroup;
  } catch {
    // No /proc: not Linux. A terminal on stdin is the best guess.
    return process.stdin.isTTY === true;
  }
}
