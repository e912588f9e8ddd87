/** A lock that its holder may take again. */

import { agent } from '../arena/agents.ts';
import { kinds, OWN, STATE } from '../arena/object-words.ts';
import { NotOwnerError } from '../errors.ts';
import type { Lease } from './lease.ts';
import { Lock, type LockOptions } from './lock.ts';
import { atOf, titleOf, words } from './shared-object.ts';
import { checkWaitOptions, type WaitOptions } from './waiting.ts';

/** How often the holder has taken it; only the holder writes it. */
const COUNT: number = OWN + 1;

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
    return this.#again() ?? this.#first(await super.acquire(options));
  }

  override acquireSync(options?: { readonly timeoutMs?: number }): Lease {
    return this.#again() ?? this.#first(super.acquireSync(options));
  }

  override tryAcquire(): Lease | undefined {
    const lease = this.#again() ?? super.tryAcquire();
    return lease instanceof RLease || lease === undefined ? lease : this.#first(lease);
  }

  /** @throws {NotOwnerError} `ERR_NOT_OWNER` when this unit does not hold it. */
  override release(): void {
    if (!this.#isMine) throw new NotOwnerError(`${this} cannot be released here: this unit does not hold it.`);
    const at = atOf(this);
    const shared = words();
    const count = Atomics.load(shared, at + COUNT) - 1;
    shared[at + COUNT] = count;
    if (count === 0) super.release();
  }

  override toString(): string {
    return titleOf('rlock', atOf(this));
  }

  get #isMine(): boolean {
    return Atomics.load(words(), atOf(this) + STATE) >>> 1 === agent().owner;
  }

  #again(): Lease | undefined {
    if (!this.#isMine) return undefined;
    const shared = words();
    const at = atOf(this);
    shared[at + COUNT] = Atomics.load(shared, at + COUNT) + 1;
    return new RLease(this, false);
  }

  #first({ abandoned }: Lease): Lease {
    words()[atOf(this) + COUNT] = 1;
    return new RLease(this, abandoned);
  }
}

class RLease implements Lease {
  readonly abandoned: boolean;
  #lock: RLock | undefined;

  constructor(lock: RLock, abandoned: boolean) {
    this.#lock = lock;
    this.abandoned = abandoned;
  }

  release(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    lock?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
