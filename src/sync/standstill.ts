/**
 * Finds out that nothing will ever happen again: every unit of the tree waits, without a limit, for another one. Each unit
 * that waits looks, seldom, and by itself; nobody is asked, as most of them cannot answer.
 *
 *   stir()             a wait begins or ends, a child begins or ends: this agent runs (PULSE, REST := none)
 *   FIRST_LOOK_MS      its event loop has nothing to do but to wait: REST := apparent. `deadlocks()` counts it as resting
 *   the report's time  later, and at growing distances from then on, it looks whether all others wait as well; if they do, and
 *                      no hidden timer is set: REST := certain
 *
 * A blocked thread has no timers: it looks between two sleeps, and needs no REST, as its sleeping is plain to see.
 * It is a standstill when
 *
 *   - each agent is blocked without a limit, or rests for certain
 *   - the agents are all there is: as many processes of each parent have agents as it says that it started
 *   - nothing is on its way: what is waited for has been rechecked for lost calls and dead holders
 *   - all of it was the same the last time that this agent looked
 *
 * The last one to come to rest, or the first to look after that, sees all of it and reports. What the process started otherwise
 * than by this library, threads included, keeps its agent from resting: then there is no report.
 */

import { type Agent, agent } from '../arena/agents.ts';
import { waitsAt } from '../arena/census.ts';
import { isOpened, memory } from '../arena/memory.ts';
import { drop, retainIfThere } from '../arena/objects.ts';
import {
  noteChildren,
  noteJoining,
  noteRest,
  noteRunning,
  noteSince,
  pulseOf,
  type Rest,
  readProfile,
  restOf,
  rests,
} from '../arena/profile.ts';
import { nowMs, type Status, statuses } from '../arena/records.ts';
import { recheck } from '../arena/repair.ts';
import { hasHiddenSources, isAtRest, offspring, ownTimer } from '../arena/rest.ts';
import { sleepOn } from '../arena/waits.ts';
import { clearTimeout, setTimeout } from '../platform/clock.ts';
import { report, reportAfterMs } from './deadlock-report.ts';
import { childProcesses, childrenCounted, type Node, type WaitGraph, waitGraph } from './wait-graph.ts';

const FIRST_LOOK_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** A search of the heap is not done more often. */
const SEARCH_PAUSE_MS = 60_000;

/** The next look. */
let timer: NodeJS.Timeout | undefined;
let dueMs = 0;
let pauseMs = FIRST_LOOK_MS;
let lastPulse = 0;
/** The standstill that this agent has seen once. */
let seen = '';

/** Says that this thread runs, and plans a look at whether that stays so. Does nothing in a thread without shared objects. */
export function stir(): void {
  if (!isOpened()) return;
  noteRunning(agent().at);
  // One that was planned in a long rest would come late.
  if (timer === undefined || dueMs > performance.now() + FIRST_LOOK_MS) plan(FIRST_LOOK_MS);
}

/** As `sleepOn`, without a limit; now and then looks whether everybody sleeps. */
export function sleepForEver(record: number): Status {
  const self = agent();
  beginBlocking(self);
  for (let afterMs = reportAfterMs(), pause = afterMs; ; ) {
    const status = sleepOn(record, performance.now() + (pause ?? LONGEST_PAUSE_MS));
    if (status !== statuses.parked) return status;
    afterMs = reportAfterMs();
    const isFound = afterMs !== undefined && judge(afterMs);
    // Seen once: once more, soon.
    pause = isFound ? FIRST_LOOK_MS : Math.min(2 * (pause ?? LONGEST_PAUSE_MS), LONGEST_PAUSE_MS);
  }
}

/** Says that this thread is blocked until process `pid` has ended, up to the call of the returned function. */
export function beginJoining(pid: number): () => void {
  if (!isOpened()) return stir;
  const { at } = beginBlocking(agent());
  noteJoining(at, pid);
  return () => {
    noteJoining(at, 0);
    stir();
  };
}

