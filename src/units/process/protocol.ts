/** What a parent tells its child at the start. It travels as two parcels: the `Order`, then target and arguments. */

import type { Encoded } from '../../codec/types.ts';
import type { Identity } from '../current.ts';

export interface Order {
  readonly identity: Identity;
  /** `process.argv` of the parent, as in Python: the modules that a child imports may read it. */
  readonly argv: readonly string[];
  /** Everything that `process.env` shall hold. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent when the parent's is gone: the child stays where it was booted. */
  readonly cwd?: string | undefined;
  readonly umask: number;
  readonly nice?: number | undefined;
  readonly affinity?: readonly number[] | undefined;
  readonly memoryLimitBytes?: number | undefined;
  /** Whether there are shared objects in the second parcel. */
  readonly hasSharedObjects: boolean;
  /** Modules to import before the second parcel can be read; the target's own is the first. */
  readonly modules: readonly string[];
}

/** The descriptor by which a child inherits its mailbox. */
export const mailboxFd = 3;
/** The descriptor by which it inherits the arena. */
export const inheritedArenaFd = 4;

/** As JSON: there is nothing in it that needs more, and a child reads it before it loads anything else. */
export function writeOrder(order: Order): Encoded {
  return { head: Buffer.from(JSON.stringify(order)), blobs: [] };
}

export function readOrder({ head }: Encoded): Order {
  return JSON.parse(Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString()) as Order;
}
