import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, test } from 'node:test';
import { scratchProject } from './scratch-project.ts';

const project = scratchProject(
  { after },
  {
    'echo.mjs': 'console.log(JSON.stringify([process.argv.slice(2), process.env.PATH])); process.exitCode = 7;',
    'killed.mjs': "process.kill(process.pid, 'SIGKILL');",
    'patient.mjs': `
      process.on('SIGTERM', () => process.exit(9));
      setInterval(() => {}, 1000);
      console.log('ready');`,
    'impatient.mjs': "setInterval(() => {}, 1000); console.log('ready');",
  },
);

test('passes on arguments, output and exit code, and puts its Node first in PATH', async () => {
  const { code, stdout, stderr } = await project.node(['scripts/with-node.mjs', 'echo.mjs', 'a b', '*', '']);
  const [args, path] = JSON.parse(stdout);
  assert.deepEqual(args, ['a b', '*', '']);
  assert.equal(path.split(':')[0], dirname(process.execPath));
  assert.equal(code, 7);
  assert.equal(stderr, '');
});

test('ends by the signal that ended the script', async () => {
  const { signal } = await project.node(['scripts/with-node.mjs', 'killed.mjs']);
  assert.equal(signal, 'SIGKILL');
});

test('passes a signal on and waits for the script to end in its own way', async () => {
  const { code } = await project.node(['scripts/with-node.mjs', 'patient.mjs'], {}, (_, kill) => kill('SIGTERM'));
  assert.equal(code, 9);
});

test('ends by the signal that it passed on when the script does', async () => {
  const { signal } = await project.node(['scripts/with-node.mjs', 'impatient.mjs'], {}, (_, kill) => kill('SIGTERM'));
  assert.equal(signal, 'SIGTERM');
});

test('says how to use it when there is no script', async () => {
  const { code, stderr } = await project.node(['scripts/with-node.mjs']);
  assert.equal(code, 1);
  assert.match(stderr, /^Usage: /);
});

test('says what to do on a Node too old to bring another', async () => {
  const { code, stderr } = await project.node([...pretending('16.20.2'), 'scripts/with-node.mjs', 'echo.mjs']);
  assert.equal(code, 1);
  assert.match(stderr, /^Manyhands needs Node 22\.18 or newer.*this is Node 16\.20\.2\. Install/);
});

/** Options that make Node believe that it has another version. */
function pretending(version: string): string[] {
  const code = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
}
