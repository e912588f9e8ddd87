import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type End, type ScratchProject, scratchProject } from './scratch-project.ts';

/** Puts a shell script in the place of Node, or does what `FAKE_NPM` says. */
const NPM = `#!/bin/sh
echo called >> npm-calls
while [ "$1" != --prefix ]; do shift; done
case "$FAKE_NPM" in
  fail) echo 'npm error code ECONNREFUSED' >&2; exit 1 ;;
  interrupt) mkdir -p "$2/node_modules/half"; kill -TERM $PPID; exec sleep 60 ;;
esac
mkdir -p "$2/node_modules/node22/bin"
printf '#!/bin/sh\\necho %s\\n' "\${FAKE_VERSION:-v22.23.3}" > "$2/node_modules/node22/bin/node"
chmod +x "$2/node_modules/node22/bin/node"
`;
const BRING = `
import { main } from './scripts/child.mjs';
import { bring } from './scripts/runtimes.mjs';

await main(async () => console.log(await bring(process.argv[2])));
`;
const MESSAGE = 'Bringing Node 22.23.3 from npm (55 MB, once) …\n';
const BINARY = '.runtimes/node_modules/node22/bin/node';

function projectWithNpm(t: TestContext): ScratchProject {
  const project = scratchProject(t, { 'bin/npm': NPM, 'bring.mjs': BRING });
  chmodSync(join(project.folder, 'bin/npm'), 0o755);
  return project;
}

function bring(
  project: ScratchProject,
  options: { env?: Record<string, string>; flags?: string[]; line?: string } = {},
): Promise<End> {
  const { npm_execpath: _, ...environment } = process.env;
  const env = { ...environment, PATH: join(project.folder, 'bin') + delimiter + process.env.PATH, ...options.env };
  return project.node([...(options.flags ?? []), 'bring.mjs', options.line ?? '22'], { env });
}

function callsOfNpm(project: ScratchProject): number {
  return readFileSync(join(project.folder, 'npm-calls'), 'utf8').trim().split('\n').length;
}

/** What an install that is over must not leave beside the runtimes. */
function leftOver(project: ScratchProject): string[] {
  return readdirSync(join(project.folder, '.runtimes')).filter((name) => name !== 'node_modules');
}

test('brings a runtime once, and says so once', async (t) => {
  const project = projectWithNpm(t);
  const first = await bring(project);
  assert.deepEqual([first.code, first.stdout.trim(), first.stderr], [0, join(project.folder, BINARY), MESSAGE]);
  const second = await bring(project);
  assert.deepEqual([second.code, second.stdout, second.stderr], [0, first.stdout, '']);
  assert.equal(callsOfNpm(project), 1);
  assert.deepEqual(leftOver(project), []);
});

test('replaces a runtime that is broken or of another version', async (t) => {
  const project = projectWithNpm(t);
  for (const broken of ['', '#!/bin/sh\necho v22.18.0\n', '#!/bin/sh\nkill -SEGV $$\n']) {
    project.write({ [BINARY]: broken });
    chmodSync(join(project.folder, BINARY), 0o755);
    assert.equal((await bring(project)).stderr, MESSAGE);
    assert.equal((await bring(project)).stderr, '');
  }
  assert.deepEqual(leftOver(project), []);
});

test('removes what an install left whose process is gone, and nothing of one that goes on', async (t) => {
  const project = projectWithNpm(t);
  const [gone, alive] = ['.installing-999999999-node22', `.installing-${process.pid}-node24`];
  for (const name of [gone, alive])
    mkdirSync(join(project.folder, '.runtimes', name, 'node_modules'), { recursive: true });
  assert.equal((await bring(project)).code, 0);
  assert.deepEqual(leftOver(project), [alive]);
});

test('several installs at once all end with the runtime', async (t) => {
  const project = projectWithNpm(t);
  project.write({ [BINARY]: 'broken' });
  const ends = await Promise.all(Array.from({ length: 4 }, () => bring(project)));
  for (const { code, stdout } of ends) assert.deepEqual([code, stdout.trim()], [0, join(project.folder, BINARY)]);
  assert.deepEqual(leftOver(project), []);
});

test('tells npm’s reason when npm fails, and leaves nothing', async (t) => {
  const project = projectWithNpm(t);
  const { code, stderr } = await bring(project, { env: { FAKE_NPM: 'fail' } });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /npm could not bring .*\(exit code 1\):\nnpm error code ECONNREFUSED\nCheck that .* install Node/,
  );
  assert.deepEqual(leftOver(project), []);
});

test('says what to do when there is no npm', async (t) => {
  const project = projectWithNpm(t);
  const { code, stderr } = await bring(project, { env: { PATH: join(project.folder, 'nothing') } });
  assert.equal(code, 1);
  assert.match(stderr, /npm could not be started .* Install Node 22\.18 or newer yourself/);
});

test('does not take a runtime that does not run here', async (t) => {
  const project = projectWithNpm(t);
  const { code, stderr } = await bring(project, { env: { FAKE_VERSION: 'not-found' } });
  assert.equal(code, 1);
  assert.match(stderr, /does not run here/);
  assert.deepEqual(leftOver(project), []);
});

test('a signal ends the install, and this process with it, and leaves nothing', async (t) => {
  const project = projectWithNpm(t);
  const { signal } = await bring(project, { env: { FAKE_NPM: 'interrupt' } });
  assert.equal(signal, 'SIGTERM');
  assert.deepEqual(leftOver(project), []);
});

test('says what to do on a platform for which npm has no Node', async (t) => {
  const project = projectWithNpm(t);
  const pretend = "data:text/javascript,Object.defineProperty(process,'arch',{value:'riscv64'})";
  const { code, stderr } = await bring(project, { flags: ['--import', pretend] });
  assert.equal(code, 1);
  assert.match(stderr, /cannot bring Node 22\.23\.3 to linux-riscv64\. Install Node 22\.18 or newer yourself/);
});

test('names the supported lines when asked for another', async (t) => {
  const { code, stderr } = await bring(projectWithNpm(t), { line: '21' });
  assert.equal(code, 1);
  assert.match(stderr, /no runtime "21"\. The supported lines are 22, 24, 26\./);
});
