import assert from 'node:assert/strict';
import { existsSync, globSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type End, type ScratchProject, scratchProject } from './scratch-project.ts';

const SOURCES = {
  'src/index.ts': "export { answer } from './deep/answer.ts';\n",
  'src/deep/answer.ts': 'export const answer: number = 42;\n',
  'src/cli/bin.ts':
    "#!/usr/bin/env node\nimport { answer } from '../index.ts';\nconsole.log(answer, ...process.argv.slice(2));\n",
  'src/units/process/child.ts': "import { answer } from '../../index.ts';\nconsole.log(answer);\n",
};
const ENTRIES = [
  'dist/cli/bin.js',
  'dist/index.js',
  'dist/units/process/child.js',
  'dist/units/process/rehearsal.js',
  'dist/units/thread/worker.js',
];

async function built(t: TestContext): Promise<ScratchProject> {
  const project = scratchProject(t, SOURCES);
  const { code, stdout, stderr } = await build(project);
  assert.equal(code, 0, stdout + stderr);
  return project;
}

function build(project: ScratchProject): Promise<End> {
  return project.node(['scripts/build.mjs']);
}

function modules({ folder }: ScratchProject): string[] {
  return globSync('dist/**/*.js', { cwd: folder }).sort();
}

test('joins what it compiled, keeps the declarations, and makes the program executable', async (t) => {
  const project = await built(t);
  const shared = modules(project).filter((file) => !ENTRIES.includes(file));
  assert.equal(shared.length, 1);
  assert.match(shared[0] ?? '', /^dist\/units\/chunk-\w+\.js$/);
  assert.ok(existsSync(join(project.folder, 'dist/deep/answer.d.ts')));
  assert.equal(statSync(join(project.folder, 'dist/cli/bin.js')).mode & 0o111, 0o111);
});

test('does nothing when nothing changed', async (t) => {
  const project = await built(t);
  const writtenAtMs = () => statSync(join(project.folder, 'dist/index.js')).mtimeMs;
  const before = writtenAtMs();
  assert.equal((await build(project)).code, 0);
  assert.equal(writtenAtMs(), before);
});

test('builds again when a source changed or an output is missing', async (t) => {
  const project = await built(t);
  project.write({ 'src/deep/answer.ts': 'export const answer: number = 43;\n' });
  await build(project);
  assert.equal((await project.node(['dist/cli/bin.js'])).stdout, '43\n');
  rmSync(join(project.folder, 'dist/index.js'));
  await build(project);
  assert.equal((await project.node(['dist/cli/bin.js'])).stdout, '43\n');
});

test('removes the outputs of a source that is gone', async (t) => {
  const project = await built(t);
  rmSync(join(project.folder, 'src/deep'), { recursive: true });
  project.write({ 'src/index.ts': 'export const answer: number = 1;\n' });
  const before = modules(project);
  assert.equal((await build(project)).code, 0);
  assert.equal(modules(project).length, before.length);
  assert.notDeepEqual(modules(project), before); // the shared part has another name, and the old one is gone
  assert.equal(existsSync(join(project.folder, 'dist/deep')), false);
});

test('fails on a type error, each time until it is mended', async (t) => {
  const project = await built(t);
  project.write({ 'src/deep/answer.ts': "export const answer: number = 'many';\n" });
  for (const _ of [1, 2]) {
    const { code, stdout, stderr } = await build(project);
    assert.equal(code, 1);
    assert.match(stdout, /src\/deep\/answer\.ts\(1,14\): error TS2322/);
    assert.equal(stderr, 'The build failed.\n');
  }
  project.write(SOURCES);
  assert.equal((await build(project)).code, 0);
});

test('an example is built for and gets its arguments', async (t) => {
  const project = scratchProject(t, { ...SOURCES, 'examples/fingerprint.ts': '' });
  const { code, stdout } = await project.node(['scripts/example.mjs', 'fingerprint', 'a folder']);
  assert.deepEqual([code, stdout], [0, '42 run examples/fingerprint.ts a folder\n']);
});
