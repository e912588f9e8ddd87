/** `manyhands shm`: what named shared memory there is, and the removal of what dead programs left. */

import type { Command } from 'commander';
import { listSharedMemory, removeStaleSharedMemory, type SharedMemoryInfo } from '../data/stale-memory.ts';

export function addShm(program: Command): void {
  const shm = program
    .command('shm')
    .summary('show or remove shared memory')
    .description('Shows the named shared memory of this user, or removes what programs that were killed left of it.');
  shm
    .command('list', { isDefault: true })
    .description('show what there is, and whether some program holds it')
    .action(list);
  shm.command('clean').description('remove what no program holds').action(clean);
}

function list(): void {
  for (const memory of listSharedMemory()) process.stdout.write(line(memory.isHeld ? 'in use' : 'stale', memory));
}

function clean(): void {
  for (const memory of removeStaleSharedMemory()) process.stdout.write(line('removed', memory));
}

function line(status: string, { name, sizeBytes }: SharedMemoryInfo): string {
  return `${status.padEnd(8)} ${String(sizeBytes).padStart(14)} bytes  ${JSON.stringify(name).slice(1, -1)}\n`;
}
