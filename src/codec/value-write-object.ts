/** Plain objects, and instances of classes, which arrive as plain objects. */

import { DICTIONARY, OBJECT, OBJECT_AGAIN } from './tags.ts';
import type { Encoder } from './value-encoder.ts';

/** @param mayInherit - whether a key that a getter deleted meanwhile could still be read, from the prototype. */
export function writeRecord(encoder: Encoder, value: object, keys: readonly string[], mayInherit: boolean): void {
  const { sink, shapes } = encoder;
  const shape = shapes.find(keys, sink);
  if (shapes.isKnown(shape)) {
    sink.byte(OBJECT_AGAIN);
    sink.varint(shape.index);
  } else {
    shapes.add(shape);
    sink.byte(OBJECT);
    sink.varint(shape.definition.length);
    sink.raw(shape.definition);
  }
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    encoder.writeProperty(value, key, encoder.get(value, key), mayInherit);
  }
}

export function writeDictionary(encoder: Encoder, value: object, keys: readonly string[], mayInherit: boolean): void {
  encoder.sink.byte(DICTIONARY);
  writePairs(encoder, value, keys, mayInherit);
}

/** Count, then key and value by turns. */
export function writePairs(encoder: Encoder, value: object, keys: readonly string[], mayInherit: boolean): void {
  encoder.sink.varint(keys.length);
  for (const key of keys) {
    encoder.sink.string(key);
    encoder.writeProperty(value, key, encoder.get(value, key), mayInherit);
  }
}
