/**
 * When this process ends, its children end: the kernel kills them (PR_SET_PDEATHSIG). Where there is still time, they
 * are killed and reaped from here as well, so that nothing is left to a process 1 that may not reap.
 */

import type { ChildProcess } from 'node:child_process';
import { nowMs } from '../../platform/clock.ts';
import { system } from '../../platform/system.ts';
import type { Mailbox } from './mailbox.ts';

interface Living {
  readonly pid: number;
  readonly handle: ChildProcess;
  readonly mailbox: Mailbox;
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
  // A process that gave up its rights may not signal the spares that it booted before.
  for (const { mailbox } of living) mailbox.dismiss();
  const children = [...living].filter(({ handle }) => handle.kill('SIGKILL'));
  const deadline = nowMs() + PATIENCE_MS;
  for (const { pid } of children) {
    try {
      const fd = system().openProcess(pid);
      if (fd !== undefined) system().pollReadable([fd], Math.max(0, deadline - nowMs()));
      system().reap(pid);
    } catch {
      // Out of descriptors, or no pidfd here: it has been killed, and process 1 reaps it.
    }
  }
}
