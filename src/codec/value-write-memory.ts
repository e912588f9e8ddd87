/** ArrayBuffers and the views on them. */

import { types } from 'node:util';
import { ARRAY_BUFFER, ARRAY_BUFFER_RESIZABLE, BUFFER, SHARED_MEMORY, VIEW } from './tags.ts';
import type { Encoder } from './value-encoder.ts';
import { viewClasses, viewClassOf } from './value-view-classes.ts';

/** Shorter runs stand in the head, longer ones are blobs. */
export const RUN_IN_HEAD_BYTES: number = 64 * 1024;

/** What `lib` of ES2024 says. */
interface NewerArrayBuffer extends ArrayBuffer {
  readonly detached: boolean;
  readonly resizable: boolean;
  readonly maxByteLength: number;
}

export function writeRun(encoder: Encoder, bytes: Uint8Array): void {
  const { sink } = encoder;
  if (bytes.byteLength < RUN_IN_HEAD_BYTES) {
    sink.varint(bytes.byteLength * 2);
    sink.raw(bytes);
  } else {
    sink.varint(bytes.byteLength * 2 + 1);
    encoder.blobs.push(bytes);
  }
}

export function writeArrayBuffer(encoder: Encoder, value: object): void {
  const buffer = value as NewerArrayBuffer;
  if (buffer.detached) throw encoder.refuse(buffer, 'detached');
  if (buffer.resizable) {
    encoder.sink.byte(ARRAY_BUFFER_RESIZABLE);
    encoder.sink.varint(buffer.maxByteLength);
  } else {
    encoder.sink.byte(ARRAY_BUFFER);
  }
  // With its length: a view without one would follow a resizable buffer.
  writeRun(encoder, new Uint8Array(buffer, 0, buffer.byteLength));
}

/** Memory that is not copied: a number stands for it, between threads. */
export function writeSharedMemory(encoder: Encoder, value: object): void {
  const encodeMemory = encoder.hooks?.encodeMemory;
  if (encodeMemory === undefined) throw encoder.refuse(value, 'shared');
  encoder.sink.byte(SHARED_MEMORY);
  encoder.sink.varint(encodeMemory.call(encoder.hooks, value as SharedArrayBuffer));
}

export function writeView(encoder: Encoder, value: object): void {
  const view = value as ArrayBufferView;
  checkMemory(encoder, view, encoder.hooks?.encodeMemory !== undefined);
  const { sink } = encoder;
  const viewClass = viewClassOf(view);
  const bytesPerElement = viewClasses[viewClass]?.BYTES_PER_ELEMENT ?? 1;
  sink.byte(VIEW);
  sink.byte(viewClass);
  sink.varint(view.byteOffset);
  sink.varint(followsItsBuffer(view) ? 0 : view.byteLength / bytesPerElement + 1);
  encoder.write(view.buffer, 'buffer');
}

/** A Node Buffer: only its own bytes, for its ArrayBuffer is as a rule a pool that it shares with strangers. */
export function writeBuffer(encoder: Encoder, value: object): void {
  const buffer = value as Uint8Array;
  checkMemory(encoder, buffer);
  encoder.sink.byte(BUFFER);
  writeRun(encoder, new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
}

function checkMemory(encoder: Encoder, view: ArrayBufferView, mayBeShared = false): void {
  if (types.isSharedArrayBuffer(view.buffer) && !mayBeShared) throw encoder.refuse(view, 'shared');
  if ((view.buffer as NewerArrayBuffer).detached) throw encoder.refuse(view, 'detached');
}

/** Whether a view was made without a length, so that it grows with its buffer. */
function followsItsBuffer(view: ArrayBufferView): boolean {
  if (!(view.buffer as NewerArrayBuffer).resizable) return false;
  // JavaScript cannot ask. The engine's own format ends with the flags of the view.
  // https://chromium.googlesource.com/v8/v8/+/main/src/objects/value-serializer.cc (kIsLengthTracking)
  const serializer = new (process.getBuiltinModule('node:v8').Serializer)();
  serializer.writeValue(view);
  return ((serializer.releaseBuffer().at(-1) ?? 0) & 1) === 1;
}
