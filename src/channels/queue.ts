/** A queue that coroutines, threads and processes share. */

import { kinds, OWN } from '../arena/object-words.ts';
import { drop, type Handle, registerDispose } from '../arena/objects.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { ClosedError, TimeoutError, ValidationError } from '../errors.ts';
import { atOf, checkName, fromHandle, makeObject, takeObject, titleOf, words } from '../sync/shared-object.ts';
import { registerWaitable } from '../sync/waitable.ts';
import { checkWaitOptions, throwIfAborted, type WaitOptions } from '../sync/waiting.ts';
import { isReadable, Looking, type Owner, Putting, spinForMessage, Taking } from './errands.ts';
import { type Incoming, packValue, unpackValue } from './message.ts';
import {
  type Errand,
  isTurnDue,
  late,
  nextTurn,
  notYet,
  pass,
  passSync,
  tryOrPass,
  tryPass,
  tryPassSync,
} from './passing.ts';
import { Stream } from './stream.ts';
import {
  closeStream,
  createStream,
  gateOf,
  hasRoom,
  isAllDone,
  isEnded,
  markDone,
  passages,
  sizeOf,
} from './stream-words.ts';

export interface QueueOptions {
  /** How many items it holds at the most: an integer from 1 on. Default: no limit but memory. */
  readonly maxItems?: number | undefined;
  /** How many bytes its items have at the most, as they are sent: an integer from 1 on. Default: no limit but memory. */
  readonly maxBytes?: number | undefined;
  /** Shown in `waitingFor` and in messages; up to 60 bytes. */
  readonly name?: string | undefined;
}

const STREAM: number = OWN;
const LIMIT_MAX = Number.MAX_SAFE_INTEGER;

registerDispose(kinds.queue, (at) => {
  const stream = Atomics.exchange(words(), at + STREAM, 0);
  if (stream !== 0) drop(stream);
});

/**
 * A queue: values go in at one end and come out at the other, in order, each once, whoever puts and whoever gets.
 *
 * A value is serialised when it is put, with the fidelity of structured clone, and lies in shared memory until somebody
 * gets it: its sender may end at once. Long typed arrays are copied once, and read in place by the receiver. Where there
 * is a limit, `put` waits for room; an item larger than `maxBytes` is let in when the queue is empty. Those who wait to
 * get, and those who wait to put, stand in line in order of arrival.
 *
 * It travels in arguments, results and other queues. A queue that holds itself, by an item, is kept until the program ends.
 *
 * ```ts
 * const jobs = new Queue<string>({ name: 'jobs', maxItems: 100 });
 * await jobs.put('first');
 * jobs.close();
 * for await (const job of jobs) console.log(job); // first
 * ```
 */
export class Queue<T = unknown> implements AsyncIterable<T>, Disposable, Owner {
  /** @internal Never: nobody can let go of it before it is collected. */
  readonly isLetGo = false;
  readonly #stream: Stream;
  readonly #taking: Taking<T>;

  constructor(options?: QueueOptions) {
    const handle = (options as { [fromHandle]?: Handle } | undefined)?.[fromHandle];
    if (handle === undefined) makeQueue(this, options);
    else takeObject(this, handle);
    this.#stream = Stream.of(words()[atOf(this) + STREAM]!);
    this.#taking = new Taking(this, this.#stream, unpackValue as (incoming: Incoming) => T);
  }

