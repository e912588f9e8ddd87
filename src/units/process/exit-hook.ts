/**
 * When this process ends, its children end: the kernel kills them (PR_SET_PDEATHSIG). Where there is still time, they
 * are killed and reaped from here as well, so that nothing is left to a process 1 that may not reap.
 */

import type { ChildProcess } from 'node:child_process';
import { system } from '../../platform/system.ts';

interface Living {
  readonly pid: number;
  readonly handle: ChildProcess;
}

/** At the end of the program, waiting for children that cannot be killed at once (D state) ends after this time. */
const PATIENCE_MS = 500;

let isInstalled = false;
const living = new Set<Living>();

/** Children that end with this process. */
export const endAtExit = {
  add(child: Living): void {
    living.add(child);
    if (isInstalled) return;
    isInstalled = true;
    process.on('exit', endAll);
  },
  delete(child: Living): void {
    living.delete(child);
  },
};

function endAll(): void {
  const children = [...living].filter(({ handle }) => handle.kill('SIGKILL'));
  const deadline = performance.now() + PATIENCE_MS;
  for (const { pid } of children) {
    const fd = system().openProcess(pid);
    if (fd === undefined) continue;
    system().pollReadable([fd], Math.max(0, deadline - performance.now()));
    system().reap(pid);
  }
}
