/** The command line: which commands there are, and what a wrong call gets. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addRun } from './run.ts';
import { addShm } from './shm.ts';
import { UsageError, usageExitCode } from './usage-error.ts';

/** Runs the command that `argv` (as `process.argv`) names. Sets the exit code: 0, that of the program, or 2 for a wrong call. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('manyhands')
    .description('Runs TypeScript programs that use processes.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .enablePositionalOptions()
    .showHelpAfterError('(manyhands --help tells more)')
    .exitOverride();
  addRun(program);
  addShm(program);
  try {
    await program.parseAsync(argv as string[]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  // Commander has printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode;
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`manyhands: ${error.message}\n`);
  return error.exitCode;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
