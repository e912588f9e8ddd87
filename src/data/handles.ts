/**
 * Shared objects in messages, those of this folder included.
 *
 * A message holds what it names, by a reference for each handle, or a sender that let go at once would leave a handle to
 * nothing. Whoever gets the message lets go of these references once it has the objects; when nobody got it, its sender.
 */

import { kinds } from '../arena/object-words.ts';
import { drop, type Handle, retain } from '../arena/objects.ts';
import { announceTravel } from '../arena/travel.ts';
import { ClosedError } from '../errors.ts';
import { decodeHandle as decodeObject, encodeHandle, registerClass } from '../sync/handles.ts';
import { ShareableList } from './shareable-list.ts';
import { SharedArray } from './shared-array.ts';
import { isMemoryHandle, memoryHandleOf, takeMemory } from './shared-memory.ts';
import { SharedValue } from './shared-value.ts';

registerClass(kinds.array, SharedArray);
registerClass(kinds.value, SharedValue);
registerClass(kinds.list, ShareableList);

/** Handles of one message. */
export type Handles = readonly unknown[];

/** For `EncodeHooks`: encodes the shared objects of one message, and has the message hold them. */
export class HandleWriter {
  /** What the message holds so far. */
  readonly handles: unknown[] = [];
  readonly #isFarewell: boolean;

  /** @param isFarewell - whether this process may end before the message is read. */
  constructor({ isFarewell = false }: { readonly isFarewell?: boolean } = {}) {
    this.#isFarewell = isFarewell;
  }

  /** @throws {ClosedError} `ERR_CLOSED` for what this process has closed. */
  readonly encodeHandle = (value: object): unknown => {
    const handle = encodeHandle(value) ?? memoryHandleOf(value, this.#isFarewell);
    if (handle === undefined) return undefined;
    if (isMemoryHandle(handle)) {
      this.handles.push(handle);
      return handle;
    }
    const { kind, at, serial } = handle as Handle;
    retain(at);
    // Without what travels with it: that is only for whoever gets the value.
    this.handles.push({ kind, at, serial });
    return handle;
  };
}

/** For `DecodeHooks`: decodes those of one message, and remembers what is to be let go. */
export class HandleReader {
  readonly handles: unknown[] = [];

  /** @throws {ClosedError} `ERR_CLOSED` when the object is gone. */
  readonly decodeHandle = (handle: unknown): object => {
    const value = decodeHandle(handle);
    this.handles.push(handle);
    return value;
  };
}

/** Lets go of what a message held. To be called once for each message. */
export function letGo(handles: Handles): void {
  // Shared memory is held by those who have it open, and by its name.
  for (const handle of handles) if (!isMemoryHandle(handle)) drop((handle as Handle).at);
}

/** The shared object of a handle. @throws {ClosedError} `ERR_CLOSED` when it is gone. */
export function decodeHandle(handle: unknown): object {
  return isMemoryHandle(handle) ? takeMemory(handle) : decodeObject(handle);
}

announceTravel({ writer: (options) => new HandleWriter(options), reader: () => new HandleReader(), letGo });

/** Holds what a message names as long as the returned objects live, and has the message let go. */
export function takeOver(handles: Handles): readonly object[] {
  const objects = handles.flatMap((handle) => {
    try {
      return [decodeHandle(handle)];
    } catch (error) {
      // It is gone: told to whoever asks for the value.
      if (error instanceof ClosedError) return [];
      throw error;
    }
  });
  letGo(handles);
  return objects;
}
