/** Where compiled code is kept, stripped TypeScript included, which makes imports several times faster. */

import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The environment in which a Node keeps compiled code in the user's cache folder; `env` itself when the user has
 * decided otherwise, or measures coverage, which cached code blurs.
 */
export function withCompileCache(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isDecided = ['NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE', 'NODE_V8_COVERAGE'].some(
    (name) => name in env,
  );
  const base = isDecided ? undefined : cacheFolder(env.XDG_CACHE_HOME);
  return base === undefined ? env : { ...env, NODE_COMPILE_CACHE: join(base, 'manyhands', 'compile-cache') };
}

function cacheFolder(cacheHome: string | undefined): string | undefined {
  if (cacheHome !== undefined && isAbsolute(cacheHome)) return cacheHome;
  try {
    return join(homedir(), '.cache');
  } catch {
    return undefined; // no HOME, and a user whom the system does not know, as in containers: no cache
  }
}
