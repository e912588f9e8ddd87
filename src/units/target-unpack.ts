/** The unit's side of `target-pack.ts`: imports what is needed, makes target and arguments, runs the one on the other. */

import { types } from 'node:util';
import { objectTravel } from '../arena/travel.ts';
import { decode } from '../codec/decode.ts';
import { decodeErrorClass } from '../codec/error-class.ts';
import { functionReviver } from '../codec/function-revive.ts';
import { watchModule } from '../codec/module-scope.ts';
import type { AnyFunction, DecodeHooks, Encoded } from '../codec/types.ts';
import { runImport, runTarget } from './import-guard.ts';

type Namespace = Readonly<Record<string, unknown>>;

export interface Target {
  readonly target: AnyFunction;
  readonly args: readonly unknown[];
  /** What the message held: to be let go once the parent knows that it arrived. */
  readonly handles: readonly unknown[];
}

const namespaces = new Map<string, Namespace>();
const hooks: DecodeHooks = { decodeFunction: functionReviver(namespaces), decodeErrorClass };

/** Imports the modules that a message needs, one after the other. Rejects with what the first failing one threw. */
export async function importModules(urls: readonly string[]): Promise<void> {
  for (const url of urls) watchModule(url);
  for (const url of urls) {
    if (!namespaces.has(url)) namespaces.set(url, await runImport(url, () => import(url) as Promise<Namespace>));
  }
}

/**
 * The modules, and the classes of shared objects, must have been imported.
 *
 * @param memory - the SharedArrayBuffers that came beside it.
 * @throws {TargetError} `ERR_TARGET` when the function is not found in the modules.
 */
export function unpackTarget(value: Encoded, memory: readonly SharedArrayBuffer[] = []): Target {
  const objects = objectTravel()?.reader();
  const { target, args } = decode(value, { ...hooks, ...objects, decodeMemory: (number) => memory[number] }) as Target;
  return { target, args, handles: objects?.handles ?? [] };
}

/** Calls the target; of a generator's steps only the last counts: what it returns. */
export async function callTarget({ target, args }: Pick<Target, 'target' | 'args'>): Promise<unknown> {
  const value = await runTarget(() => (target as (...args: readonly unknown[]) => unknown)(...args));
  return types.isGeneratorObject(value) ? runToEnd(value) : value;
}

async function runToEnd(generator: Generator | AsyncGenerator): Promise<unknown> {
  for (;;) {
    const step = await runTarget(() => generator.next());
    if (step.done === true) return step.value;
  }
}
