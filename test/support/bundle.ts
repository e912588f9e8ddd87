/** Bundles a program into one file, as users do before they ship it. */

import { build } from 'esbuild';

/** @param file - the bundle to write; 'manyhands' stays an import of it. */
export async function bundle(entry: string, file: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: ['manyhands'],
    sourcemap: 'inline',
    minify: true,
    logLevel: 'silent',
  });
}
