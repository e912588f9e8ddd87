/**
 * Asks V8 about a function: where its source is, and what the variables that it closes over hold.
 *
 * Through the in-process inspector, whose calls on its own thread answer synchronously. Neither of the two questions
 * needs the debugger; only the text of a script does, and that is asked once for each script.
 */

import type { Runtime, Session } from 'node:inspector';
import { types } from 'node:util';
import type { AnyFunction } from './types.ts';

/** Where V8 says a function begins; lines and columns count from 0. */
export interface FunctionLocation {
  readonly scriptId: string;
  readonly line: number;
  readonly column: number;
}

/** A script as V8 runs it: types stripped, transformed by loaders. */
export interface Script {
  readonly url: string;
  readonly source: string;
}

/** `native`: of the engine or an addon. `bound`: made by `bind`. `proxy`: a Proxy. */
export type FunctionNature = FunctionLocation | 'native' | 'bound' | 'proxy';

/** The property under which values pass between us and the inspector; there only for the time of one call. */
const passage: unique symbol = Symbol.for('manyhands.inspect') as never;
const passageExpression = 'globalThis[Symbol.for("manyhands.inspect")]';
const globals = globalThis as { [passage]?: unknown };
const objectGroup = 'manyhands';

export function locateFunction(fn: AnyFunction): FunctionNature {
  if (types.isProxy(fn)) return 'proxy';
  return withSession((session) => {
    const internal = session.internalProperties(session.idOf(fn));
    if (internal.has('[[TargetFunction]]')) return 'bound';
    const location = internal.get('[[FunctionLocation]]')?.value as Runtime.RemoteObject['value'] | undefined;
    if (location === undefined) return 'native';
    return { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber };
  });
}

const scripts = new Map<string, Script>();

/** @throws {Error} when V8 has dropped the script, which it does not while a function of it lives. */
export function scriptOf(scriptId: string): Script {
  let script = scripts.get(scriptId);
  if (script === undefined) {
    script = withSession((session) => session.script(scriptId));
    scripts.set(scriptId, script);
  }
  return script;
}

/** The module's URL; code given to `node -e`, to a REPL, to `eval` or to `vm` has none that could be imported. */
export function importableUrl(url: string): string | undefined {
  const isUrl = /^[a-z][a-z0-9+.-]*:/.test(url);
  const isGiven = /(^|\/)\[(eval\d*|stdin)\](-wrapper)?$/.test(url) || url.startsWith('evalmachine.');
  return isUrl && !isGiven ? url : undefined;
}

/** Without running code of the program: a class may have a getter there. */
export function nameOf(fn: AnyFunction): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value;
  return typeof name === 'string' ? name : '';
}

/** What became of a name that a function closes over. */
export type Captured = { readonly value: unknown } | 'uninitialised' | 'missing';

/** The values that `names` have for `fn` now, looked up from the innermost scope outwards. */
export function readCaptured(fn: AnyFunction, names: readonly string[]): Map<string, Captured> {
  return withSession((session) => {
    const found = new Map<string, Captured>();
    const scopes = session.internalProperties(session.idOf(fn)).get('[[Scopes]]');
    if (scopes?.objectId !== undefined) {
      for (const scope of session.properties(scopes.objectId)) {
        const left = names.filter((name) => !found.has(name));
        if (left.length === 0) break;
        if (scope.value?.objectId === undefined || scope.value.description === 'Global') continue;
        for (const [name, captured] of session.readScope(scope.value.objectId, left)) found.set(name, captured);
      }
    }
    for (const name of names) if (!found.has(name)) found.set(name, 'missing');
    return found;
  });
}

/** The private fields, methods and accessors that `value` has: `#balance`. */
export function privateNamesOf(value: object): string[] {
  return withSession((session) => session.privateNames(session.idOf(value)));
}

/** Every constructor that this thread has of a class derived from Error, the youngest last. Takes about 40 ms. */
export function liveErrorClasses(): AnyFunction[] {
  return withSession((session) => {
    const prototypes = session.instancesOf('Error.prototype') as object[];
    return prototypes.flatMap((prototype) => {
      const errorClass: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
      return typeof errorClass === 'function' && errorClass.prototype === prototype ? [errorClass] : [];
    });
  });
}

