/** Strings' neighbours and the language's own small objects. */

import { damaged } from './value-damage.ts';
import type { Decoder } from './value-decoder.ts';

export function readBigInt64(decoder: Decoder): bigint {
  return decoder.source.bigInt64();
}

export function readBigInt(decoder: Decoder): bigint {
  const digits = decoder.source.string();
  if (!/^-?[\da-f]+$/.test(digits)) throw damaged('a bigint without digits');
  return digits.startsWith('-') ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
}

export function readDate(decoder: Decoder): Date {
  return decoder.register(new Date(decoder.source.double()));
}

export function readRegExp(decoder: Decoder): RegExp {
  const source = decoder.source.string();
  const flags = decoder.source.string();
  try {
    return decoder.register(new RegExp(source, flags));
  } catch (error) {
    throw damaged('a regular expression that this version of Node does not read', error);
  }
}

export function readBoxed(decoder: Decoder): object {
  const number = decoder.reserve();
  const primitive = decoder.read();
  if (primitive === null || primitive === undefined) throw damaged('an empty box');
  return decoder.settle(number, Object(primitive) as object);
}

export function readMap(decoder: Decoder): Map<unknown, unknown> {
  const map = decoder.register(new Map<unknown, unknown>());
  const count = decoder.source.count(2);
  for (let i = 0; i < count; i++) map.set(decoder.read(), decoder.read());
  return map;
}

export function readSet(decoder: Decoder): Set<unknown> {
  const set = decoder.register(new Set<unknown>());
  const count = decoder.source.count();
  for (let i = 0; i < count; i++) set.add(decoder.read());
  return set;
}
