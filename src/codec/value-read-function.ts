import { damaged } from './value-damage.ts';
import type { Decoder } from './value-decoder.ts';

/** A function: its image, the captured values needed to make it, and the others, which may refer to it. */
export function readFunction(decoder: Decoder): unknown {
  const number = decoder.reserve();
  const { hooks } = decoder;
  if (hooks?.decodeFunction === undefined) throw damaged('it holds a function, and none is expected here');
  const { fn, fill } = hooks.decodeFunction(decoder.read(), decoder.read());
  decoder.settle(number, fn);
  const captured = decoder.read();
  if (typeof captured !== 'object' || captured === null) throw damaged('a function without its captured variables');
  fill(captured as Readonly<Record<string, unknown>>);
  return fn;
}
