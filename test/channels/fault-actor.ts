/** A process of the fault tests: a victim, which plays its part of a scenario, or a survivor, which blocks for others. */

import { fault } from '../../src/arena/fault.ts';
import type { Handle } from '../../src/arena/objects.ts';
import { decodeHandle } from '../../src/channels/handles.ts';
import type { Report } from '../arena/fault-process.ts';
import { type Objects, objectNames, scenarios } from './fault-scenarios.ts';

export type Order =
  | { readonly kind: 'prepare' | 'go'; readonly scenario: string; readonly handles: readonly Handle[] }
  | { readonly kind: 'get'; readonly about: 'queue' | 'small' | 'near'; readonly handles: readonly Handle[] }
  | {
      readonly kind: 'put';
      readonly about: 'queue' | 'small';
      readonly item: string;
      readonly handles: readonly Handle[];
    };

let objects: Objects | undefined;

process.on('message', (order: Order) => {
  obey(order).then(
    (got) => report({ kind: 'done', got }),
    (error: Error) => report({ kind: 'error', text: String(error.stack) }),
  );
});

async function obey(order: Order): Promise<unknown> {
  if (order.kind === 'get') return get(order.about, arrive(order.handles));
  if (order.kind === 'put') {
    arrive(order.handles)[order.about].putSync(order.item);
    return undefined;
  }
  objects ??= arrive(order.handles);
  const scenario = scenarios[order.scenario]!;
  if (order.kind === 'prepare') {
    await scenario.prepare?.(objects);
    return undefined;
  }
  fault?.('go');
  await scenario.go(objects);
  return undefined;
}

/** Texts as they are; of anything else, that it came. */
function get(about: 'queue' | 'small' | 'near', all: Objects): unknown {
  const value = about === 'near' ? all.near.recvSync() : all[about].getSync();
  return typeof value === 'string' ? value : 'large';
}

function arrive(from: readonly Handle[]): Objects {
  return Object.fromEntries(objectNames.map((name, i) => [name, decodeHandle(from[i])])) as unknown as Objects;
}

function report(message: Report): void {
  process.send!(message);
}
