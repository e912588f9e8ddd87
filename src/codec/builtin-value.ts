/** The functions and objects that every process has by itself: `Math.max`, `readFileSync`, the module `node:os`. */

import { builtinModules } from 'node:module';
import { types } from 'node:util';

/** Names that lead to a value, from `globalThis` or from one of Node's modules. */
export interface BuiltinName {
  readonly module: string | undefined;
  readonly path: readonly string[];
}

/** How to find `value` again in another process; `undefined` when it is not one of these. */
export function builtinNameOf(value: unknown): BuiltinName | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  known ??= listBuiltins();
  // `import * as os` gives a namespace, whose default is the module.
  return known.get(types.isModuleNamespaceObject(value) ? namespaceDefault(value) : value);
}

function namespaceDefault(namespace: object): object {
  try {
    return Object(Reflect.get(namespace, 'default')) as object;
  } catch {
    // Not initialised yet: a module of the program, which is none of these.
    return namespace;
  }
}

/** The modules that `node -e` and the REPL offer as globals. */
export function builtinModuleNamed(name: string): BuiltinName | undefined {
  const isOffered =
    builtinModules.includes(name) && Object.getOwnPropertyDescriptor(globalThis, name)?.get !== undefined;
  return isOffered ? { module: name, path: [] } : undefined;
}

export function builtinNamed({ module, path }: BuiltinName): unknown {
  let value: unknown = module === undefined ? globalThis : process.getBuiltinModule(module);
  for (const name of path) value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
  return value;
}

let known: WeakMap<object, BuiltinName> | undefined;

/** Not all modules: loading some of the others takes long or prints a warning. */
const modules = [
  ...['fs', 'fs/promises', 'path', 'os', 'util', 'crypto', 'zlib', 'url', 'querystring', 'timers', 'timers/promises'],
  ...['buffer', 'events', 'assert', 'assert/strict', 'child_process', 'perf_hooks', 'v8', 'vm', 'stream', 'process'],
  ...['stream/promises', 'dns', 'dns/promises', 'net', 'http', 'https', 'readline', 'string_decoder', 'module'],
];

/** A list, because a program may have put anything else there. */
const globalNames = [
  ...['Object', 'Function', 'Array', 'Number', 'Boolean', 'String', 'Symbol', 'BigInt', 'Date', 'RegExp', 'Promise'],
  ...[
    'parseFloat',
    'parseInt',
    'isNaN',
    'isFinite',
    'Map',
    'Set',
    'WeakMap',
    'WeakSet',
    'WeakRef',
    'Proxy',
    'Iterator',
  ],
  ...[
    'Math',
    'JSON',
    'Reflect',
    'Atomics',
    'Intl',
    'decodeURI',
    'decodeURIComponent',
    'encodeURI',
    'encodeURIComponent',
  ],
  ...[
    'escape',
    'unescape',
    'eval',
    'Error',
    'AggregateError',
    'EvalError',
    'RangeError',
    'ReferenceError',
    'SyntaxError',
  ],
  ...['TypeError', 'URIError', 'ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Int16Array'],
  ...['Uint8ClampedArray', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array'],
  ...[
    'BigUint64Array',
    'FinalizationRegistry',
    'console',
    'structuredClone',
    'fetch',
    'queueMicrotask',
    'atob',
    'btoa',
  ],
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'URL', 'Blob'],
  ...['URLSearchParams', 'TextEncoder', 'TextDecoder', 'AbortController', 'AbortSignal', 'Event', 'EventTarget'],
];

function listBuiltins(): WeakMap<object, BuiltinName> {
  const names = new WeakMap<object, BuiltinName>();
  for (const name of globalNames) {
    note(names, Object.getOwnPropertyDescriptor(globalThis, name)?.value, { module: undefined, path: [name] });
  }
  for (const module of modules) note(names, process.getBuiltinModule(module), { module, path: [] });
  return names;
}

/**
 * Notes `owner` and the functions that it holds; other objects in it are data of this process, such as `process.argv`.
 * The first name that is found for a value is kept. Getters are left alone: some make what they return.
 */
function note(names: WeakMap<object, BuiltinName>, owner: unknown, { module, path }: BuiltinName): void {
  if ((typeof owner !== 'object' && typeof owner !== 'function') || owner === null) return;
  if (!names.has(owner)) names.set(owner, { module, path });
  for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
    if (typeof value === 'function' && !names.has(value)) names.set(value, { module, path: [...path, key] });
  }
}
