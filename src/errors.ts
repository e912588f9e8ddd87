/**
 * Every error class of Manyhands. The class and `code` are contract; the message may improve.
 * `docs/errors.md` explains each code; a test compares the two.
 */

import type { Exit } from './exit.ts';

/** What an error may carry besides its message. */
export interface ManyhandsErrorOptions {
  /** A more precise code than the class's own. */
  code?: string;
  cause?: unknown;
}

/** The base of every error that this library makes; `code` is stable and begins with `ERR_`. */
export class ManyhandsError extends Error {
  static readonly defaultCode: string = 'ERR_MANYHANDS';
  readonly code: string;

  constructor(message: string, options: ManyhandsErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = options.code ?? new.target.defaultCode;
  }

  static {
    // On the prototype, as for the language's own errors: an own `name` would be printed with the stack.
    Object.defineProperty(ManyhandsError.prototype, 'name', { value: 'ManyhandsError', configurable: true });
  }
}

/** Gives `errorClass` its default code and the `name` that stacks and messages show. */
function define(errorClass: typeof ManyhandsError, name: string): void {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** The time given to a wait passed first. */
export class TimeoutError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_TIMEOUT';
}

/** The work was cancelled by someone who had the right to. */
export class CancelledError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_CANCELLED';
}

/** A unit ended without returning and without throwing: it exited, was killed, or broke. */
export class UnitCrashedError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_UNIT_CRASHED';
  /** How it ended. */
  readonly exit: Exit;
  /** Its name. */
  readonly unit: string;
  /** The task that it was running, when it was a pool's worker. */
  declare readonly task?: string;

  constructor(
    message: string,
    details: { exit: Exit; unit: string; task?: string },
    options: ManyhandsErrorOptions = {},
  ) {
    super(message, options);
    this.exit = details.exit;
    this.unit = details.unit;
    if (details.task !== undefined) this.task = details.task;
  }
}

/** A member of a task group failed: in the `errors` of an AggregateError, with what it threw as the `cause`. */
export class MemberError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_MEMBER_FAILED';
  /** How it ended. */
  readonly exit: Exit;
  /** Its name. */
  readonly unit: string;

  constructor(message: string, details: { exit: Exit; unit: string }, options: ManyhandsErrorOptions = {}) {
    super(message, options);
    this.exit = details.exit;
    this.unit = details.unit;
  }
}

/** A function, or something it captures or is given, that cannot reach another process or thread. */
export class TargetError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_TARGET';
}

/** A value that cannot be copied to another process or thread; the message names its place, e.g. `args[0].socket`. */
export class CloneError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_CANNOT_CLONE';
}

/** Released or waited on by somebody who does not hold it. */
export class NotOwnerError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_NOT_OWNER';
}

/** Used after it was closed, by this side or the other. */
export class ClosedError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_CLOSED';
}

/** There is no room, and the call does not wait. */
export class FullError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_FULL';
}

/** The call does not fit the state of the object: started twice, joined before the start, closed while it runs. */
export class StateError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_STATE';
}

/** An argument or option that makes no sense; the message shows the value and what to write instead. */
export class ValidationError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_VALIDATION';
}

/** A party of the barrier gave up, died, or reset it. */
export class BrokenBarrierError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_BROKEN_BARRIER';
}

/** A message longer than the buffer given for it; `bytes` is the whole message. */
export class BufferTooShortError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_BUFFER_TOO_SHORT';
  readonly bytes: Uint8Array;

  constructor(message: string, bytes: Uint8Array, options: ManyhandsErrorOptions = {}) {
    super(message, options);
    this.bytes = bytes;
  }
}

/** A module started a unit while a child was importing it: the main guard is missing. */
export class StartDuringImportError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_START_DURING_IMPORT';
}

/** The operating system, or this Node, lacks or refused something. */
export class PlatformError extends ManyhandsError {
  static override readonly defaultCode: string = 'ERR_PLATFORM';
}

/** Every class above by its name: how an error finds its class again in another process. */
export const errorClasses: Readonly<Record<string, typeof ManyhandsError>> = Object.freeze({
  ManyhandsError,
  TimeoutError,
  CancelledError,
  UnitCrashedError: UnitCrashedError as unknown as typeof ManyhandsError,
  MemberError: MemberError as unknown as typeof ManyhandsError,
  TargetError,
  CloneError,
  NotOwnerError,
  ClosedError,
  FullError,
  StateError,
  ValidationError,
  BrokenBarrierError,
  BufferTooShortError: BufferTooShortError as unknown as typeof ManyhandsError,
  StartDuringImportError,
  PlatformError,
});
for (const [name, errorClass] of Object.entries(errorClasses)) define(errorClass, name);
