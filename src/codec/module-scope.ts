/**
 * Gives access to the scope of modules that are about to be imported.
 *
 * A synchronous load hook appends one line to a module, which stores an evaluator: a direct `eval` at module scope,
 * able to see everything there. Positions in the module stay as they are. Hooks run last-registered first, so loaders
 * given by `--import` have transformed the source before we append to it.
 *
 * All modules of the program get the line, as a later message may bring a function of any that was loaded by then; those
 * in `node_modules` only when asked for.
 */

import { readFileSync } from 'node:fs';
// Not by name: a Node without it must come to the message about its version.
import module, { type LoadFnOutput, type LoadHookContext } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Evaluates an expression at the scope of one module. */
export type ModuleScope = (expression: string) => unknown;

/** `import.meta` is no name that `eval` could see; functions are sent with this one instead, of the same length. */
type Evaluator = (code: string, importMeta: unknown) => unknown;

/** A bare name, for a module may declare its own `Symbol` or `globalThis`. */
const registry = '__manyhands_scopes';
const scopes = new Map<string, ModuleScope>();
const wanted = new Set<string>();
let isHooked = false;
const threadListeners = new Set<() => void>();

/** Has `listener` called when a module imports or requires `node:worker_threads`; returns what ends that. */
export function onThreadsModule(listener: () => void): () => void {
  threadListeners.add(listener);
  return () => void threadListeners.delete(listener);
}

/** The scope of the module at `url`, once it has been imported after `watchModule(url)`. */
export function scopeOf(url: string): ModuleScope | undefined {
  return scopes.get(url);
}

/** From now on, importing `url` for the first time makes its scope available; so does importing one of the program's. */
export function watchModule(url: string): void {
  wanted.add(url);
  if (isHooked) return;
  isHooked = true;
  Object.defineProperty(globalThis, registry, {
    value: (at: string, evaluate: Evaluator, importMeta: unknown): void => {
      scopes.set(at, (expression) => evaluate(expression, importMeta));
    },
  });
  module.registerHooks({
    load(at, context, nextLoad) {
      if (at === 'node:worker_threads') for (const listener of threadListeners) listener();
      const loaded = nextLoad(at, context);
      const isLookedInto = wanted.has(at) || !(at.startsWith('node:') || at.includes('/node_modules/'));
      return isLookedInto ? withEvaluator(at, context, loaded) : loaded;
    },
  });
}

function withEvaluator(url: string, context: LoadHookContext, loaded: LoadFnOutput): LoadFnOutput {
  const format = loaded.format ?? context.format ?? '';
  const isModule = format.startsWith('module');
  if (!isModule && !format.startsWith('commonjs')) return loaded;
  const source = loaded.source ?? readFileSync(fileURLToPath(url));
  const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8');
  const meta = isModule ? 'import.meta' : 'undefined';
  const line = `\n;${registry}(${JSON.stringify(url)}, (__import_ex, __import_mt) => eval(__import_ex), ${meta});\n`;
  return { ...loaded, format, source: text + line };
}
