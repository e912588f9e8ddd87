/** From values to messages of a stream, and back. */

import { type Handle, hold, release } from '../arena/objects.ts';
import { decode } from '../codec/decode.ts';
import { encode } from '../codec/encode.ts';
import { decodeErrorClass, encodeErrorClass } from '../codec/error-class.ts';
import type { Encoded } from '../codec/types.ts';
import { decodeHandle, HandleWriter, letGo } from '../data/handles.ts';
import { isMemoryHandle } from '../data/shared-memory.ts';
import { PlatformError } from '../errors.ts';
import { bytesOf, createBlock, takeBytes } from './block.ts';
import type { Message, StoredMessage } from './segment.ts';

/** What a body is, and whether it stands in the first block. */
const forms = { value: 0, valueInBlock: 1, bytes: 2, bytesInBlock: 3 } as const;

/** Longer bodies stand in blocks. */
const IN_PLACE_MAX_BYTES = 16 * 1024;
const nothing = new Uint8Array(0);
const none: readonly number[] = [];

/**
 * A message on its way into a stream. What it refers to is held by this thread until `settle`; memory for its long parts is
 * taken by `stage`, which may be called again when there was none.
 */
export class Outgoing implements Message {
  readonly sizeBytes: number;
  body: Uint8Array = nothing;
  form: number;
  references: readonly number[] = none;
  blockCount = 0;
  readonly #held: readonly number[];
  #unstaged: Uint8Array[] | undefined;
  #isCopied = false;

  /** @param parts - the body, and further long parts: of the program's own memory, to be copied before it goes on. */
  constructor(form: typeof forms.value | typeof forms.bytes, { head, blobs }: Encoded, held: readonly number[]) {
    this.form = form;
    this.#held = held;
    this.references = held;
    this.sizeBytes = head.length;
    for (const blob of blobs) this.sizeBytes += blob.length;
    if (head.length <= IN_PLACE_MAX_BYTES) this.body = head;
    else this.form++;
    if (blobs.length > 0 || this.form !== form) this.#unstaged = this.form === form ? [...blobs] : [head, ...blobs];
  }

  /** Puts its long parts into shared memory. @throws {PlatformError} without any: then it has copied them for itself. */
  stage(): void {
    if (this.#unstaged === undefined) return;
    const blocks: number[] = [];
    try {
      for (const part of this.#unstaged) blocks.push(createBlock(part));
    } catch (error) {
      for (const block of blocks) release(block);
      if (isOutOfMemory(error)) this.#keepCopies();
      throw error;
    }
    this.#unstaged = undefined;
    this.references = [...blocks, ...this.#held];
    this.blockCount = blocks.length;
  }

  #keepCopies(): void {
    if (!this.#isCopied) this.#unstaged = this.#unstaged?.map((part) => part.slice());
    this.#isCopied = true;
  }

  /** Lets go of what it holds, once a stream has it, or nobody will. */
  settle(): void {
    for (let i = 0; i < this.references.length; i++) release(this.references[i]!);
  }
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'ERR_OUT_OF_MEMORY';
}

/** A message of a value, as it is now. @throws {CloneError} `ERR_CANNOT_CLONE` for what cannot travel. */
export function packValue(value: unknown): Outgoing {
  // A sender may end before its message is read.
  const writer = new HandleWriter({ isFarewell: true });
  try {
    const encoded = encode(value, 'value', { encodeErrorClass, encodeHandle: writer.encodeHandle });
    return new Outgoing(forms.value, encoded, writer.handles.length === 0 ? none : holdAll(writer.handles));
  } finally {
    if (writer.handles.length > 0) letGo(writer.handles);
  }
}

/** A message of bytes, as they are now. */
export function packBytes(bytes: Uint8Array): Outgoing {
  const isShort = bytes.length <= IN_PLACE_MAX_BYTES;
  return new Outgoing(forms.bytes, { head: isShort ? bytes.slice() : bytes, blobs: [] }, none);
}

/** Once for each object that counts its holders. */
function holdAll(handles: readonly unknown[]): readonly number[] {
  const counted = handles.filter((handle) => !isMemoryHandle(handle)).map((handle) => (handle as Handle).at);
  for (const at of counted) hold(at);
  return counted;
}

/** A message that was taken: its body in memory that the next one overwrites, and what it referred to. */
export interface Incoming {
  readonly form: number;
  readonly body: Uint8Array;
  readonly references: readonly number[];
  readonly blockCount: number;
}

const scratch = new Uint8Array(IN_PLACE_MAX_BYTES);

/** For `Stream.take`. */
export function readStored(message: StoredMessage): Incoming {
  const { form, length, referenceCount } = message;
  message.copyTo(scratch);
  const references =
    referenceCount === 0 ? none : Array.from({ length: referenceCount }, (_, i) => message.reference(i));
  return { form, body: scratch.subarray(0, length), references, blockCount: message.blockCount };
}

/** For `Stream.take`: whether a message was sent as bytes. */
export function isBytes(message: StoredMessage): boolean {
  return message.form === forms.bytes || message.form === forms.bytesInBlock;
}

/** The value of a message; of one of bytes, a Uint8Array. To be called once, before anything else is taken. */
export function unpackValue(incoming: Incoming): unknown {
  const { form, body, references, blockCount } = incoming;
  if (form === forms.bytes || form === forms.bytesInBlock) return unpackBytes(incoming);
  if (references.length === 0) return decode({ head: body, blobs: [] }, { decodeErrorClass, decodeHandle });
  let taken = 0;
  const isInBlock = form === forms.valueInBlock;
  try {
    const head = isInBlock ? bytesOf(references[0]!) : body;
    const first = isInBlock ? 1 : 0;
    const blobs: Uint8Array[] = [];
    for (taken = first; taken < blockCount; ) blobs.push(takeBytes(references[taken++]!));
    return decode({ head, blobs }, { decodeErrorClass, decodeHandle });
  } finally {
    if (isInBlock) release(references[0]!);
    for (let i = Math.max(taken, isInBlock ? 1 : 0); i < references.length; i++) release(references[i]!);
  }
}

/** The bytes of a message of bytes, in memory of the program's own. */
export function unpackBytes({ form, body, references }: Incoming): Uint8Array {
  return form === forms.bytesInBlock ? takeBytes(references[0]!) : body.slice();
}
