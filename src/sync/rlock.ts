/** A lock that its holder may take again. */

import { agent } from '../arena/agents.ts';
import { kinds, STATE } from '../arena/object-words.ts';
import { NotOwnerError } from '../errors.ts';
import type { Lease } from './lease.ts';
import { Lock, type LockOptions } from './lock.ts';
import { COUNT } from './lock-words.ts';
import { atOf, titleOf, words } from './shared-object.ts';
import { checkWaitOptions, throwIfAborted, type WaitOptions } from './waiting.ts';

/**
 * A `Lock` that may be taken again by the unit that holds it, and is free once it was released as often. Releasing
 * another's is a `NotOwnerError`.
 */
export class RLock extends Lock {
  constructor(options?: LockOptions) {
    super(options, kinds.rlock);
  }

  override async acquire(options?: WaitOptions): Promise<Lease> {
    checkWaitOptions(options, 'acquire()');
    throwIfAborted(options);
    return this.#again() ?? this.#first(await super.acquire(options));
  }

  override acquireSync(options?: { readonly timeoutMs?: number }): Lease {
    checkWaitOptions(options, 'acquireSync()');
    return this.#again() ?? this.#first(super.acquireSync(options));
  }

  override tryAcquire(): Lease | undefined {
    const again = this.#again();
    if (again !== undefined) return again;
    const lease = super.tryAcquire();
    return lease && this.#first(lease);
  }

  /** @throws {NotOwnerError} `ERR_NOT_OWNER` when this unit does not hold it. */
  override release(): void {
    if (!this.#isMine) throw new NotOwnerError(`${this} cannot be released here: this unit does not hold it.`);
    const at = atOf(this);
    const shared = words();
    const count = Atomics.load(shared, at + COUNT) - 1;
    shared[at + COUNT] = count;
    if (count > 0) return;
    endHolds(at);
    super.release();
  }

  override toString(): string {
    return titleOf('rlock', atOf(this));
  }

  get #isMine(): boolean {
    return Atomics.load(words(), atOf(this) + STATE) >>> 1 === agent().owner;
  }

  #again(): Lease | undefined {
    return this.#isMine ? this.#count(false) : undefined;
  }

  /** Added, not set to 1: another coroutine of this unit may have come between the hand-over and its being noticed. */
  #first({ abandoned }: Lease): Lease {
    return this.#count(abandoned);
  }

  #count(abandoned: boolean): Lease {
    const shared = words();
    const at = atOf(this);
    const before = Atomics.load(shared, at + COUNT);
    shared[at + COUNT] = before + 1;
    return new RLease(this, holdOf(at, before === 0), abandoned);
  }
}

/** The time from a count of 0 to the next: its leases are good until then. */
interface Hold {
  isOver: boolean;
}

/** How this thread holds each rlock, by address. Two holds of one lock: one of them came back from a wait on a condition. */
const holds = new Map<number, Hold[]>();

/** Takes aside what makes the leases of an rlock good, while a wait on a condition lets go of it. */
export function suspendHolds(at: number): readonly Hold[] {
  const suspended = holds.get(at) ?? [];
  holds.delete(at);
  return suspended;
}

/** Makes them good again: the lock is held again. */
export function resumeHolds(at: number, suspended: readonly Hold[]): void {
  holds.set(at, [...(holds.get(at) ?? []), ...suspended]);
}

function holdOf(at: number, isNew: boolean): Hold {
  const known = holds.get(at)?.[0];
  if (known !== undefined && !isNew) return known;
  const hold = { isOver: false };
  holds.set(at, [hold]);
  return hold;
}

function endHolds(at: number): void {
  for (const hold of suspendHolds(at)) hold.isOver = true;
}

class RLease implements Lease {
  readonly abandoned: boolean;
  readonly #hold: Hold;
  #lock: RLock | undefined;

  constructor(lock: RLock, hold: Hold, abandoned: boolean) {
    this.#lock = lock;
    this.#hold = hold;
    this.abandoned = abandoned;
  }

  release(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    // Over: the lock was released past this lease.
    if (!this.#hold.isOver) lock?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
