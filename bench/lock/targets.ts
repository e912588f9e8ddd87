import type { Lock } from 'manyhands';

/** Takes and releases until `endNs`, beginning at `beginNs` of the machine's clock; returns how often. */
export function hammer(lock: Lock, beginNs: bigint, endNs: bigint): number {
  while (process.hrtime.bigint() < beginNs);
  let count = 0;
  while (process.hrtime.bigint() < endNs) {
    for (let i = 0; i < 20; i++) lock.acquireSync().release();
    count += 20;
  }
  return count;
}
