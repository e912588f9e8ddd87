import { availableParallelism } from 'node:os';

/** How many processors this process may use, at least 1: its affinity counts, and limits of its group where Node knows them. */
export function cpuCount(): number {
  return availableParallelism();
}
