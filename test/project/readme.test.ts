import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { root, runProgram } from '../support/program.ts';

const pages = ['README.md', 'README.zh-CN.md'];
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

test('the program at the top of both readmes is the example, and prints what it says', async () => {
  const example = read('examples/fibonacci.ts');
  for (const page of pages) assert.ok(read(page).includes(`\`\`\`ts\n${example}\`\`\``), page);
  const { stdout, code } = await runProgram(join(root, 'examples/fibonacci.ts'));
  assert.deepEqual([stdout, code], ['[ 39088169, 63245986 ]\n', 0]);
});

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
