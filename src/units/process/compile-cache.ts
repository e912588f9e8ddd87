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
  return isDecided ? env : { ...env, NODE_COMPILE_CACHE: folder(env.XDG_CACHE_HOME) };
}

function folder(cacheHome: string | undefined): string {
  const base = cacheHome !== undefined && isAbsolute(cacheHome) ? cacheHome : join(homedir(), '.cache');
  return join(base, 'manyhands', 'compile-cache');
}
