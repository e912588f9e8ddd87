/** The shapes of functions, each script parsed once. */

import { type FunctionShape, ModuleShape } from './free-names.ts';
import type { FunctionLocation, Script } from './function-inspect.ts';

const modules = new Map<string, ModuleShape>();

/** @throws {SyntaxError} when the parser does not know a syntax of the script that V8 knows. */
export function shapeAt({ scriptId, line, column }: FunctionLocation, script: Script): FunctionShape | undefined {
  let module = modules.get(scriptId);
  if (module === undefined) {
    module = new ModuleShape(script.source);
    modules.set(scriptId, module);
  }
  return module.functionAt(line, column);
}
