/** A function and its arguments as bytes for the unit that shall run them; `target-unpack.ts` is the other side. */

import { type Handles, HandleWriter, letGo } from '../channels/handles.ts';
import { encode } from '../codec/encode.ts';
import { encodeErrorClass } from '../codec/error-class.ts';
import { type AnyImage, describeFunction, describeImage, moduleOf } from '../codec/function-image.ts';
import type { AnyFunction, Encoded } from '../codec/types.ts';
import { CloneError, TargetError } from '../errors.ts';

/** Target and arguments in one message, so that what they share is shared there as well. */
export interface PackedTarget {
  readonly value: Encoded;
  /** URLs of the modules that the other side imports before it unpacks; the target's own is the first. */
  readonly modules: readonly string[];
  /** What the message holds, until the unit has it: handles.ts. */
  readonly handles: Handles;
}

/** Numbers the SharedArrayBuffers of one message, which travel beside it. */
export function memoryNumbers(memory: SharedArrayBuffer[]): (buffer: SharedArrayBuffer) => number {
  return (buffer) => {
    const known = memory.indexOf(buffer);
    return known >= 0 ? known : memory.push(buffer) - 1;
  };
}

/**
 * @param unit - the unit as messages name it, `process "worker"`.
 * @param memory - filled with the SharedArrayBuffers in it; without it there may be none.
 * @throws {TargetError} `ERR_TARGET` naming the function, the variable or argument, and the way out.
 */
export function packTarget(
  target: AnyFunction,
  args: readonly unknown[],
  unit: string,
  memory?: SharedArrayBuffer[],
): PackedTarget {
  const modules = new Set<string>();
  const writer = new HandleWriter();
  try {
    // The root has no name: messages say `target` and `args[0]`.
    const value = encode({ target, args }, '', {
      encodeFunction(fn, path) {
        const described = describeImage(fn, path);
        const module = moduleOf(described.image as AnyImage);
        if (module !== undefined) modules.add(module);
        return described;
      },
      encodeErrorClass,
      encodeHandle: writer.encodeHandle,
      ...(memory === undefined ? {} : { encodeMemory: memoryNumbers(memory) }),
    });
    return { value, modules: [...modules], handles: writer.handles };
  } catch (error) {
    letGo(writer.handles);
    if (!(error instanceof CloneError)) throw error;
    throw new TargetError(`Cannot start ${unit} with ${describeFunction(target)}: ${error.message}`, { cause: error });
  }
}
