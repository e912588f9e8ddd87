/**
 * Joins what the compiler emitted into few files: a module costs 0.2 to 0.3 ms to load, and a child process would load
 * sixty of them before it could begin. The package works without this step, only slower.
 *
 * The entries keep their places; what they share stands in `dist/units/chunk-….js`, for `units/current.ts` finds the
 * program of the children by its own place.
 */

import { globSync, renameSync, rmSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from './tools.mjs';

/** The files that stay. */
export const ENTRIES = ['dist/index.js', 'dist/units/process/child.js', 'dist/cli/bin.js'];

/** @throws {Error} when a module is missing; esbuild has said which. */
export async function join() {
  const staging = joinPath(root, '.cache', 'joined');
  rmSync(staging, { recursive: true, force: true });
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outbase: 'dist',
    outdir: staging,
    bundle: true,
    splitting: true,
    chunkNames: 'units/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node22',
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
  for (const file of globSync('dist/**/*.{js,js.map}', { cwd: root })) rmSync(joinPath(root, file));
  for (const file of globSync('**/*.{js,js.map}', { cwd: staging })) {
    renameSync(joinPath(staging, file), joinPath(root, 'dist', file));
  }
}
