/** How a unit ended; the four ways of an operating-system lecture. */
export interface Exit {
  /**
   * - `normal`: code 0.
   * - `error`: a code chosen by the program, e.g. `process.exit(3)`.
   * - `fatal`: an uncaught error, or a fault: SIGSEGV, SIGABRT, out of memory.
   * - `killed`: a signal sent by another process, or `terminate()`, `kill()`, `interrupt()`.
   */
  readonly kind: 'normal' | 'error' | 'fatal' | 'killed';
  /** The exit code; absent when a signal ended it. */
  readonly code?: number;
  /** The signal's name, e.g. `SIGKILL`. */
  readonly signal?: string;
  /** What was thrown, when something was. */
  readonly error?: unknown;
}
