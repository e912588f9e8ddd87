/** From bytes back to values. The format is in `tags.ts`. */

import { CloneError } from '../errors.ts';
import { readError } from './error-read.ts';
import * as tags from './tags.ts';
import type { DecodeHooks, Encoded } from './types.ts';
import { Decoder, type Readers } from './value-decoder.ts';
import { readBigInt, readBigInt64, readBoxed, readDate, readMap, readRegExp, readSet } from './value-read-builtin.ts';
import { readFunction } from './value-read-function.ts';
import { readHandle } from './value-read-handle.ts';
import {
  readArrayBuffer,
  readBuffer,
  readResizableArrayBuffer,
  readSharedMemory,
  readView,
} from './value-read-memory.ts';
import { readDictionary, readDoubleArray, readInt32Array, readNamedArray } from './value-read-object.ts';
import { isStackOverflow } from './value-refusal.ts';

const readers: Readers = {
  [tags.BIGINT64]: readBigInt64,
  [tags.BIGINT]: readBigInt,
  [tags.DICTIONARY]: readDictionary,
  [tags.ARRAY_NAMED]: readNamedArray,
  [tags.ARRAY_INT32]: readInt32Array,
  [tags.ARRAY_DOUBLE]: readDoubleArray,
  [tags.MAP]: readMap,
  [tags.SET]: readSet,
  [tags.DATE]: readDate,
  [tags.REGEXP]: readRegExp,
  [tags.BOXED]: readBoxed,
  [tags.ARRAY_BUFFER]: readArrayBuffer,
  [tags.ARRAY_BUFFER_RESIZABLE]: readResizableArrayBuffer,
  [tags.VIEW]: readView,
  [tags.BUFFER]: readBuffer,
  [tags.ERROR]: readError,
  [tags.FUNCTION]: readFunction,
  [tags.HANDLE]: readHandle,
  [tags.SHARED_MEMORY]: readSharedMemory,
};

/**
 * The value that `encode` was given. A blob that is the whole of its ArrayBuffer becomes part of the value, uncopied:
 * do not use it afterwards. Nothing else of `encoded` is kept.
 *
 * @throws {CloneError} `ERR_CORRUPT_MESSAGE` when no `encode` wrote these bytes; `ERR_CANNOT_CLONE` when the value is
 * nested too deeply for the stack from which `decode` is called. What a hook throws passes through.
 */
export function decode(encoded: Encoded, hooks?: DecodeHooks): unknown {
  const decoder = new Decoder(encoded, readers, hooks);
  try {
    const value = decoder.read();
    decoder.finish();
    return value;
  } catch (error) {
    if (!isStackOverflow(error)) throw error;
    throw new CloneError('The message is nested too deeply for the stack. Decode it from a less deep call.', {
      cause: error,
    });
  }
}
