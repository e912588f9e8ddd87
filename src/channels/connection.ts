/** The two ends of a pipe. */

import { kinds, OWN } from '../arena/object-words.ts';
import { drop, type Handle, registerDispose, retain } from '../arena/objects.ts';
import { sendAsHandle } from '../codec/value-kind.ts';
import { BufferTooShortError, ClosedError, StateError, TimeoutError, ValidationError } from '../errors.ts';
import { atOf, fromHandle, letGoOf, makeObject, takeObject, words } from '../sync/shared-object.ts';
import { registerWaitable } from '../sync/waitable.ts';
import { checkWaitOptions, throwIfAborted, type WaitOptions } from '../sync/waiting.ts';
import { isReadable, Looking, type Owner, Putting, spinForMessage, Taking, Waits } from './errands.ts';
import { type Incoming, isBytes, type Outgoing, packBytes, packValue, unpackBytes, unpackValue } from './message.ts';
import { isTurnDue, late, nextTurn, notYet, pass, passSync, tryOrPass, tryPass, tryPassSync } from './passing.ts';
import { Stream } from './stream.ts';
import { bodyOf, closeStream, createStream, setEnds } from './stream-words.ts';

/** What an end reads from and writes to: streams, 0 where there is none. */
const IN: number = OWN;
const OUT: number = OWN + 1;
/** What each direction holds before `send` waits. */
const MAX_BYTES = 2 ** 20;

registerDispose(kinds.connection, closeEnd);

/**
 * One end of a `pipe`: what is sent into it comes out at the other end, in order. Each direction holds up to 1 MiB before
 * `send` waits; a longer message is let in when the direction is empty.
 *
 * It travels in arguments, results, queues and pipes; then both sides have a copy of this end, as in Python, and each is to
 * be closed: the other end sees the end once every copy is closed or its holder has died.
 */
export class Connection<T = unknown> implements Disposable, Owner {
  /** @internal */
  readonly waits: Waits = new Waits();
  #in: Stream | undefined;
  #out: Stream | undefined;
  #isClosed = false;
  #taking: Taking<T> | undefined;

  /** @internal Programs get theirs from `pipe`. */
  constructor(source: { readonly [fromHandle]: Handle | 'new' }) {
    const handle = (source as typeof source | undefined)?.[fromHandle];
    if (handle === undefined) throw new StateError('A Connection is an end of a pipe: const [a, b] = pipe().');
    if (handle === 'new') makeObject(this, kinds.connection, '');
    else takeObject(this, handle);
  }

  /**
   * Sends a value, as it is now; waits while the direction is full.
   *
   * @throws {CloneError} `ERR_CANNOT_CLONE` when a part of it cannot travel.
   * @throws {ClosedError} `ERR_CLOSED` when this end is closed, or every copy of the other one is, or its holders died.
   * @throws {StateError} `ERR_STATE` when this end only receives.
   */
  async send(value: T, options?: WaitOptions): Promise<void> {
    if (options !== undefined) checkWaitOptions(options, 'send()');
    const stream = this.#writable('send');
    await this.#send(stream, packValue(value), options);
  }

