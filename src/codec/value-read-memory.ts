/** ArrayBuffers and the views on them. */

import { types } from 'node:util';
import { damaged } from './value-damage.ts';
import type { Decoder } from './value-decoder.ts';
import { viewClasses } from './value-view-classes.ts';

/** What `lib` of ES2024 says. */
type ResizableArrayBuffer = new (byteLength: number, options: { maxByteLength: number }) => ArrayBuffer;

export function readArrayBuffer(decoder: Decoder): ArrayBuffer {
  return decoder.register(readOwnBuffer(decoder));
}

export function readResizableArrayBuffer(decoder: Decoder): ArrayBuffer {
  const maxByteLength = decoder.source.varint();
  const { bytes } = decoder.readRun();
  try {
    const buffer = new (ArrayBuffer as ResizableArrayBuffer)(bytes.byteLength, { maxByteLength });
    new Uint8Array(buffer).set(bytes);
    return decoder.register(buffer);
  } catch (error) {
    throw damaged(`no memory of ${bytes.byteLength} to ${maxByteLength} bytes`, error);
  }
}

/** Memory that two threads have. */
export function readSharedMemory(decoder: Decoder): SharedArrayBuffer {
  const memory = decoder.hooks?.decodeMemory?.(decoder.source.varint());
  if (memory === undefined) throw damaged('it holds shared memory, and that is not there');
  return decoder.register(memory);
}

export function readView(decoder: Decoder): ArrayBufferView {
  const number = decoder.reserve();
  const viewClass = decoder.source.byte();
  const byteOffset = decoder.source.varint();
  const length = decoder.source.varint();
  const buffer = decoder.read() as ArrayBuffer;
  const ViewClass = viewClasses[viewClass];
  if (ViewClass === undefined) throw damaged(`this version of Node has no view class ${viewClass}`);
  if (!(buffer instanceof ArrayBuffer || types.isSharedArrayBuffer(buffer)))
    throw damaged('a view without its ArrayBuffer');
  try {
    const view = length === 0 ? new ViewClass(buffer, byteOffset) : new ViewClass(buffer, byteOffset, length - 1);
    return decoder.settle(number, view);
  } catch (error) {
    throw damaged(`no view of ${length - 1} elements at ${byteOffset} in ${buffer.byteLength} bytes`, error);
  }
}

export function readBuffer(decoder: Decoder): Buffer {
  const { bytes, isBlob } = decoder.readRun();
  return decoder.register(isBlob ? Buffer.from(ownBuffer(bytes)) : Buffer.from(bytes));
}

function readOwnBuffer(decoder: Decoder): ArrayBuffer {
  const { bytes, isBlob } = decoder.readRun();
  return isBlob ? ownBuffer(bytes) : copyOf(bytes);
}

/** The memory of a blob as it is when it is all of its ArrayBuffer; else a copy. */
function ownBuffer(blob: Uint8Array): ArrayBuffer {
  const { buffer } = blob;
  const isWhole = buffer instanceof ArrayBuffer && blob.byteOffset === 0 && blob.byteLength === buffer.byteLength;
  return isWhole && !(buffer as ArrayBuffer & { resizable: boolean }).resizable ? buffer : copyOf(blob);
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy.buffer;
}
