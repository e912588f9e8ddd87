/**
 * Who waits for whom, over all agents of the tree: the wait-for graph (Holt 1972, "Some Deadlock Properties of Computer
 * Systems"; Knapp 1987, "Deadlock Detection in Distributed Databases", whose models these are).
 *
 * A node is an agent, that is a thread. It is one of
 *
 *   blocked   its thread sleeps in one wait, for one thing: it goes on when that comes     (AND model: all its edges)
 *   resting   its event loop has nothing but waits: it goes on when any of them ends       (OR model: one of its edges)
 *   running   everything else, and every wait that a time or a signal can end: it may do anything, so it is never stuck
 *
 * An edge leads from who waits to who alone can end the wait, as far as that can be known:
 *
 *   Lock, RLock      to the agent that holds it. (Anybody may release a Lock. That a stranger will is not assumed.)
 *   joinSync         to the first thread of the process
 *   a resting agent  also to the first threads of all processes that it started: it is told of their ends
 *   everything else  to nobody: semaphores, conditions, events, barriers and queues have no owner
 *
 * As a blocked agent has one edge, one rule covers both models: *stuck* is the largest set of agents that do not run and
 * whose edges, of which each has at least one, all lead into the set (a knot, and what waits for it alone). Nothing outside of
 * it can free anyone in it, so a cycle in it is a deadlock for certain. A cycle through an agent that has any other way to
 * go on is not told: it may be one, and it may not.
 *
 * The agents run while they are looked at, and edges that never stood together could make a cycle. So the graph is read
 * until two readings in a row are the same (the double collect of Afek et al. 1993): each agent counts the beginnings and
 * ends of its waits, so everything in the graph stood at the moment between the two.
 */

import type { Owner } from '../arena/agents.ts';
import { census, type Member, type Wait } from '../arena/census.ts';
import { memory } from '../arena/memory.ts';
import { KIND, kinds, STATE } from '../arena/object-words.ts';
import { titleOfObject } from '../arena/titles.ts';

export interface Edge {
  /** `undefined`: anybody might end the wait. */
  readonly to: Owner | undefined;
  /** What it waits for: `lock "accounts"`, `process "worker"`. */
  readonly title: string;
  /** The end of a process, not an object that somebody holds. */
  readonly isEnd: boolean;
}

export interface Node extends Member {
  readonly edges: readonly Edge[];
}

export interface WaitGraph {
  readonly nodes: ReadonlyMap<Owner, Node>;
  /** The same for two graphs if nothing has moved in between. */
  readonly mark: string;
}

const TRIES = 8;

/** The graph of this moment; `undefined` when things move too fast. */
export function waitGraph(): WaitGraph | undefined {
  let last = read();
  for (let i = 0; i < TRIES; i++) {
    const next = read();
    if (next.mark === last.mark) return next;
    last = next;
  }
  return undefined;
}

/** The agents that no other can set going. */
export function stuckAgents({ nodes }: WaitGraph): Set<Owner> {
  const stuck = new Set<Owner>();
  for (const node of nodes.values()) if (node.doing !== 'running' && node.edges.length > 0) stuck.add(node.owner);
  for (let before = -1; before !== stuck.size; ) {
    before = stuck.size;
    for (const owner of stuck) {
      const isHeld = nodes.get(owner)!.edges.every(({ to }) => to !== undefined && stuck.has(to));
      if (!isHeld) stuck.delete(owner);
    }
  }
  return stuck;
}

/** A step of a cycle: who waits, and by which edge. */
export interface Step {
  readonly node: Node;
  readonly edge: Edge;
}

/** The cycles among the agents that are stuck, each the shortest through its first agent; no agent begins two of them. */
export function stuckCycles(graph: WaitGraph): Step[][] {
  const stuck = stuckAgents(graph);
  const covered = new Set<Owner>();
  const cycles: Step[][] = [];
  for (const owner of [...stuck].sort((a, b) => a - b)) {
    const cycle = covered.has(owner) ? undefined : shortestCycle(graph, owner);
    if (cycle === undefined) continue;
    for (const { node } of cycle) covered.add(node.owner);
    cycles.push(cycle);
  }
  return cycles;
}

function shortestCycle({ nodes }: WaitGraph, start: Owner): Step[] | undefined {
  const paths: Step[][] = [[]];
  const seen = new Set<Owner>();
  for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
    const node = nodes.get(path.at(-1)?.edge.to ?? start)!;
    for (const edge of node.edges) {
      const longer = [...path, { node, edge }];
      if (edge.to === start) return longer;
      if (edge.to === undefined || seen.has(edge.to)) continue;
      seen.add(edge.to);
      paths.push(longer);
    }
  }
  return undefined;
}

function read(): WaitGraph {
  const members = census();
  const nodes = members.map((member) => ({ ...member, edges: edgesOf(member, members) }));
  const mark = nodes.map(({ owner, pulse, doing, children, waits, edges }) => [
    [owner, pulse, doing, children],
    waits.map(({ record, turn, object, isEndless }) => [record, turn, object, isEndless]),
    edges.map(({ to }) => to ?? 0),
  ]);
  return { nodes: new Map(nodes.map((node) => [node.owner, node])), mark: JSON.stringify(mark) };
}

function edgesOf(member: Member, members: readonly Member[]): Edge[] {
  if (member.doing === 'running') return [];
  if (member.joining !== 0) return [endOf(member.joining, members)];
  const edges = member.waits.map(edgeOf);
  return member.doing === 'blocked' ? edges : [...edges, ...endsOfChildren(member, members)];
}

function edgeOf({ object }: Wait): Edge {
  const { words } = memory();
  const kind = Atomics.load(words, object + KIND);
  const holder = kind === kinds.lock || kind === kinds.rlock ? Atomics.load(words, object + STATE) >>> 1 : 0;
  return { to: holder === 0 ? undefined : holder, title: titleOfObject(object), isEnd: false };
}

/** Of a resting agent: each end of a child would set it going. */
function endsOfChildren(member: Member, members: readonly Member[]): Edge[] {
  if (member.children === 0) return [];
  const known = childProcesses(member.pid, members);
  const edges = known.map((pid) => endOf(pid, members));
  // One that uses no shared object is not among the agents, and nobody knows what it does.
  return known.length === childrenCounted(member.pid, members) ? edges : [...edges, unknownEnd];
}

const unknownEnd: Edge = { to: undefined, title: 'a process', isEnd: true };

function endOf(pid: number, members: readonly Member[]): Edge {
  const first = members.find((member) => member.pid === pid && member.isMainThread);
  return first === undefined ? unknownEnd : { to: first.owner, title: first.title, isEnd: true };
}

/** The processes that process `pid` started, as far as they have agents. */
export function childProcesses(pid: number, members: Iterable<Member>): number[] {
  const pids = new Set<number>();
  for (const member of members) if (member.parentPid === pid) pids.add(member.pid);
  return [...pids];
}

/** How many processes the threads of process `pid` say that they started. */
export function childrenCounted(pid: number, members: Iterable<Member>): number {
  let count = 0;
  for (const member of members) if (member.pid === pid) count += member.children;
  return count;
}
