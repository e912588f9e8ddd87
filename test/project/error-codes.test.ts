import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorClasses } from '../../src/errors.ts';
import { sourceFiles, src } from './source-imports.ts';

/** Codes of Node's own errors that `src` looks at. */
const NODE_CODES = new Set([
  'ERR_INVALID_ARG_TYPE',
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
]);

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const sections = page.split(/^## (?=ERR_)/m).slice(1);
const documented = sections.map((section) => section.slice(0, section.indexOf('\n')).trim());

function codesInSource(): string[] {
  const texts = sourceFiles.map((file) => readFileSync(join(src, file), 'utf8'));
  const codes = texts.flatMap((text) =>
    [...text.matchAll(/(['"`])(ERR_[A-Z0-9_]+)\1/g)].map(([, , code = '']) => code),
  );
  return [...new Set(codes)].filter((code) => !NODE_CODES.has(code)).sort();
}

test('every error code in src has a section in docs/errors.md, and every section is of a code in src', () => {
  assert.deepEqual([...documented].sort(), codesInSource());
});

test('every section says what happened, why, and what to do', () => {
  for (const section of sections) {
    for (const part of ['**What happened.**', '**Why.**', '**What to do.**']) {
      assert.ok(section.includes(part), `${section.split('\n')[0]} lacks ${part}`);
    }
  }
});

test('the section of a class’s own code names the class', () => {
  for (const [name, { defaultCode }] of Object.entries(errorClasses)) {
    const section = sections[documented.indexOf(defaultCode)] ?? '';
    assert.match(section, new RegExp(`\`${name}\``), defaultCode);
  }
});

test('every class has a code of its own', () => {
  const codes = Object.values(errorClasses).map(({ defaultCode }) => defaultCode);
  assert.equal(new Set(codes).size, codes.length);
});
