/** What processes, threads and coroutines have in common. */

import type { Exit } from '../exit.ts';

/**
 * The states of an operating-system lecture, seen from outside:
 * `new` (not started), `ready` (started but not yet in its target, or suspended), `running` (on a processor or about to
 * be), `blocked` (waits for something), `terminated`.
 */
export type UnitState = 'new' | 'ready' | 'running' | 'blocked' | 'terminated';

export interface UnitOptions<A extends readonly unknown[], R> {
  /** The function to run. */
  target: (...args: [...A]) => R;
  /** Its arguments, copied at `start()`. Default: none. */
  args?: A;
  /** Default: `Process-1`, `Process-2`, …, inside of `Process-2` `Process-2:1`; `Thread-1`, …. Need not be unique. */
  name?: string;
  /** A daemon does not keep its parent alive and ends with it. Default: inherited from the unit that creates it. */
  daemon?: boolean;
  /** Ends the unit when it is aborted; `result()` then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface Unit<R> {
  /** Returns at once; the target runs later. Throws `StateError` the second time. */
  start(): void;
  /** Resolves true once the unit has ended, false when `timeoutMs` passes first. Never rejects for what the target did. */
  join(timeoutMs?: number): Promise<boolean>;
  joinSync(timeoutMs?: number): boolean;
  /** The target's value, or rejects with what it threw, or with `UnitCrashedError` when it ended otherwise. */
  result(): Promise<Awaited<R>>;
  readonly name: string;
  readonly daemon: boolean;
  readonly isAlive: boolean;
  readonly state: UnitState;
  /** What a blocked unit waits for, e.g. `process "worker"`. */
  readonly waitingFor: string | undefined;
  readonly exit: Exit | undefined;
  readonly exitCode: number | undefined;
}
