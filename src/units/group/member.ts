/** One unit of a group: what came of it. */

import { currentWaiter, runAs, Waiter } from '../../arena/waiter.ts';
import { CancelledError, MemberError } from '../../errors.ts';
import type { Unit } from '../unit.ts';

export class Member {
  readonly unit: Unit<unknown>;
  /** Tells it to end. */
  readonly cancel: (reason: unknown) => void;
  /** Resolves once it has ended. Never rejects. */
  readonly ended: Promise<void>;
  isOver = false;
  value: unknown;
  error: { readonly thrown: unknown } | undefined;
  /** Of itself, and not because the group was being ended. */
  failed: 'first' | 'later' | undefined;

  constructor(unit: Unit<unknown>, cancel: (reason: unknown) => void) {
    this.unit = unit;
    this.cancel = cancel;
    // Not a wait of the coroutine that adds it: its cancellation must not end the watch, and that it waits would be no news.
    const adder = currentWaiter();
    this.ended =
      adder === undefined ? this.#watch() : runAs(new Waiter(adder.name, adder.isDaemon), () => this.#watch());
  }

  /** Whether its end is one that no cancellation asks for. */
  get hasThrown(): boolean {
    return this.error !== undefined && this.unit.exit?.kind === 'fatal';
  }

  async #watch(): Promise<void> {
    try {
      this.value = await this.unit.result();
    } catch (thrown) {
      this.error = { thrown };
    }
    this.isOver = true;
  }
}

/**
 * What `join` rejects with: the failures, the first one first, then those that were cancelled.
 *
 * @param before - why the group was being ended when they failed.
 */
export function membersError(
  group: string,
  members: readonly Member[],
  before: { readonly reason: unknown } | undefined,
): AggregateError {
  const first = members.filter(({ failed }) => failed === 'first');
  const later = members.filter(({ failed }) => failed === 'later');
  const cancelled = members.filter(({ error, failed }) => error !== undefined && failed === undefined);
  const errors = [...first, ...later].map((member) => failure(member));
  const names = [...first, ...later].map(({ unit }) => `${unit}`).join(', ');
  const rest = cancelled.length === 0 ? '' : ` Cancelled: ${cancelled.map(({ unit }) => `${unit}`).join(', ')}.`;
  const all = [...errors, ...cancelled.map(({ unit }) => new CancelledError(`${unit} was cancelled by ${group}.`))];
  const cause = before === undefined ? {} : { cause: before.reason };
  return new AggregateError(all, `${group} failed: ${names}.${rest}`, cause);
}

function failure({ unit, error }: Member): MemberError {
  const thrown = error?.thrown;
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `thrown: ${String(thrown)}`;
  const exit = unit.exit ?? { kind: 'fatal' };
  return new MemberError(`${unit} failed: ${text}`, { exit, unit: unit.name }, { cause: thrown });
}
