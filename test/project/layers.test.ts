import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Import, importsIn, importsOf, sourceFiles } from './source-imports.ts';

/** The layers of `src` from high to low, as ARCHITECTURE.md draws them: imports point down or stay in a row. */
const ROWS = [
  ['cli'],
  ['index.ts'],
  ['batch'],
  ['pool'],
  ['units', 'scheduling'],
  ['sync', 'channels', 'data'],
  ['arena'],
  ['codec'],
  ['platform'],
  ['errors.ts', 'exit.ts'],
];
const BELOW_ALL = ['errors.ts', 'exit.ts'];
/** The one layer that may use each dependency. */
const PACKAGES: Record<string, string> = { acorn: 'codec', commander: 'cli', koffi: 'platform' };

/** A spare process loads the public names ahead of its use, for the modules that will import them; it uses none. */
const PRELOAD = { from: 'units/process/warm-up.ts', to: 'index.ts' };

const imports = sourceFiles.flatMap(importsOf).filter(({ from, to }) => from !== PRELOAD.from || to !== PRELOAD.to);
const internal = imports.filter(({ to }) => to.endsWith('.ts'));

function layerOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function rowOf(file: string): number {
  return ROWS.findIndex((row) => row.includes(layerOf(file)));
}

function written(list: Import[]): string[] {
  return list.map(({ from, to }) => `${from} imports ${to}`);
}

test('the reader of imports sees every form of import', () => {
  const text = `
import 'node:fs';
import type { A } from './a.ts';
import {
  b,
} from '../b.ts';
export * from './c/c.ts';
export type { D } from './d.ts';
const e = await import('./e.ts');
type F = typeof import('./f.ts');
`;
  assert.deepEqual(
    importsIn('x/y.ts', text).map(({ to, isType }) => [to, isType]),
    [
      ['node:fs', false],
      ['x/a.ts', true],
      ['b.ts', false],
      ['x/c/c.ts', false],
      ['x/d.ts', true],
      ['x/e.ts', false],
      ['x/f.ts', true],
    ],
  );
});

test('every file of src is in a layer', () => {
  assert.ok(sourceFiles.length > 0);
  assert.deepEqual(
    sourceFiles.filter((file) => rowOf(file) === -1),
    [],
  );
});

test('every import leads to a file that exists', () => {
  const files = new Set(sourceFiles);
  assert.deepEqual(written(imports.filter(({ to }) => /\.[cm]?[jt]s$/.test(to) && !files.has(to))), []);
});

test('imports between layers point down', () => {
  assert.deepEqual(written(internal.filter(({ from, to }) => rowOf(from) > rowOf(to))), []);
});

test('layers of one row do not import each other in both directions', () => {
  const pairs = new Set(internal.map(({ from, to }) => `${layerOf(from)} ${layerOf(to)}`));
  const mutual = [...pairs].filter((pair) => {
    const [from, to] = pair.split(' ');
    return from !== to && pairs.has(`${to} ${from}`);
  });
  assert.deepEqual(mutual, []);
});

test('the scheduling layer imports nothing but the errors', () => {
  const outward = imports.filter(
    ({ from, to }) => layerOf(from) === 'scheduling' && layerOf(to) !== 'scheduling' && !BELOW_ALL.includes(to),
  );
  assert.deepEqual(written(outward), []);
});

test('each dependency is used by one layer', () => {
  const external = imports.filter(({ to }) => !to.endsWith('.ts') && !to.startsWith('node:'));
  assert.deepEqual(written(external.filter(({ from, to }) => PACKAGES[to] !== layerOf(from))), []);
});

test('no file imports itself by way of others', () => {
  const next = new Map<string, string[]>();
  for (const { from, to, isType } of internal) if (!isType) next.set(from, [...(next.get(from) ?? []), to]);
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    else if (!finished.has(file)) for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    finished.add(file);
  };
  for (const file of sourceFiles) visit(file, []);
  assert.deepEqual(cycles, []);
});
