/** What is there of named shared memory, and what dead programs left of it. */

import { findFiles, removeStaleFiles } from './memory-file.ts';

/** Shared memory of this user. */
export interface SharedMemoryInfo {
  /** By which it is attached to; begins with a dot and cannot be attached to when its maker died while making it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Whether some program holds it; if none does, it was left by one that was killed. */
  readonly isHeld: boolean;
}

/** All named shared memory of this user, by name. */
export function listSharedMemory(): readonly SharedMemoryInfo[] {
  return findFiles().map(shown);
}

/** Removes what no program holds, and tells what that was. Never what somebody uses. */
export function removeStaleSharedMemory(): readonly SharedMemoryInfo[] {
  return removeStaleFiles().map(shown);
}

function shown({ name, sizeBytes, isHeld }: SharedMemoryInfo): SharedMemoryInfo {
  return Object.freeze({ name, sizeBytes, isHeld });
}
