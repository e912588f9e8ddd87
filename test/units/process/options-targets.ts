/** What the processes of options.test.ts run. */

import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { Process } from 'manyhands';

export function variable(name: string): string | undefined {
  return process.env[name];
}

export function has(name: string): boolean {
  return name in process.env;
}

export function folder(): string {
  return process.cwd();
}

export function nodeFacts(): { execArgv: string[]; heapLimitBytes: number; hasGc: boolean } {
  return {
    execArgv: process.execArgv,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    hasGc: 'gc' in globalThis,
  };
}

export function priority(): number {
  return getPriority();
}

/** The processors that each thread of this process may use. */
export function processors(): string[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
    return /^Cpus_allowed_list:\s*(.*)$/m.exec(status)![1]!;
  });
}

export function allocate(bytes: number): number {
  return new Uint8Array(bytes).fill(1).byteLength;
}

/** Whether a child of this process is a daemon by default, and by wish. */
export function daemonChildren(): boolean[] {
  return [new Process({ target: folder }).daemon, new Process({ target: folder, daemon: false }).daemon];
}

export function loaded(): unknown {
  return (globalThis as { loadedByImport?: unknown }).loadedByImport;
}

export function throwIt(): never {
  throw new Error('thrown');
}
