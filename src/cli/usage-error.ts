/** Exit code for a command that was called wrongly. */
export const usageExitCode = 2;
/** As a shell's, for a program that is not there. */
export const notFoundExitCode = 127;

/** A mistake in the call: one line, no stack. */
export class UsageError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = usageExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}
