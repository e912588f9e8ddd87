/** The project's folder, and the tools of `node_modules` that the scripts run in it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Interrupted, run } from './child.mjs';

/** The project's folder, with a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url));

export function packageJson() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}

/** Runs the TypeScript compiler on one of the project's configurations. @throws {Error} `failure` */
export function tsc(configuration, failure) {
  return runTool('typescript/bin/tsc', ['-p', configuration], failure);
}

/** Runs Biome over the project: the linter and the formatter, which changes nothing. @throws {Error} `failure` */
export function biome(failure) {
  return runTool('@biomejs/biome/bin/biome', ['check', '.'], failure);
}

async function runTool(path, args, failure) {
  const end = await run(process.execPath, [join(root, 'node_modules', path), ...args], { cwd: root });
  if (end.interruptedBy !== undefined) throw new Interrupted(end.interruptedBy);
  if (end.code !== 0) throw new Error(failure);
}
