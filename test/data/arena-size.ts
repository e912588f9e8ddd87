/** How much memory the arena of this process has, and how to have the values collected that nobody reaches. */

import { fstatSync, readdirSync, readlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that the kernel holds for the arena. */
export function arenaBytes(): number {
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith('/memfd:manyhands-arena ')) {
        return fstatSync(Number(fd)).blocks * 512;
      }
    } catch {
      // closed meanwhile: the descriptor of the folder itself
    }
  }
  return 0;
}

/** Collects garbage until `isDone`. @returns false when it still is not after 50 rounds. */
export async function collectUntil(isDone: () => boolean): Promise<boolean> {
  for (let round = 0; round < 50; round++) {
    collect();
    await setImmediate();
    if (isDone()) return true;
  }
  return isDone();
}
