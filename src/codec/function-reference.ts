/** `ref`: a function named outright, by its module and export. */

import { ValidationError } from '../errors.ts';
import type { AnyFunction } from './types.ts';

export interface FunctionReference {
  readonly url: string;
  readonly exportName: string;
}

const references = new WeakMap<AnyFunction, FunctionReference>();

export function referenceOf(fn: AnyFunction): FunctionReference | undefined {
  return references.get(fn);
}

/**
 * Names a target outright: the export `exportName` of the module at `moduleUrl`. For bundled programs, and wherever a
 * function's own module should not be looked up.
 *
 * @param moduleUrl - usually `import.meta.url`, or `new URL('./worker.js', import.meta.url)`.
 * @returns a stand-in to pass as a target; called here, it throws.
 * @throws {ValidationError} `ERR_VALIDATION` when `moduleUrl` is no absolute URL.
 */
export function ref<F extends (...args: never[]) => unknown = (...args: unknown[]) => unknown>(
  moduleUrl: string | URL,
  exportName: string,
): F {
  if (!URL.canParse(String(moduleUrl))) {
    throw new ValidationError(
      `ref() needs the URL of a module and got ${JSON.stringify(String(moduleUrl))}. Write ref(import.meta.url, 'name') or ref(new URL('./file.js', import.meta.url), 'name').`,
    );
  }
  if (typeof exportName !== 'string' || exportName === '') {
    throw new ValidationError(`ref() needs the name of an export and got ${JSON.stringify(exportName)}.`);
  }
  const standIn = (): never => {
    throw new ValidationError(
      `ref("${moduleUrl}", "${exportName}") stands for a function of another unit; it cannot be called here.`,
    );
  };
  Object.defineProperty(standIn, 'name', { value: exportName });
  references.set(standIn, { url: String(moduleUrl), exportName });
  return standIn as unknown as F;
}
