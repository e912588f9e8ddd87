import { damaged } from './value-damage.ts';
import type { Decoder } from './value-decoder.ts';

/** A shared object: the one that the sender has. */
export function readHandle(decoder: Decoder): object {
  const number = decoder.reserve();
  const { hooks } = decoder;
  if (hooks?.decodeHandle === undefined) throw damaged('it holds a shared object, and none is expected here');
  return decoder.settle(number, hooks.decodeHandle(decoder.read()));
}
