/** One coroutine at work: from its start to how it ended. */

import { types } from 'node:util';
import { currentWaiter, runAs, Waiter } from '../../arena/waiter.ts';
import type { AnyFunction } from '../../codec/types.ts';
import type { Exit } from '../../exit.ts';
import type { UnitState } from '../unit.ts';
import { checkpoint } from './checkpoint.ts';
import { firstTurn, isSliceOver, nextTurn } from './turns.ts';

export type Outcome =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'cancelled'; readonly error: unknown };

const normal: Exit = Object.freeze({ kind: 'normal', code: 0 });
const killed: Exit = Object.freeze({ kind: 'killed' });

export interface Owner {
  readonly name: string;
  readonly daemon: boolean;
}

export class CoroutineRun extends Waiter {
  readonly #owner: Owner;
  /** Called once, as soon as it has ended. A field and no closure, as there may be many of them. */
  readonly #onEnd: (owner: Owner, outcome: Outcome) => void;
  #phase: 'ready' | 'running' | 'ended' = 'ready';
  #outcome: Outcome | undefined;
  #exit: Exit | undefined;
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(
    owner: Owner,
    target: AnyFunction,
    args: readonly unknown[],
    onEnd: (owner: Owner, outcome: Outcome) => void,
  ) {
    super(owner.name, owner.daemon);
    this.#owner = owner;
    this.#onEnd = onEnd;
    // In the context of the caller, which promises keep.
    void runAs(this, () => firstTurn(owner.daemon).then(() => this.#begin(target, args)));
  }

  /** Resolves when it has ended. Never rejects. */
  get ended(): Promise<void> {
    if (this.#ended === undefined) {
      this.#ended = Promise.withResolvers();
      if (this.#phase === 'ended') this.#ended.resolve();
    }
    return this.#ended.promise;
  }

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  get exit(): Exit | undefined {
    const outcome = this.#outcome;
    if (outcome === undefined) return undefined;
    if (outcome.kind === 'threw') this.#exit ??= Object.freeze({ kind: 'fatal', code: 1, error: outcome.error });
    return this.#exit ?? (outcome.kind === 'returned' ? normal : killed);
  }

  get state(): UnitState {
    if (this.#phase === 'ended') return 'terminated';
    if (this.#phase === 'ready') return 'ready';
    return this.isInLine || currentWaiter() === this ? 'running' : 'blocked';
  }

  get waitingFor(): string | undefined {
    if (this.state !== 'blocked') return undefined;
    return this.youngestWait?.text ?? 'an event (timer, I/O or message)';
  }

  #begin(target: AnyFunction, args: readonly unknown[]): void {
    if (isSliceOver()) void nextTurn(this.isDaemon).then(() => this.#call(target, args));
    else this.#call(target, args);
  }

  #call(target: AnyFunction, args: readonly unknown[]): void {
    this.#await(() => {
      this.raisePending();
      this.#phase = 'running';
      return (target as (...args: readonly unknown[]) => unknown)(...args);
    });
  }

  /** Not an async function: where there are many coroutines, a second frame for each would be a fifth of their memory. */
  #await(body: () => unknown): void {
    try {
      void Promise.resolve(body()).then(
        (value) => {
          if (types.isGeneratorObject(value)) this.#await(() => runToEnd(value));
          else this.#end({ kind: 'returned', value });
        },
        (error) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#end({ kind: this.hasRaised(error) ? 'cancelled' : 'threw', error });
  }

  #end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.#phase = 'ended';
    this.endWaits();
    this.#ended?.resolve();
    this.#onEnd(this.#owner, outcome);
  }
}

/** Each `yield` is a checkpoint; what it gives away is of no account. */
async function runToEnd(generator: Generator | AsyncGenerator): Promise<unknown> {
  let step = await generator.next();
  while (step.done !== true) {
    const cancelled = await checkpoint().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    step = await (cancelled === undefined ? generator.next() : generator.throw(cancelled.error));
  }
  return step.value;
}
