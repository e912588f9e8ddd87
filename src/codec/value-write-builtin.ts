/** The language's own small objects. Each is read by its class's methods, whatever a subclass made of them. */

import { types } from 'node:util';
import { BIGINT, BIGINT64, BOXED, DATE, MAP, REGEXP, SET } from './tags.ts';
import type { Encoder } from './value-encoder.ts';
import type { ByteSink } from './value-sink.ts';

export function writeBigInt(sink: ByteSink, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    sink.byte(BIGINT64);
    sink.rawBigInt64(value);
  } else {
    sink.byte(BIGINT);
    sink.string(value.toString(16));
  }
}

export function writeMap(encoder: Encoder, map: object): void {
  // A getter may change the map while it is written: its entries are those of now.
  const entries: unknown[] = [];
  Map.prototype.forEach.call(map, (value, key) => entries.push(key, value));
  encoder.sink.byte(MAP);
  encoder.sink.varint(entries.length / 2);
  for (let i = 0; i < entries.length; i += 2) {
    const key = entries[i];
    encoder.write(key, { entry: 'key', key });
    encoder.write(entries[i + 1], { entry: 'get', key });
  }
}

export function writeSet(encoder: Encoder, set: object): void {
  const members: unknown[] = [];
  Set.prototype.forEach.call(set, (member) => members.push(member));
  encoder.sink.byte(SET);
  encoder.sink.varint(members.length);
  for (const member of members) encoder.write(member, { entry: 'member', key: member });
}

export function writeDate(encoder: Encoder, date: object): void {
  encoder.sink.byte(DATE);
  encoder.sink.rawDouble(Date.prototype.getTime.call(date));
}

export function writeRegExp(encoder: Encoder, expression: object): void {
  const { source, flags } = expression as RegExp;
  encoder.sink.byte(REGEXP);
  encoder.sink.string(source);
  encoder.sink.string(flags);
}

export function writeBoxed(encoder: Encoder, boxed: object): void {
  encoder.sink.byte(BOXED);
  encoder.write(primitiveOf(boxed), '');
}

function primitiveOf(boxed: object): unknown {
  if (types.isNumberObject(boxed)) return Number.prototype.valueOf.call(boxed);
  if (types.isStringObject(boxed)) return String.prototype.valueOf.call(boxed);
  if (types.isBooleanObject(boxed)) return Boolean.prototype.valueOf.call(boxed);
  return BigInt.prototype.valueOf.call(boxed);
}