/** Every object of this thread that inherits from `prototype`, those that nobody can reach excepted. Takes about 40 ms. */
export function liveInstances(prototype: object): object[] {
  return withSession((session) => {
    globals[passage] = prototype;
    return session.instancesOf(passageExpression) as object[];
  });
}

function withSession<T>(body: (session: Inspection) => T): T {
  // Not imported: loading it takes 1 ms of the start of a child.
  const session = new (process.getBuiltinModule('node:inspector').Session)();
  session.connect();
  try {
    return body(new Inspection(session));
  } finally {
    delete globals[passage];
    session.disconnect();
  }
}

type Method = Parameters<Session['post']>[0];

/** One connection, with the few questions that we ask. */
class Inspection {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  idOf(value: unknown): string {
    globals[passage] = value;
    return this.#objectId(this.#post('Runtime.evaluate', { expression: passageExpression, objectGroup }));
  }

  internalProperties(objectId: string): Map<string, Runtime.RemoteObject> {
    const { internalProperties = [] } = this.#post<Runtime.GetPropertiesReturnType>('Runtime.getProperties', {
      objectId,
      ownProperties: true,
    });
    return new Map(internalProperties.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
  }

  privateNames(objectId: string): string[] {
    const { privateProperties = [] } = this.#post<{ privateProperties?: { name: string }[] }>('Runtime.getProperties', {
      objectId,
      ownProperties: true,
    });
    return privateProperties.map(({ name }) => name);
  }

  properties(objectId: string): Runtime.PropertyDescriptor[] {
    return this.#post<Runtime.GetPropertiesReturnType>('Runtime.getProperties', { objectId, ownProperties: true })
      .result;
  }

  /** The inspector hands a scope over as `{ description, object }`. A name not yet initialised throws when read. */
  readScope(objectId: string, names: readonly string[]): [string, Captured][] {
    const read = `function (names) {
      ${passageExpression} = names.filter((name) => name in this.object).map((name) => {
        try { return [name, { value: this.object[name] }] } catch { return [name, 'uninitialised'] }
      });
    }`;
    this.#post('Runtime.callFunctionOn', { objectId, functionDeclaration: read, arguments: [{ value: names }] });
    return globals[passage] as [string, Captured][];
  }

  instancesOf(prototypeExpression: string): unknown {
    const prototypeObjectId = this.#objectId(
      this.#post('Runtime.evaluate', { expression: prototypeExpression, objectGroup }),
    );
    const { objects } = this.#post<Runtime.QueryObjectsReturnType>('Runtime.queryObjects', {
      prototypeObjectId,
      objectGroup,
    });
    const keep = `function () { ${passageExpression} = this }`;
    this.#post('Runtime.callFunctionOn', { objectId: this.#objectId({ result: objects }), functionDeclaration: keep });
    return globals[passage];
  }

  script(scriptId: string): Script {
    let url = '';
    this.#session.on('Debugger.scriptParsed', ({ params }) => {
      if (params.scriptId === scriptId) url = params.url;
    });
    this.#post('Debugger.enable');
    try {
      const { scriptSource } = this.#post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId });
      return { url, source: scriptSource };
    } finally {
      this.#post('Debugger.disable');
    }
  }

  #objectId({ result }: { result: Runtime.RemoteObject }): string {
    if (result.objectId === undefined) throw new Error(`The inspector returned a ${result.type} without a reference.`);
    return result.objectId;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the inspector's replies are typed by their callers.
  #post<T = any>(method: string, params: object = {}): T {
    let failure: Error | null = null;
    let reply: T | undefined;
    this.#session.post(method as Method, params as never, (error: Error | null, result?: object) => {
      failure = error;
      reply = result as T;
    });
    if (failure !== null) throw failure;
    if (reply === undefined) throw new Error(`The inspector did not answer ${method}.`);
    return reply;
  }
}
