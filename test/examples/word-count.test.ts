import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cpuCount } from 'manyhands';
import { type Ended, root, runProgram } from '../support/program.ts';

const program = join(root, 'examples/word-count.ts');
const texts: Readonly<Record<string, string>> = {
  'a.md': 'Many hands make light work. Many!',
  'deep/b.txt': `don't ${'hands '.repeat(200_000)}`,
  'deep/c.js': 'été, été; 42',
  'deep/d.bin': 'not this one',
};
let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'manyhands-word-count-'));
  mkdirSync(join(folder, 'deep'));
  mkdirSync(join(folder, 'nothing'));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function wordCount(...args: string[]): Promise<Ended> {
  return runProgram(program, { args });
}

test('counts the words of every text, and many processes give the answers of one', async () => {
  const { code, stdout, stderr } = await wordCount(folder);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    [...stdout.matchAll(/^ +\d+ {2}(\S+) +([\d,]+) /gm)].map(([, word, count]) => [word, count]),
    [
      ['hands', '200,001'],
      ['many', '2'],
      ['été', '2'],
      ["don't", '1'],
      ['light', '1'],
      ['make', '1'],
      ['work', '1'],
    ],
  );
  assert.match(stdout, /^files +3, 1\.2 MB, 0 unreadable$/m);
  assert.match(stdout, /^words +200,009, 7 of them different$/m);
  assert.match(stdout, new RegExp(`^${cpuCount()} processes +[\\d.]+ s, the same answers$`, 'm'));
  assert.match(stdout, /^speed-up +[\d.]+ ×$/m);
});

test('a file is counted whatever its name, and one that cannot be read is reported', async () => {
  const { code, stdout, stderr } = await wordCount(join(folder, 'deep/d.bin'), '/proc/self/mem');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^cannot read \/proc\/self\/mem: E[A-Z]+$/m);
  assert.match(stdout, /^files +2, 0\.0 MB, 1 unreadable$/m);
  assert.match(stdout, /^words +3, 3 of them different$/m);
});

test('what it cannot count is a clear error with exit code 2', async () => {
  const missing = await wordCount(join(folder, 'missing'));
  assert.deepEqual([missing.code, missing.stdout], [2, '']);
  assert.match(missing.stderr, /^word-count: There is no ".*missing"\.\nUsage: /);
  assert.match((await wordCount(join(folder, 'nothing'))).stderr, /There is no \.md, .* file in .*nothing\.\nUsage: /);
  assert.equal((await wordCount('--wrong')).code, 2);
});
