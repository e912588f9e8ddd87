/** Imported before everything else, so that an old Node gets an explanation and not a missing export. */

import { PlatformError } from '../errors.ts';

/** The first Node that strips types, knows `import.meta.main` and has synchronous module hooks. */
export const minimumNode = '22.18';

/** @throws {PlatformError} `ERR_NODE_TOO_OLD` below Node 22.18. */
export function assertNodeVersion(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return;
  throw new PlatformError(
    `Manyhands needs Node ${minimumNode} or newer, and this is Node ${version}. Install a supported Node (22, 24 or 26) and run the program with it.`,
    { code: 'ERR_NODE_TOO_OLD' },
  );
}

assertNodeVersion();
