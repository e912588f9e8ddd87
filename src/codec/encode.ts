/** From values to bytes. The format is in `tags.ts`. */

import type { Encoded, EncodeHooks } from './types.ts';
import { Encoder } from './value-encoder.ts';
import { isStackOverflow, tooDeep } from './value-refusal.ts';
import { threadSink } from './value-sink.ts';

/**
 * The bytes of `value`, with the fidelity of structured clone; beyond it, errors keep their class and everything they
 * carry, a Node Buffer stays one, and functions travel where `hooks` can describe them. Hooks may encode in turn.
 *
 * Every ArrayBuffer of 64 KiB or more is *not copied*: its blob is the user's own memory. Write or copy the blobs
 * before user code can run again. `head` may be kept, but shares its ArrayBuffer with other heads: never transfer it.
 *
 * @param root - what the value is called in messages, `args` as in `args[1].socket`.
 * @throws {CloneError} `ERR_CANNOT_CLONE` when a part of `value` has to stay in this process; the message names it.
 */
export function encode(value: unknown, root: string, hooks?: EncodeHooks): Encoded {
  const start = threadSink.position;
  try {
    const { blobs } = write(value, root, hooks);
    return { head: threadSink.take(start), blobs };
  } finally {
    threadSink.release(start);
  }
}

/** Bytes of the scratch memory, from `start` on. */
export interface Draft {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
  readonly blobs: readonly Uint8Array[];
}

/** As `encode`, but the head stays in the scratch memory: it is there until `endDraft`, before which no user code may run. */
export function draft(value: unknown, root: string, hooks?: EncodeHooks): Draft {
  const start = threadSink.position;
  try {
    const { blobs } = write(value, root, hooks);
    return { bytes: threadSink.bytes, start, length: threadSink.position - start, blobs };
  } catch (error) {
    threadSink.release(start);
    throw error;
  }
}

export function endDraft({ start }: { readonly start: number }): void {
  threadSink.release(start);
}

function write(value: unknown, root: string, hooks: EncodeHooks | undefined): Encoder {
  const encoder = new Encoder(threadSink, hooks);
  try {
    encoder.write(value, root);
    return encoder;
  } catch (error) {
    throw isStackOverflow(error) ? tooDeep(root === '' ? 'A part of it' : root, error) : error;
  }
}
