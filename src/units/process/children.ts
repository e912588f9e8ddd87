/** The processes that this thread started. */

import { currentIdentity } from '../current.ts';
import type { Process } from './process.ts';

const active = new Set<Process>();
let count = 0;

/** `Process-1`, `Process-2`, …; in a child whose own default name is `Process-2`, `Process-2:1`. */
export function nextPath(): string {
  count++;
  const { path } = currentIdentity();
  return path === '' ? `${count}` : `${path}:${count}`;
}

export function addChild(child: Process): void {
  active.add(child);
}

export function removeChild(child: Process): void {
  active.delete(child);
}

/** The processes that this thread started and that have not ended, in the order of their start. */
export function activeChildren(): Process[] {
  return [...active].filter((child) => child.isAlive);
}
