/**
 * Compiles `src` into `dist`, joins the modules there (join.mjs), and does nothing when `dist` already holds what the sources say.
 *
 * `.cache/build.json` has the digest of everything that decides the output. It is removed before a build and written
 * after it, so that a build that was cut off is done again.
 */

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, globSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join as joinPath } from 'node:path';
import { main } from './child.mjs';
import { ENTRIES, join } from './join.mjs';
import { packageJson, root, tsc } from './tools.mjs';

const STAMP = joinPath(root, '.cache', 'build.json');
const PROGRAM = joinPath(root, 'dist', 'cli', 'bin.js');

/** Brings `dist` up to date. @throws {Error} when the sources do not compile; the compiler has said why. */
export async function build() {
  const sources = globSync('src/**/*.ts', { cwd: root }).sort();
  const digest = digestOf(sources);
  const outputs = sources.flatMap(outputsOf);
  if (
    readStamp() === digest &&
    [...declarations(outputs), ...ENTRIES].every((file) => existsSync(joinPath(root, file)))
  )
    return;
  rmSync(STAMP, { force: true });
  await tsc('tsconfig.json', 'The build failed.');
  removeOutdated(new Set(outputs));
  await join();
  if (existsSync(PROGRAM)) chmodSync(PROGRAM, 0o755);
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, JSON.stringify({ digest }));
}

function digestOf(sources) {
  const { version, devDependencies } = packageJson();
  const hash = createHash('sha256').update(
    JSON.stringify([version, devDependencies.typescript, devDependencies.esbuild]),
  );
  for (const file of ['tsconfig.json', 'scripts/join.mjs', ...sources]) {
    const content = readFileSync(joinPath(root, file));
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

function outputsOf(source) {
  const path = source.replace(/^src/, 'dist').replace(/\.ts$/, '');
  return [`${path}.js`, `${path}.js.map`, `${path}.d.ts`, `${path}.d.ts.map`];
}

/** What is left of the compiler's output once the modules are joined. */
function declarations(outputs) {
  return outputs.filter((file) => file.endsWith('.d.ts'));
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(STAMP, 'utf8')).digest;
  } catch {
    // Missing or half-written: build.
    return undefined;
  }
}

/** Removes what no source stands for any more: a module that was deleted must not stay importable. */
function removeOutdated(outputs) {
  const entries = globSync('dist/**', { cwd: root, withFileTypes: true });
  const folders = [];
  for (const entry of entries) {
    const path = joinPath(entry.parentPath, entry.name);
    if (entry.isDirectory()) folders.push(path);
    else if (!outputs.has(path.slice(root.length))) rmSync(path);
  }
  for (const folder of folders.sort().reverse()) {
    try {
      rmdirSync(folder);
    } catch (error) {
      if (error.code !== 'ENOTEMPTY') throw error;
    }
  }
}

if (import.meta.main) await main(build);
