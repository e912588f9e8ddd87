/**
 * Tells code that runs because a child imports a module from code that runs because its target does.
 *
 * The import runs in an async context of its own, which timers, promises and test runners set up during it inherit: a
 * start that comes later from there is refused as well, or a program without a guard would multiply slowly.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { StartDuringImportError } from '../errors.ts';

interface ImportContext {
  readonly url: string;
}

const importing = new AsyncLocalStorage<ImportContext | undefined>();

/** Runs `body`, the import of the module at `url` by a child. */
export function runImport<T>(url: string, body: () => T): T {
  return importing.run({ url }, body);
}

/** Runs `body` as the target of a unit, whatever context made it. */
export function runTarget<T>(body: () => T): T {
  return importing.run(undefined, body);
}

/** @throws {StartDuringImportError} `ERR_START_DURING_IMPORT` in code that an import set going. */
export function assertMayStart(what: string): void {
  const context = importing.getStore();
  if (context === undefined) return;
  const guard = /\.c[jt]s$/.test(context.url) ? 'require.main === module' : 'import.meta.main';
  throw new StartDuringImportError(
    `${what} was started by code that runs when a child process imports ${context.url}.\n` +
      'A child imports the module of its target, and must not start what its parent starts. Keep that code to the main program:\n\n' +
      `    if (${guard}) {\n      // what starts processes\n    }\n`,
  );
}
