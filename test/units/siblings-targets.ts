/** Targets for units of every kind. */

import { currentUnit, Event } from 'manyhands';

export async function add(a: number, b: number): Promise<number> {
  return a + b;
}

export function* count(n: number): Generator<undefined, number> {
  for (let i = 0; i < n; i++) yield;
  return n;
}

export async function fail(): Promise<never> {
  throw new RangeError('out of range');
}

export function waitForEver(): Promise<boolean> {
  return new Event({ name: 'never' }).wait();
}

export async function tellUnit(): Promise<{ readonly kind: string; readonly name: string }> {
  return currentUnit();
}
