/** From values to messages of a stream, and back. */

import { type Handle, hold, release } from '../arena/objects.ts';
import { decode } from '../codec/decode.ts';
import { type Draft, draft, endDraft } from '../codec/encode.ts';
import { decodeErrorClass, encodeErrorClass } from '../codec/error-class.ts';
import type { EncodeHooks } from '../codec/types.ts';
import { decodeHandle, HandleWriter, letGo } from '../data/handles.ts';
import { isMemoryHandle } from '../data/shared-memory.ts';
import { PlatformError } from '../errors.ts';
import { bytesOf, createBlock, takeBytes } from './block.ts';
import type { Message, StoredMessage } from './segment.ts';

/** What a body is, and whether it stands in the first block. */
const forms = { value: 0, valueInBlock: 1, bytes: 2, bytesInBlock: 3 } as const;

/** Longer bodies stand in blocks. */
const IN_PLACE_MAX_BYTES = 16 * 1024;
const none: readonly number[] = [];

/**
 * A message on its way into a stream. What it refers to is held by this thread until `settle`; memory for its long parts is
 * taken by `stage`, which may be called again when there was none. Its body may stand in scratch memory until `keep`.
 */
export class Outgoing implements Message {
  readonly sizeBytes: number;
  bytes: Uint8Array;
  start: number;
  length: number;
  form: number;
  references: readonly number[];
  blockCount = 0;
  #draft: Draft | undefined;
  #unstaged: Uint8Array[] | undefined;
  #isCopied = false;

  /** @param held - what its handles stand for: held once for each, until `settle`. */
  constructor(
    form: typeof forms.value | typeof forms.bytes,
    draft: Draft,
    held: readonly number[],
    isScratch: boolean,
  ) {
    const { bytes, start, length, blobs } = draft;
    this.form = form;
    this.bytes = bytes;
    this.start = start;
    this.length = length;
    this.references = held;
    this.#draft = isScratch ? draft : undefined;
    this.sizeBytes = length;
    if (blobs.length > 0 || length > IN_PLACE_MAX_BYTES) this.sizeBytes += this.#setApart(draft);
  }

  /** Its long parts are to stand in blocks. @returns how many bytes the blobs have. */
  #setApart({ bytes, start, length, blobs }: Draft): number {
    this.#unstaged = [...blobs];
    if (length > IN_PLACE_MAX_BYTES) {
      this.form++;
      this.length = 0;
      this.#unstaged.unshift(bytes.subarray(start, start + length));
    }
    return blobs.reduce((sum, blob) => sum + blob.length, 0);
  }

  /** To be called before anything else may happen in this thread. */
  keep(): void {
    if (this.#unstaged !== undefined) this.#keepCopies();
    if (this.#draft === undefined) return;
    // Not `slice`: that of a Buffer copies nothing.
    this.bytes = new Uint8Array(this.bytes.subarray(this.start, this.start + this.length));
    this.start = 0;
    this.#endDraft();
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
    this.references = [...blocks, ...this.references];
    this.blockCount = blocks.length;
  }

  #endDraft(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft !== undefined) endDraft(draft);
  }

  #keepCopies(): void {
    if (!this.#isCopied) this.#unstaged = this.#unstaged?.map((part) => new Uint8Array(part));
    this.#isCopied = true;
  }

  /** Lets go of what it holds, once a stream has it, or nobody will. Does nothing the second time. */
  settle(): void {
    this.#endDraft();
    const { references } = this;
    if (references.length === 0) return;
    this.references = none;
    for (const object of references) release(object);
  }
}

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'ERR_OUT_OF_MEMORY';
}

/** Of the message that is written at this moment, if it has handles. */
let writer: HandleWriter | undefined;
const hooks: EncodeHooks = {
  encodeErrorClass,
  encodeHandle(value) {
    // A sender may end before its message is read.
    writer ??= new HandleWriter({ isFarewell: true });
    return writer.encodeHandle(value);
  },
};

/** A message of a value, as it is now. @throws {CloneError} `ERR_CANNOT_CLONE` for what cannot travel. */
export function packValue(value: unknown): Outgoing {
  // A getter of the value may put something else meanwhile.
  const outer = writer;
  writer = undefined;
  try {
    const written = draft(value, 'value', hooks);
    const handles = (writer as HandleWriter | undefined)?.handles;
    return new Outgoing(forms.value, written, handles === undefined ? none : holdAll(handles), true);
  } finally {
    const { handles } = (writer as HandleWriter | undefined) ?? noHandles;
    writer = outer;
    if (handles.length > 0) letGo(handles);
  }
}

const noHandles: { readonly handles: readonly unknown[] } = { handles: [] };

/** A message of bytes, as they are now. */
export function packBytes(bytes: Uint8Array): Outgoing {
  const own = bytes.length <= IN_PLACE_MAX_BYTES ? new Uint8Array(bytes) : bytes;
  return new Outgoing(forms.bytes, { bytes: own, start: 0, length: own.length, blobs: [] }, none, false);
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
