/** Makes a function of the image that another process sent. The modules of the images have been imported by then. */

import { createRequire } from 'node:module';
import { constants, runInThisContext } from 'node:vm';
import { TargetError } from '../errors.ts';
import { builtinNamed } from './builtin-value.ts';
import type { AnyImage, BuiltinImage, ReferenceImage, SourceImage } from './function-image.ts';
import { nameOf } from './function-inspect.ts';
import { IMPORT_META_NAME } from './function-text.ts';
import { type ModuleScope, scopeOf } from './module-scope.ts';
import type { AnyFunction, DecodeHooks } from './types.ts';

/** The namespaces of imported modules, by URL. */
export type Namespaces = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

type Revived = ReturnType<NonNullable<DecodeHooks['decodeFunction']>>;

/** The decoding of functions, given the modules that were imported for them. */
export function functionReviver(namespaces: Namespaces): NonNullable<DecodeHooks['decodeFunction']> {
  return (plain, needed) => {
    const image = plain as AnyImage;
    if (image.kind === 'reference') return complete(findExport(image, namespaces));
    if (image.kind === 'builtin') return complete(findBuiltin(image));
    const found = findByName(image, namespaces);
    return found === undefined ? evaluate(image, (needed ?? {}) as Record<string, unknown>) : complete(found);
  };
}

function complete(fn: AnyFunction): Revived {
  return { fn, fill: () => {} };
}

function findExport({ url, exportName }: ReferenceImage, namespaces: Namespaces): AnyFunction {
  const found = namespaces.get(url)?.[exportName];
  if (typeof found === 'function') return found;
  const exports = Object.keys(namespaces.get(url) ?? {});
  throw new TargetError(
    `ref("${url}", "${exportName}"): the module exports ${found === undefined ? 'no such name' : `a ${typeof found} of that name`}. ` +
      `Its exports: ${exports.length === 0 ? 'none' : exports.join(', ')}.`,
  );
}

function findBuiltin(image: BuiltinImage): AnyFunction {
  const found = builtinNamed(image);
  if (typeof found === 'function') return found;
  const title = [...(image.module === undefined ? [] : [`node:${image.module}`]), ...image.path].join('.');
  throw new TargetError(`${title} is not there in this process. Wrap it: (...args) => theFunction(...args).`);
}

/** The function where its module has it: at module scope, or, when that cannot be seen, among the exports. */
function findByName(
  { url, path, isDefaultExport, source }: SourceImage,
  namespaces: Namespaces,
): AnyFunction | undefined {
  if (url === undefined) return undefined;
  const namespace = namespaces.get(url);
  const candidates: (() => unknown)[] = [];
  if (path !== undefined)
    candidates.push(
      () => scopeOf(url)?.(path.map(access).join('')),
      () => follow(namespace, path),
    );
  if (isDefaultExport) candidates.push(() => namespace?.default);
  // `module.exports` is the default export of a CommonJS module.
  if (path?.[0] === 'module' && path[1] === 'exports') candidates.push(() => follow(namespace?.default, path.slice(2)));
  if (path?.[0] === 'exports') candidates.push(() => follow(namespace?.default, path.slice(1)));
  for (const candidate of candidates) {
    try {
      const found = candidate();
      if (typeof found === 'function' && Function.prototype.toString.call(found) === source) return found;
    } catch {
      // The name is gone, or not initialised, in this process: the next way is tried.
    }
  }
  return undefined;
}

function access(name: string, index: number): string {
  return index === 0 ? name : `[${JSON.stringify(name)}]`;
}

function follow(start: unknown, path: readonly string[]): unknown {
  return path.reduce((value, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name], start);
}

function evaluate(image: SourceImage, needed: Readonly<Record<string, unknown>>): Revived {
  const scope = image.url === undefined ? looseScope : scopeOf(image.url);
  if (image.expression === undefined || scope === undefined) throw notThere(image);
  const given: Record<string, unknown> = { ...needed };
  for (const [name, builtin] of Object.entries(image.builtins)) given[name] = builtinNamed(builtin);
  const make = scope(makerText(image, image.expression)) as (given: unknown) => [AnyFunction, Setters];
  const [fn, setters] = make(given);
  keepName(fn, image.name);
  return {
    fn,
    fill(captured) {
      for (const [name, value] of Object.entries(captured)) setters[name]?.(value);
    },
  };
}

type Setters = Record<string, (value: unknown) => void>;

/** A function that takes the locals which must be there at once, and returns the wanted one with setters of its locals. */
function makerText({ url, line, column, expressionOffset, capturedNames }: SourceImage, expression: string): string {
  const declare = capturedNames.length === 0 ? '' : `var {${capturedNames.join(',')}}=${IMPORT_META_NAME}_;`;
  const setters = capturedNames.map(
    (name) => `${JSON.stringify(name)}:(${IMPORT_META_NAME})=>{${name}=${IMPORT_META_NAME}}`,
  );
  const start = `(${IMPORT_META_NAME}_)=>{${declare}return[`;
  // The newlines and blanks put the function's text where it stands in its module, so that stack traces tell the truth.
  const indent = column - expressionOffset - (line === 0 ? start.length : 0);
  return (
    `${start}${'\n'.repeat(line)}${' '.repeat(Math.max(0, indent))}${expression},{${setters.join()}}]}` +
    (url === undefined ? '' : `\n//# sourceURL=${url}`)
  );
}

/** Evaluated by itself, a function misses the name that an assignment gave it. */
function keepName(fn: AnyFunction, name: string): void {
  if (nameOf(fn) !== name) Reflect.defineProperty(fn, 'name', { value: name, configurable: true });
}

function notThere({ name, url, expression }: SourceImage): TargetError {
  return new TargetError(
    `The function "${name}" of ${url ?? 'no module'} is not there in this process. ` +
      (expression === undefined
        ? 'Its module has something else in its place here than where it came from.'
        : 'Its module was loaded here before it could be looked into, or ended early. ' +
          "Export the function, or name it outright: ref(moduleUrl, 'name')."),
  );
}

/** Evaluates code that belongs to no module, as `node -e` does; `import()` and `require` start from the working directory. */
const looseScope: ModuleScope = (code) => {
  const make = runInThisContext(
    `(function(require,module,exports,__filename,__dirname,${IMPORT_META_NAME}){return ${code}\n})`,
    {
      filename: '[eval]',
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    },
  ) as (...values: unknown[]) => unknown;
  const exports = {};
  return make(createRequire(`${process.cwd()}/[eval]`), { exports }, exports, '[eval]', '.', undefined);
};
