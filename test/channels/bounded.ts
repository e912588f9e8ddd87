/** Tests that cannot hold up a run, and children seen at what they wait for. */

import { test } from 'node:test';
import type { Process } from 'manyhands';
import { until } from '../support/program.ts';
import type { Manner } from './targets.ts';

export const manners: readonly Manner[] = ['awaited', 'blocking'];

/** For waits that block this thread, which no test's deadline could end. */
export const limit: { readonly timeoutMs: number } = { timeoutMs: 5000 };

/** A test that fails when it has not ended within some seconds. */
export function bounded(title: string, body: () => void | Promise<void>): void {
  void test(title, { timeout: 10_000 }, body);
}

/** Resolves once a child is blocked, or awaits, for something whose name `pattern` matches. */
export function blockedOn(child: Pick<Process, 'waitingFor'>, pattern: RegExp): Promise<void> {
  return until(() => pattern.test(child.waitingFor ?? ''));
}
