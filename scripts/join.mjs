/**
 * Joins what the compiler emitted into few files, and has Node's own modules fetched by `process.getBuiltinModule`. The
 * package works without this step, only slower: a module costs 0.2 to 0.3 ms to load, and a child process would load
 * sixty of them before it could begin; `import … from 'node:fs'` reads every export of that module, some of which load
 * further ones when they are read, which costs another 2 ms.
 *
 * The entries keep their places; what they share stands in `dist/units/chunk-….js`, for `units/current.ts` finds the
 * program of the children by its own place.
 */

import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join as joinPath } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from './tools.mjs';

/** The files that stay. */
export const ENTRIES = [
  'dist/index.js',
  'dist/cli/bin.js',
  'dist/units/process/child.js',
  'dist/units/process/rehearsal.js',
  'dist/units/thread/worker.js',
];

/** @throws {Error} when a module is missing; esbuild has said which. */
export async function join() {
  // As deep as dist, so that the source maps stay right.
  const staging = joinPath(root, '.joined');
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
    const text = readFileSync(joinPath(staging, file), 'utf8');
    const target = joinPath(root, 'dist', file);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, file.endsWith('.js') ? withoutBuiltinImports(text) : text);
  }
  rmSync(staging, { recursive: true });
}

/** Line by line, so that the source maps stay right. */
function withoutBuiltinImports(text) {
  return text.replaceAll(
    /^import (?:(\w+)(?:, | ))?(?:\{([^}]*)\} )?(?:from )?"(node:[^"]+)";$/gm,
    (_, whole, names, module) => {
      const bindings = [...(whole ? [whole] : []), ...(names?.trim() ? [`{${names.replaceAll(' as ', ': ')}}`] : [])];
      return bindings.map((binding) => `const ${binding} = process.getBuiltinModule("${module}");`).join(' ');
    },
  );
}
