/**
 * The timers and the clock as they were when this library was loaded: a test that mocks those of its program
 * (`mock.timers`, fake timers of other runners) must not stop the ends of processes from being told.
 */

export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout;
export const clearTimeout: typeof globalThis.clearTimeout = globalThis.clearTimeout;
export const setImmediate: typeof globalThis.setImmediate = globalThis.setImmediate;
/** Milliseconds since this thread began. */
export const nowMs: () => number = performance.now.bind(performance);
