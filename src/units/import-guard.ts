/**
 * Tells code that runs because a child imports a module from code that runs because its target does.
 *
 * The import runs in an async context of its own, which timers, promises and test runners set up during it inherit: a
 * start that comes later from there is refused as well, or a program without a guard would multiply slowly.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { onThreadsModule } from '../codec/module-scope.ts';
import { StartDuringImportError } from '../errors.ts';
import { birth, currentIdentity, isChild, isMainThread } from './current.ts';

interface ImportContext {
  readonly url: string;
}

const importing = new AsyncLocalStorage<ImportContext | undefined>();

/** False in a child or thread until it has its order: what runs there so far are the modules of `--import` and `--require`. */
let mayStart = !isChild && birth === undefined;

/** Child, thread: from now on only imports are kept from starting units. */
export function permitStarts(): void {
  mayStart = true;
}

/** The name under which worker threads that an import starts find its URL. */
const environmentKey = 'manyhands:importing';
/** Processes that start processes that start …: deeper than any program means to go, and soon reached without a guard. */
const GENERATIONS_MAX = 32;

/** Runs `body`, the import of the module at `url` by a child. */
export async function runImport<T>(url: string, body: () => Promise<T>): Promise<T> {
  const before = process.listeners('beforeExit');
  const forget = watchThreads(url);
  try {
    return await importing.run({ url }, body);
  } finally {
    forget();
    keepContext(url, before);
  }
}

/**
 * Has threads that the import starts know of it. Only once the import loads the module for it: that takes 2 ms, which most
 * starts can do without.
 */
function watchThreads(url: string): () => void {
  let threads: typeof import('node:worker_threads') | undefined;
  const unwatch = onThreadsModule(() => {
    threads = process.getBuiltinModule('node:worker_threads');
    threads.setEnvironmentData(environmentKey, url);
  });
  return () => {
    unwatch();
    threads?.setEnvironmentData(environmentKey, undefined as never);
  };
}

/** Listeners for the end of the event loop know nothing of the context that added them; these get it back. */
function keepContext(url: string, before: readonly unknown[]): void {
  for (const listener of process.listeners('beforeExit')) {
    if (before.includes(listener)) continue;
    const kept = (code: number): unknown => importing.run({ url }, () => listener.call(process, code));
    // By this name `off` and `listeners` know it, as they do for `once`.
    Object.defineProperty(kept, 'listener', { value: listener });
    process.off('beforeExit', listener);
    process.on('beforeExit', kept);
  }
}

/** Runs `body` as the target of a unit, whatever context made it. */
export function runTarget<T>(body: () => T): T {
  return importing.run(undefined, body);
}

/** @throws {StartDuringImportError} `ERR_START_DURING_IMPORT` in code that an import set going. */
export function assertMayStart(what: string): void {
  if (!mayStart) {
    throw new StartDuringImportError(
      `${what} was started by a module that Node preloads (--import, --require, NODE_OPTIONS), in a ${birth === undefined ? 'child process' : 'thread'}.\n` +
        'Children preload it as well, and must not start what their parent starts. Keep that code to the main program:\n\n' +
        '    if (isMainProcess) {\n      // what starts processes\n    }\n',
    );
  }
  const { path } = currentIdentity();
  const generation = path === '' ? 0 : path.split(':').length;
  if (generation >= GENERATIONS_MAX) {
    throw new StartDuringImportError(
      `${what} would be generation ${generation + 1} of processes, each started by the one before. ` +
        `That is hardly meant: is the main guard missing, if (import.meta.main) { … }? At most ${GENERATIONS_MAX} are started.`,
    );
  }
  const context = importing.getStore() ?? contextOfThread();
  if (context === undefined) return;
  const guard = /\.c[jt]s$/.test(context.url) ? 'require.main === module' : 'import.meta.main';
  throw new StartDuringImportError(
    `${what} was started by code that runs when a ${birth === undefined ? 'child process' : 'thread'} imports ${context.url}.\n` +
      'It imports the module of its target, and must not start what its parent starts. Keep that code to the main program:\n\n' +
      `    if (${guard}) {\n      // what starts processes\n    }\n`,
  );
}

/** Worker thread: the import that its process was at when the thread was started. */
function contextOfThread(): ImportContext | undefined {
  if (isMainThread) return undefined;
  const url = process.getBuiltinModule('node:worker_threads').getEnvironmentData(environmentKey);
  return typeof url === 'string' ? { url } : undefined;
}
