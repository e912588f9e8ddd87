import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cpuCount } from 'manyhands';
import { type Ended, root, runProgram } from '../support/program.ts';

const program = join(root, 'examples/fingerprint.ts');
const texts: Readonly<Record<string, string>> = { 'a.txt': 'many hands', 'deep/b.txt': 'x'.repeat(100_000), empty: '' };
let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'manyhands-fingerprint-'));
  mkdirSync(join(folder, 'deep'));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function fingerprint(...args: string[]): Promise<Ended> {
  return runProgram(program, { args });
}

function expectedDigest(): string {
  const lines = Object.entries(texts).map(([name, text]) =>
    [name, createHash('sha256').update(text).digest('hex'), text.length, gzipSync(text).length].join('\t'),
  );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16);
}

test('fingerprints every file, and many processes give the answers of one', async () => {
  const { code, stdout, stderr } = await fingerprint(folder);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^files +3, 0 unreadable$/m);
  assert.match(stdout, new RegExp(`^fingerprint +${expectedDigest()} of all of them$`, 'm'));
  assert.match(stdout, new RegExp(`^${cpuCount()} processes +[\\d.]+ s, the same answers$`, 'm'));
  assert.match(stdout, /^speed-up +[\d.]+ ×$/m);
});

test('an empty folder has no files', async () => {
  const empty = join(folder, 'nothing');
  mkdirSync(empty);
  const { code, stdout } = await fingerprint(empty);
  rmSync(empty, { recursive: true });
  assert.equal(code, 0);
  assert.match(stdout, /^files +0, 0 unreadable$/m);
});

test('a file that cannot be read is reported and counted', async (t) => {
  // Root reads every file that has any reader; the kernel has some that nobody may read.
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) {
    writeFileSync(join(folder, 'secret'), 'x');
    chmodSync(join(folder, 'secret'), 0o000);
    t.after(() => rmSync(join(folder, 'secret')));
  }
  const { code, stdout, stderr } = await fingerprint(isRoot ? '/proc/sys/vm' : folder);
  assert.equal(code, 0, stderr);
  assert.match(stderr, isRoot ? /^cannot read compact_memory: EACCES$/m : /^cannot read secret: EACCES$/m);
  assert.match(stdout, /^files +\d+, [1-9]\d* unreadable$/m);
});

test('a folder that is not there, or is no folder, is a clear error with exit code 2', async () => {
  const missing = await fingerprint(join(folder, 'missing'));
  assert.deepEqual([missing.code, missing.stdout], [2, '']);
  assert.match(missing.stderr, /^fingerprint: There is no folder ".*missing"\.\nUsage: /);
  assert.match((await fingerprint(join(folder, 'a.txt'))).stderr, /a\.txt" is not a folder\.\nUsage: /);
  assert.equal((await fingerprint(folder, folder)).code, 2);
  assert.equal((await fingerprint('--wrong')).code, 2);
});