function beginBlocking(self: Agent): Agent {
  noteRunning(self.at);
  noteSince(self.at, nowMs());
  noteChildren(self.at, offspring.size);
  return self;
}

function passedMs(since: number): number {
  return (nowMs() - since) & 0x7fff_ffff;
}

function plan(ms: number): void {
  clearTimeout(timer);
  dueMs = performance.now() + ms;
  timer = ownTimer(setTimeout(look, ms).unref());
}

function look(): void {
  timer = undefined;
  const self = agent();
  if (!hasReasonToWait(self)) {
    pauseMs = FIRST_LOOK_MS;
    return;
  }
  const pulse = pulseOf(self.at);
  // A loop that is busy is looked at now and then; one that has run in between anew.
  pauseMs = pulse === lastPulse ? Math.min(2 * pauseMs, LONGEST_PAUSE_MS) : FIRST_LOOK_MS;
  lastPulse = pulse;
  noteChildren(self.at, offspring.size);
  if (!isAtRest()) noteRest(self.at, rests.none);
  else if (restOf(self.at) === rests.none) {
    // The rest last: others act on it.
    noteSince(self.at, nowMs());
    noteRest(self.at, rests.apparent);
  }
  plan(restOf(self.at) === rests.none ? pauseMs : lookFurther(self));
}

/** What a resting agent does: milliseconds until its next look. */
function lookFurther(self: Agent): number {
  const afterMs = reportAfterMs();
  if (afterMs === undefined) return LONGEST_PAUSE_MS;
  const left = afterMs - passedMs(readProfile(self.at).sinceMs);
  if (left > 0) return left;
  // The costly question last, and only when it is all that is open.
  if (restOf(self.at) !== rests.certain && standstill(rests.apparent, afterMs) !== undefined) {
    if (hasHiddenSources()) return SEARCH_PAUSE_MS;
    noteRest(self.at, rests.certain);
  }
  return judge(afterMs) ? FIRST_LOOK_MS : pauseMs;
}

function hasReasonToWait({ at }: Agent): boolean {
  return offspring.size > 0 || waitsAt(memory().words, at).length > 0;
}

/** Reports a standstill that was seen before. True when one was seen now for the first time. */
function judge(afterMs: number): boolean {
  const graph = standstill(rests.certain, afterMs);
  const isKnown = graph !== undefined && graph.mark === seen;
  seen = graph?.mark ?? '';
  if (isKnown) report(graph, afterMs);
  return graph !== undefined && !isKnown;
}

/** @param least - how much must be known of the rest of each. @param afterMs - for how long each must have waited. */
function standstill(least: Rest, afterMs: number): WaitGraph | undefined {
  const graph = waitGraph();
  if (graph === undefined) return undefined;
  const nodes = [...graph.nodes.values()];
  if (!nodes.every((node) => isStill(node, least) && passedMs(node.sinceMs) >= afterMs) || !areAllThere(nodes))
    return undefined;
  for (const { waits } of nodes) for (const { object } of waits) recheckIfThere(object);
  return graph;
}

function isStill({ doing, rest, edges }: Node, least: Rest): boolean {
  return edges.length > 0 && (doing === 'blocked' || (doing === 'resting' && rest >= least));
}

/** Whether every process of the tree has an agent. */
function areAllThere(nodes: readonly Node[]): boolean {
  const pids = new Set(nodes.map(({ pid }) => pid));
  const hasParents = nodes.every(({ parentPid }) => parentPid === 0 || pids.has(parentPid));
  return hasParents && [...pids].every((pid) => childProcesses(pid, nodes).length === childrenCounted(pid, nodes));
}

/** A lost call is found by it, and then there is no standstill the next time. */
function recheckIfThere(object: number): void {
  if (!retainIfThere(object)) return;
  recheck(object);
  drop(object);
}
