/**
 * Whether all that this thread does is to wait for what the arena shows: its own waits, and the ends of the processes that it
 * started. Anything else that Node counts as a reason to live (timers, sockets, servers, pipes of children, requests to the
 * kernel, ports to threads) could set it going, and so could a listener for a signal.
 *
 * What the program has taken from that count with `unref()` is not seen by `isAtRest`. `hasHiddenSources` finds timers of that
 * kind by a search through the heap, sockets and watched files by their descriptors. Not seen at all: what an `unref`ed child
 * of `node:child_process` or an `unref`ed worker thread may do. (The heap knows them too; touching what it shows there crashes.)
 */

import { readdirSync, readlinkSync } from 'node:fs';
import { liveInstances } from '../codec/function-inspect.ts';
import { clearTimeout, setTimeout } from '../platform/clock.ts';
import { agent, DOORBELL } from './agents.ts';
import { memory } from './memory.ts';

/** The processes that this thread started and that have not ended, by their ids, with Node's handles. */
export const offspring: Map<number, object> = new Map();

const ownTimers = new WeakSet<NodeJS.Timeout>();

/** Marks a timer of this library that never changes by itself what others wait for. */
export function ownTimer(timer: NodeJS.Timeout): NodeJS.Timeout {
  ownTimers.add(timer);
  return timer;
}

/** What Node shows of a handle: undocumented, so each field may be missing. */
interface ActiveHandle {
  readonly fd?: number;
  readonly _isStdio?: boolean;
  readonly _handle?: { readonly fd?: number } | null;
}

export function isAtRest(): boolean {
  if (process.eventNames().some(isAwaitedSignal)) return false;
  const handles = activeHandles();
  // Of requests, timers and immediates only this list tells.
  if (handles === undefined || process.getActiveResourcesInfo().length !== handles.length) return false;
  const children = new Set(offspring.values());
  return handles.every((handle) => isDoorbell(handle) || isOutput(handle) || children.has(handle));
}

/** Node's own listener, of `--report-on-signal` and of all children of `node --test`, only writes a report. */
function isAwaitedSignal(event: string | symbol): boolean {
  if (typeof event !== 'string' || !/^SIG[A-Z]/.test(event)) return false;
  const isOfNode =
    event === process.report?.signal && process.execArgv.some((option) => option.startsWith('--report-'));
  return !(isOfNode && process.listeners(event as NodeJS.Signals).every(({ name }) => name === 'signalHandler'));
}

/** Whether something that does not keep the program alive could set it going. Takes some 40 ms. */
export function hasHiddenSources(): boolean {
  return hasOpenSources() || hasHiddenTimers();
}

/** Whether any descriptor but standard input, output and error is a socket, or watches files. */
function hasOpenSources(): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return Number(fd) > 2 && /^(socket:|anon_inode:inotify)/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false; // the one by which the folder was read
    }
  });
}

function hasHiddenTimers(): boolean {
  const example = setTimeout(() => {}, 2 ** 30).unref();
  try {
    const timers = liveInstances(Object.getPrototypeOf(example) as object) as (NodeJS.Timeout & Partial<TimerState>)[];
    return timers.some((timer) => timer !== example && timer._destroyed !== true && !ownTimers.has(timer));
  } finally {
    clearTimeout(example);
  }
}

interface TimerState {
  readonly _destroyed: boolean;
}

/** `undefined` where Node does not tell. */
function activeHandles(): object[] | undefined {
  const { _getActiveHandles } = process as { _getActiveHandles?: () => object[] };
  return _getActiveHandles?.call(process);
}

function isDoorbell(handle: ActiveHandle): boolean {
  const fd = Atomics.load(memory().words, agent().at + DOORBELL) - 1;
  return fd >= 0 && handle._handle?.fd === fd;
}

/** Standard output and error: nothing comes from there, and what is on its way there counts as a request. */
function isOutput({ _isStdio, fd }: ActiveHandle): boolean {
  return _isStdio === true && (fd === 1 || fd === 2);
}
