/** What each file of `src` imports, read from its text: type imports too, which the build erases. */

import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Import {
  /** The importing file, relative to `src`. */
  from: string;
  /** The imported file relative to `src`, or the name of a package or of a module of Node. */
  to: string;
  /** Whether it is gone at run time. */
  isType: boolean;
}

export const src: string = fileURLToPath(new URL('../../src/', import.meta.url));

export const sourceFiles: readonly string[] = globSync('**/*.ts', { cwd: src }).sort();

const STATEMENT = /^(?:import|export)\s+(?<type>type\s)?(?:[^;'"]*?\sfrom\s+)?'(?<to>[^']+)'/gm;
const CALL = /(?<type>\btypeof\s+)?\bimport\(\s*'(?<to>[^']+)'/g;

export function importsOf(file: string): Import[] {
  return importsIn(file, readFileSync(join(src, file), 'utf8'));
}

/** The imports of a file with this text, in the order of the text. */
export function importsIn(file: string, text: string): Import[] {
  return [STATEMENT, CALL].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ groups }) => {
      const { to = '', type } = groups ?? {};
      const target = to.startsWith('.') ? posix.join(posix.dirname(file), to) : to;
      return { from: file, to: target, isType: type !== undefined };
    }),
  );
}
