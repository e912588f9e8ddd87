/** What `wait()` can wait for: each class says for itself when its values are ready. */

export interface Readiness {
  /** Looks; changes nothing. */
  isReady(): boolean;
  /** Resolves when it may be ready; rejects when `signal` is aborted. Takes nothing. */
  whenReady(signal: AbortSignal): Promise<unknown>;
}

const classes = new Map<unknown, (value: object) => Readiness>();

/** Has `wait()` wait for values of a class. @param readiness - may throw when a value cannot be waited for. */
export function registerWaitable<T extends object>(
  waitableClass: abstract new (...args: never[]) => T,
  readiness: (value: T) => Readiness,
): void {
  classes.set(waitableClass, readiness as (value: object) => Readiness);
}

/** `undefined` for what is nothing to wait for. */
export function readinessOf(value: unknown): Readiness | undefined {
  for (const [waitableClass, readiness] of classes) {
    if (value instanceof (waitableClass as new () => object)) return readiness(value);
  }
  return undefined;
}
