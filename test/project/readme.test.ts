import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { root, runProgram } from '../support/program.ts';

const pages = ['README.md', 'README.zh-CN.md'];
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

const printed = {
  'examples/fibonacci.ts': '[ 39088169, 63245986 ]\n',
  'examples/shared-array.ts': '7\n',
  'examples/squares.ts': '333833500\n',
};
for (const [file, text] of Object.entries(printed)) {
  test(`${file} stands in both readmes, and prints what they say`, async () => {
    for (const page of pages) assert.ok(read(page).includes(`\`\`\`ts\n${read(file)}\`\`\``), page);
    const { stdout, code } = await runProgram(join(root, file));
    assert.deepEqual([stdout, code], [text, 0]);
  });
}

test('every file that a page links to is there', () => {
  const others = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs/errors.md'];
  for (const page of [...pages, ...others, 'examples/lecture/README.md', 'examples/lecture/README.zh-CN.md']) {
    for (const [, link = ''] of read(page).matchAll(/\]\(([^)#]+)/g)) {
      if (!/^https?:/.test(link)) assert.ok(existsSync(join(root, dirname(page), link)), `${page}: ${link}`);
    }
  }
});

test('every command that a page names is one of the project', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
  for (const page of [...pages, 'CONTRIBUTING.md']) {
    for (const [, name = ''] of read(page).matchAll(/npm run (\w+)/g))
      assert.ok(scripts.includes(name), `${page}: ${name}`);
  }
});