  /** As `send`, blocking the thread. */
  sendSync(value: T, options?: { readonly timeoutMs?: number }): void {
    if (options !== undefined) checkWaitOptions(options, 'sendSync()');
    const putting = new Putting(this, this.#writable('sendSync'), packValue(value));
    if (tryPassSync(putting) !== notYet) return;
    try {
      const result = passSync(putting, options);
      if (result === late) throw this.#late('could send nothing', options);
    } finally {
      putting.settle();
    }
  }

  /**
   * The next value; waits for it. A message of `sendBytes` comes as a Uint8Array.
   *
   * @throws {ClosedError} `ERR_CLOSED` when the other end is gone and nothing is left, or this end is closed.
   * @throws {TimeoutError} `ERR_TIMEOUT` when `timeoutMs` passed first; the reason of `signal` when it was aborted first.
   */
  async recv(options?: WaitOptions): Promise<T> {
    if (options !== undefined) checkWaitOptions(options, 'recv()');
    return this.#receive(this.#takingValue('recv'), options);
  }

  /** As `recv`, blocking the thread. */
  recvSync(options?: { readonly timeoutMs?: number }): T {
    if (options !== undefined) checkWaitOptions(options, 'recvSync()');
    const taking = this.#takingValue('recvSync');
    const taken = tryPassSync(taking);
    if (taken !== notYet) return taken;
    spinForMessage(this.#readable('recvSync').body);
    const result = passSync(taking, options);
    if (result === late) throw this.#late('received nothing', options);
    return result;
  }

  /**
   * Whether something can be received now, or within `timeoutMs`; the end of the other side counts, as `recv` would not wait.
   *
   * @param timeoutMs - default: 0, which only looks.
   */
  async poll(timeoutMs = 0): Promise<boolean> {
    checkWaitOptions({ timeoutMs }, 'poll()');
    throwIfAborted(undefined);
    const stream = this.#readable('poll');
    if (isReadable(stream.body)) return true;
    return timeoutMs > 0 && (await tryOrPass(new Looking(this, stream), { timeoutMs })) !== late;
  }

  /** Sends bytes, as they are now: received by `recvBytes` or `recvBytesInto`, or by `recv`. */
  async sendBytes(bytes: ArrayBufferView, options?: WaitOptions): Promise<void> {
    if (options !== undefined) checkWaitOptions(options, 'sendBytes()');
    if (!ArrayBuffer.isView(bytes)) {
      throw new ValidationError(`sendBytes() takes a typed array, a Buffer or a DataView, and got ${String(bytes)}.`);
    }
    const stream = this.#writable('sendBytes');
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await this.#send(stream, packBytes(plain), options);
  }

  /** The next message, which must be one of `sendBytes`. @throws {StateError} when it is a value: it stays where it is. */
  async recvBytes(options?: WaitOptions): Promise<Uint8Array> {
    if (options !== undefined) checkWaitOptions(options, 'recvBytes()');
    return this.#receive(new Taking(this, this.#readable('recvBytes'), unpackBytes, isBytes), options);
  }

  /**
   * As `recvBytes`, into memory that is there.
   *
   * @returns how many bytes were written, at the beginning of `target`.
   * @throws {BufferTooShortError} `ERR_BUFFER_TOO_SHORT` when they are more; the error has the whole message.
   */
  async recvBytesInto(target: Uint8Array, options?: WaitOptions): Promise<number> {
    if (!(target instanceof Uint8Array)) {
      throw new ValidationError(`recvBytesInto() takes a Uint8Array to write to, and got ${String(target)}.`);
    }
    if (options !== undefined) checkWaitOptions(options, 'recvBytesInto()');
    const taking = new Taking(this, this.#readable('recvBytesInto'), unpackBytes, isBytes);
    const bytes = await this.#receive(taking, options);
    if (bytes.length > target.length) {
      throw new BufferTooShortError(`A message of ${bytes.length} bytes does not fit into ${target.length}.`, bytes);
    }
    target.set(bytes);
    return bytes.length;
  }

  /** Closes this copy of the end; who waits on it here gets a `ClosedError`. Does nothing the second time. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Who waited looks at the stream once more before it goes on.
    this.waits.withdrawAll(() => letGoOf(this));
  }

  /** Whether this copy is closed. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /** @internal */
  get isLetGo(): boolean {
    return this.#isClosed;
  }

  /** `close()` */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  closedError(): ClosedError {
    if (this.#isClosed) return new ClosedError('This end of the connection is closed.');
    return new ClosedError('The other end of the connection is closed, or whoever held it has died.');
  }

  toString(): string {
    return 'connection';
  }

  async #send(stream: Stream, message: Outgoing, options: WaitOptions | undefined): Promise<void> {
    const putting = new Putting(this, stream, message);
    try {
      throwIfAborted(options);
      if (tryPass(putting) !== notYet) return isTurnDue() ? await nextTurn() : undefined;
      const result = await pass(putting, options);
      if (result === late) throw this.#late('could send nothing', options);
    } finally {
      putting.settle();
    }
  }

  async #receive<R>(taking: Taking<R>, options: WaitOptions | undefined): Promise<R> {
    throwIfAborted(options);
    const result = await tryOrPass(taking, options);
    if (result === late) throw this.#late('received nothing', options);
    return result;
  }

  #takingValue(call: string): Taking<T> {
    this.#taking ??= new Taking(this, this.#readable(call), unpackValue as (incoming: Incoming) => T);
    return this.#taking;
  }

  #readable(call: string): Stream {
    this.#in ??= this.#streamAt(IN);
    if (this.#in === undefined) throw new StateError(`${call}(): this end of the pipe only sends.`);
    return this.#in;
  }

  #writable(call: string): Stream {
    this.#out ??= this.#streamAt(OUT);
    if (this.#out === undefined) throw new StateError(`${call}(): this end of the pipe only receives.`);
    return this.#out;
  }

  #streamAt(word: number): Stream | undefined {
    if (this.#isClosed) throw this.closedError();
    const stream = Atomics.load(words(), atOf(this) + word);
    return stream === 0 ? undefined : Stream.of(stream);
  }

  static {
    registerWaitable(Connection, (connection) => {
      const stream = connection.#readable('wait');
      return {
        isReady: () => isReadable(stream.body),
        whenReady: (signal) => tryOrPass(new Looking(connection, stream), { signal }),
      };
    });
  }

  #late(what: string, options: { readonly timeoutMs?: number | undefined } | undefined): TimeoutError | ClosedError {
    if (this.#isClosed) return this.closedError();
    return new TimeoutError(`The connection ${what} within ${options?.timeoutMs} ms.`);
  }
}

sendAsHandle(Connection.prototype);

export interface PipeOptions {
  /** False: the first end only receives, the second only sends. Default: true, both do both. */
  readonly duplex?: boolean | undefined;
}

/**
 * A pipe: two connected ends.
 *
 * ```ts
 * const [mine, theirs] = pipe<string>();
 * const child = new Process({ target: greet, args: [theirs] });
 * child.start();
 * theirs.close(); // the child has its own copy
 * console.log(await mine.recv());
 * ```
 */
export function pipe<T = unknown>(options?: PipeOptions): [Connection<T>, Connection<T>] {
  const duplex = checkDuplex(options);
  const ends = [new Connection<T>({ [fromHandle]: 'new' }), new Connection<T>({ [fromHandle]: 'new' })] as const;
  const [first, second] = [atOf(ends[0]), atOf(ends[1])];
  connect(second, first);
  if (duplex) connect(first, second);
  return [...ends];
}

/** Has what `writer` sends received by `reader`. */
function connect(writer: number, reader: number): void {
  const stream = createStream({ maxBytes: MAX_BYTES });
  setEnds(bodyOf(stream), writer, reader);
  retain(stream);
  Atomics.store(words(), writer + OUT, stream);
  Atomics.store(words(), reader + IN, stream);
}

/** When nobody holds an end any more. A death on the way is noticed by the other side: stream-words.ts, `isGone`. */
function closeEnd(end: number): void {
  for (const [word, by] of [
    [IN, 'reader'],
    [OUT, 'writer'],
  ] as const) {
    const stream = Atomics.load(words(), end + word);
    if (stream === 0) continue;
    closeStream(bodyOf(stream), by);
    if (by === 'reader') Stream.of(stream).discardAll(false);
    Atomics.store(words(), end + word, 0);
    drop(stream);
  }
}

function checkDuplex(options: unknown): boolean {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new ValidationError(`pipe() takes an object, { duplex }, and got ${String(options)}.`);
  }
  const duplex: unknown = (options as PipeOptions | undefined)?.duplex;
  if (duplex === undefined || typeof duplex === 'boolean') return duplex ?? true;
  throw new ValidationError(`pipe(): duplex must be true or false, and is ${String(duplex)}.`);
}
