/** A process of the fault tests: a victim, which plays its part of a scenario, or a survivor, which blocks for others. */

import { fault } from '../../src/arena/fault.ts';
import type { Handle } from '../../src/arena/objects.ts';
import { decodeHandle } from '../../src/sync/handles.ts';
import type { Report } from './fault-process.ts';
import { type Objects, objectNames, preludes, scenarios } from './fault-scenarios.ts';
import { useSync } from './fault-survivors.ts';

export type Order =
  | { readonly kind: 'prepare'; readonly scenario: string; readonly handles: readonly Handle[] }
  | { readonly kind: 'go'; readonly scenario: string }
  | { readonly kind: 'use'; readonly about: keyof Objects; readonly handles: readonly Handle[] };

let handles: readonly Handle[] = [];
let objects: Objects | undefined;

process.on('message', (order: Order) => {
  obey(order).then(
    () => report({ kind: order.kind === 'prepare' ? 'ready' : 'done' }),
    (error: Error) => report({ kind: 'error', text: String(error.stack) }),
  );
});

async function obey(order: Order): Promise<void> {
  if (order.kind === 'use') {
    useSync(order.about, arrive(order.handles));
    return;
  }
  const scenario = (scenarios[order.scenario] ?? preludes[order.scenario])!;
  if (order.kind === 'prepare') {
    handles = order.handles;
    if (scenario.isLate) return;
    objects = arrive(handles);
    await scenario.prepare?.(objects);
    return;
  }
  fault?.('go');
  objects ??= arrive(handles);
  await scenario.go(objects);
}

function arrive(from: readonly Handle[]): Objects {
  return Object.fromEntries(objectNames.map((name, i) => [name, decodeHandle(from[i])])) as unknown as Objects;
}

function report(message: Report): void {
  process.send!(message);
}
