/** A child takes on what it was ordered to be; before, it is a copy of its parent's surroundings at its boot. */

import { existsSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { ownThreads } from '../../platform/proc.ts';
import { system } from '../../platform/system.ts';
import { assumeIdentity, workingDirectory } from '../current.ts';
import type { Order } from './protocol.ts';

/** Throws what the system says: a folder that is not there, a priority that is not allowed. */
export function takeOn(order: Order): void {
  assumeIdentity(order.identity);
  process.argv = [process.execPath, ...order.argv.slice(1)];
  takeEnvironment(order.env);
  // Also to the same path: another folder may be there by now. One that is gone can only be stayed in.
  if (order.cwd !== undefined && (order.cwd !== workingDirectory() || existsSync(order.cwd))) process.chdir(order.cwd);
  process.umask(order.umask);
  const { nice, affinity, memoryLimitBytes } = order;
  // The kernel keeps both for each thread; threads made later inherit them.
  if (nice !== undefined && nice !== getPriority()) for (const thread of ownThreads()) setPriority(thread, nice);
  if (affinity !== undefined) for (const thread of ownThreads()) system().setAffinity(thread, affinity);
  if (memoryLimitBytes !== undefined) system().limitGrowth(memoryLimitBytes);
}

function takeEnvironment(wanted: Order['env']): void {
  for (const key of Object.keys(process.env)) if (!Object.hasOwn(wanted, key)) delete process.env[key];
  for (const [key, value] of Object.entries(wanted)) if (process.env[key] !== value) process.env[key] = value;
}
