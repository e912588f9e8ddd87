/** What a thread is started with besides its mailbox: Node's `workerData`. */

import type { Place } from '../../arena/memory.ts';
import type { Identity } from '../current.ts';

/** What a thread knows of itself. */
export interface ThreadIdentity {
  readonly name: string;
  readonly daemon: boolean;
  /** The numbers in default names: `2:1` in the first thread of `Thread-2`. */
  readonly path: string;
}

export interface Birth {
  readonly identity: ThreadIdentity;
  /** Of the process that it is in. */
  readonly process: Identity;
  /** `process.argv` of its parent: the modules that it imports may read it. */
  readonly argv: readonly string[];
  readonly mailbox: Place;
  readonly arena: Place;
  /** Its own and those above it: platform/shelter.ts. */
  readonly shelters: readonly SharedArrayBuffer[];
  /** Modules to import before target and arguments can be read; the target's own is the first. */
  readonly modules: readonly string[];
  /** Whether there are shared objects among them. */
  readonly hasSharedObjects: boolean;
  /** The SharedArrayBuffers among them, which cannot be copied. */
  readonly memory: readonly SharedArrayBuffer[];
}

/** A name that no program gives to data of its own workers. */
const key = 'manyhands:birth';

export function asWorkerData(birth: Birth): object {
  return { [key]: birth };
}

/** Worker thread: what it was started with; `undefined` when it is not one of this library. */
export function birthOf(): Birth | undefined {
  const { workerData } = process.getBuiltinModule('node:worker_threads') as { readonly workerData: unknown };
  if (typeof workerData !== 'object' || workerData === null) return undefined;
  return (workerData as { readonly [key]?: Birth })[key];
}