  /**
   * Puts a value in, as it is now; waits while the queue is full. Values that one thread puts keep their order.
   *
   * @throws {CloneError} `ERR_CANNOT_CLONE` when a part of it cannot travel. @throws {ClosedError} `ERR_CLOSED`
   * @throws {TimeoutError} `ERR_TIMEOUT` when `timeoutMs` passed first; the reason of `signal` when it was aborted first.
   * @throws {PlatformError} `ERR_OUT_OF_MEMORY` when an empty queue has no memory for it; else that is waited for.
   */
  async put(value: T, options?: WaitOptions): Promise<void> {
    if (options !== undefined) checkWaitOptions(options, 'put()');
    throwIfAborted(options);
    const putting = new Putting(this, this.#stream, packValue(value));
    if (tryPass(putting) === notYet) await this.#putLater(putting, options);
    else if (isTurnDue()) await nextTurn();
  }

  /** As `put`, blocking the thread. */
  putSync(value: T, options?: { readonly timeoutMs?: number }): void {
    if (options !== undefined) checkWaitOptions(options, 'putSync()');
    const putting = new Putting(this, this.#stream, packValue(value));
    if (tryPassSync(putting) !== notYet) return;
    try {
      const result = passSync(putting, options);
      if (result === late) throw this.#stayed('full', options);
    } finally {
      putting.settle();
    }
  }

  /** Puts a value in if there is room and nobody waits for some; false when not. Never waits. */
  tryPut(value: T): boolean {
    const putting = new Putting(this, this.#stream, packValue(value));
    const isPut = tryPass(putting) !== notYet;
    if (!isPut) putting.settle();
    return isPut;
  }

  /**
   * The oldest value; waits for one while the queue is empty.
   *
   * @throws {ClosedError} `ERR_CLOSED` once it is closed and empty.
   * @throws {TimeoutError} `ERR_TIMEOUT` when `timeoutMs` passed first; the reason of `signal` when it was aborted first.
   */
  async get(options?: WaitOptions): Promise<T> {
    if (options !== undefined) checkWaitOptions(options, 'get()');
    throwIfAborted(options);
    const taken = tryPass(this.#taking);
    if (taken !== notYet) {
      if (isTurnDue()) await nextTurn();
      return taken;
    }
    const result = await pass(this.#taking, options);
    if (result === late) throw this.#stayed('empty', options);
    return result;
  }

  /** As `get`, blocking the thread. */
  getSync(options?: { readonly timeoutMs?: number }): T {
    if (options !== undefined) checkWaitOptions(options, 'getSync()');
    const taken = tryPassSync(this.#taking);
    if (taken !== notYet) return taken;
    spinForMessage(this.#stream.body);
    const result = passSync(this.#taking, options);
    if (result === late) throw this.#stayed('empty', options);
    return result;
  }

  /** The oldest value, in an object, if there is one; never waits. @throws {ClosedError} once it is closed and empty. */
  tryGet(): { value: T } | undefined {
    const value = tryPass(this.#taking);
    return value === notYet ? undefined : { value };
  }

  /** How many items are in it at this moment. */
  get size(): number {
    return sizeOf(this.#stream.body);
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Whether somebody has closed it. There may be items left. */
  get closed(): boolean {
    return isEnded(this.#stream.body);
  }

  /** Whether a `put` would wait, of the smallest item. */
  get isFull(): boolean {
    return !hasRoom(this.#stream.body, 1);
  }

  /**
   * Says that an item got from the queue is dealt with, for those who wait in `join`.
   *
   * @throws {ValidationError} `ERR_VALIDATION` when that was said of every item that anybody got.
   */
  taskDone(): void {
    if (!markDone(this.#stream.body)) {
      throw new ValidationError(`${this}: taskDone() was called more often than items were got from it.`);
    }
  }

  /** Waits until every item that was put has been got, and `taskDone` was said of it. */
  async join(options?: WaitOptions): Promise<void> {
    checkWaitOptions(options, 'join()');
    throwIfAborted(options);
    const { body } = this.#stream;
    const errand: Errand<true> = {
      gate: gateOf(body, passages.join),
      isLooking: true,
      reason: () => `${this}`,
      wanted: () => 1,
      attempt: () => (isAllDone(body) ? true : notYet),
    };
    const result = await tryOrPass(errand, options);
    if (result === late) {
      throw new TimeoutError(`Not all items of ${this} were dealt with within ${options?.timeoutMs} ms.`);
    }
  }

  /** Nothing more is put, by anyone. What is there can be got; then `get` throws `ClosedError`, and iteration ends. */
  close(): void {
    closeStream(this.#stream.body, 'writer');
  }

  /** The items as they come, until the queue is closed and empty. Each goes to one of those who iterate or get. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    // By hand: an async generator takes twice the time for each item.
    const ended: IteratorReturnResult<undefined> = { value: undefined, done: true };
    let isOver = false;
    return {
      next: async () => {
        if (isOver) return ended;
        try {
          const taken = tryPass(this.#taking);
          if (taken === notYet) return { value: await this.get(), done: false };
          if (isTurnDue()) await nextTurn();
          return { value: taken, done: false };
        } catch (error) {
          isOver = true;
          if (error instanceof ClosedError && isEnded(this.#stream.body)) return ended;
          throw error;
        }
      },
      return: async () => {
        isOver = true;
        return ended;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** `close()` */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  closedError(): ClosedError {
    return new ClosedError(`${this} is closed.`);
  }

  toString(): string {
    return titleOf('queue', atOf(this));
  }

  static {
    registerWaitable(Queue, (queue) => {
      const stream = queue.#stream;
      return {
        isReady: () => isReadable(stream.body),
        whenReady: (signal) => tryOrPass(new Looking(queue, stream), { signal }),
      };
    });
  }

  async #putLater(putting: Putting, options: WaitOptions | undefined): Promise<void> {
    try {
      const result = await pass(putting, options);
      if (result === late) throw this.#stayed('full', options);
    } finally {
      putting.settle();
    }
  }

  #stayed(how: 'full' | 'empty', options: { readonly timeoutMs?: number | undefined } | undefined): TimeoutError {
    return new TimeoutError(`${this} stayed ${how} for ${options?.timeoutMs} ms.`);
  }
}

sendAsHandle(Queue.prototype);

function makeQueue(queue: Queue, options: QueueOptions | undefined): void {
  const name = checkName(options, 'new Queue()');
  checkLimit(options?.maxItems, 'maxItems');
  checkLimit(options?.maxBytes, 'maxBytes');
  const { at } = makeObject(queue, kinds.queue, name);
  Atomics.store(words(), at + STREAM, createStream({ maxItems: options?.maxItems, maxBytes: options?.maxBytes }));
}

function checkLimit(limit: unknown, name: string): void {
  if (limit === undefined) return;
  if (Number.isInteger(limit) && (limit as number) >= 1 && (limit as number) <= LIMIT_MAX) return;
  throw new ValidationError(
    `new Queue(): ${name} must be an integer from 1 on, and is ${String(limit)}. Leave it out for a queue without that limit.`,
  );
}
