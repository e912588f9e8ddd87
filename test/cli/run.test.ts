import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';
import { type Ended, fixture, type ProgramOptions, root, runProgram } from '../support/program.ts';

const command = join(root, 'dist/cli/bin.js');
const shown = fixture('process/shown.ts');

function manyhands(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  return runProgram(command, { ...options, args });
}

interface Shown {
  readonly pid: number;
  readonly args: readonly string[];
  readonly execArgv: readonly string[];
  readonly isMain: readonly unknown[];
  readonly loads: number;
  readonly isInspected: boolean;
}

/** Runs a program that shows what it was started with. */
async function show(...args: string[]): Promise<Shown> {
  const { code, stdout, stderr } = await manyhands(['run', ...args]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Shown;
}

describe('manyhands run', () => {
  test('a program gets what follows it, as it stands', async () => {
    const args = ['input.txt', '--spares', '-h', '--import=x', '--', '', '子 进程'];
    assert.deepEqual((await show(shown, 'return', ...args)).args, args);
    assert.deepEqual((await show('--', shown, 'return', '-x')).args, ['-x']);
  });

  test('the program takes the place of the command, and is the main program', async () => {
    const { pid, stdout } = await manyhands(['run', shown]);
    const seen = JSON.parse(stdout) as Shown;
    assert.equal(seen.pid, pid);
    assert.deepEqual(seen.isMain, [true, true, 'MainProcess']);
    assert.ok(seen.execArgv.includes('--enable-source-maps'));
  });

  test('a path is taken from the working folder', async () => {
    const { code, stdout } = await manyhands(['run', 'shown.ts', 'return', 'a'], { cwd: fixture('process') });
    assert.equal(code, 0);
    assert.deepEqual((JSON.parse(stdout) as Shown).args, ['a']);
  });

  test('the exit code is that of the program', async () => {
    for (const code of [0, 3, 127]) assert.equal((await manyhands(['run', shown, 'exit', `${code}`])).code, code);
    const { code, stderr } = await manyhands(['run', shown, 'throw']);
    assert.equal(code, 1);
    assert.match(stderr, /shown\.ts:\d+\n.*\nError: thrown by the program\n {4}at [^\n]*shown\.ts:\d+:\d+/s);
  });

  test('the signal that ended the program is what ended the command', async () => {
    const { code, signal } = await manyhands(['run', shown, 'signal', 'SIGKILL']);
    assert.deepEqual([code, signal], [null, 'SIGKILL']);
  });

  test('signals sent to the command reach the program', async () => {
    const ended = await manyhands(['run', shown, 'stay'], {
      during: async (program) => {
        await program.printed(/"pid"/);
        program.child.kill('SIGINT');
      },
    });
    assert.deepEqual([ended.code, ended.signal], [null, 'SIGINT']);
  });

  test('--import loads a module first, also in children', async () => {
    const preload = fixture('process/preload.mjs');
    assert.equal((await show('--import', preload, shown)).loads, 1);
    assert.equal((await show('--import', preload, `--import=${preload}?again`, shown)).loads, 2);
    const { stdout } = await manyhands(['run', '--import', preload, fixture('process/spares-left.ts')]);
    assert.equal((JSON.parse(stdout) as { loads: number }).loads, 1);
  });

  test('--spares says how many spare processes are kept', async () => {
    for (const count of [0, 2]) {
      const { code, stdout, stderr } = await manyhands([
        'run',
        '--spares',
        `${count}`,
        fixture('process/spares-left.ts'),
      ]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), { loads: 0, spares: count });
    }
  });

  test('--inspect and --inspect-port let a debugger in, and leave the program its name', async () => {
    for (const options of [
      ['--inspect-port', '0'],
      ['--inspect', '--inspect-port=127.0.0.1:0'],
    ]) {
      assert.equal((await show(...options, shown)).isInspected, true);
    }
    const { stderr } = await manyhands(['run', '--inspect', 'no-such-program.ts']);
    assert.match(stderr, /no program "no-such-program\.ts"/);
    assert.equal((await show(shown)).isInspected, false);
  });
});

describe('a wrong call', () => {
  async function assertRefused(args: string[], code: number, mention: RegExp): Promise<void> {
    const ended = await manyhands(args);
    assert.equal(ended.code, code, ended.stderr);
    assert.equal(ended.stdout, '');
    assert.match(ended.stderr, mention);
    assert.doesNotMatch(ended.stderr, /^ {4}at /m, 'no stack');
  }

  test('a program that is not there: 127, with its whole path', async () => {
    await assertRefused(
      ['run', 'nowhere.ts'],
      127,
      /^manyhands: there is no program "nowhere\.ts" \(\/.*\/nowhere\.ts\)\.\n$/,
    );
  });

  test('a folder: 2, with an example', async () => {
    await assertRefused(
      ['run', fixture('process/')],
      2,
      /is a folder\. Name the file to run, e\.g\. .*process\/main\.ts\.\n$/,
    );
  });

  test('no program, an unknown option, command or number: 2', async () => {
    await assertRefused(['run'], 2, /missing required argument 'program'/);
    await assertRefused(['run', '--spare', '0', shown], 2, /unknown option '--spare'\n\(Did you mean --spares\?\)\n/);
    await assertRefused(['run', '--spares', '-1', shown], 2, /number from 0 to 64/);
    await assertRefused(['run', '--spares', '65', shown], 2, /number from 0 to 64/);
    await assertRefused(['walk'], 2, /unknown command 'walk'/);
    await assertRefused([], 2, /^Usage: manyhands/);
  });
});

describe('help', () => {
  test('tells commands, options and examples', async () => {
    const general = await manyhands(['--help']);
    assert.equal(general.code, 0);
    assert.match(
      general.stdout,
      /^Usage: manyhands \[options\] \[command\]\n.*\n {2}run \[options\] <program> \[args\.\.\.\]/s,
    );
    const { code, stdout, stderr } = await manyhands(['run', '--help']);
    assert.deepEqual([code, stderr], [0, '']);
    for (const part of ['Usage: manyhands run', '--import <module>', '--inspect', '--spares <count>', 'Examples:']) {
      assert.ok(stdout.includes(part), part);
    }
    assert.doesNotMatch(stdout, /default: \[\]/);
  });

  test('the version is that of the package', async () => {
    const { stdout } = await manyhands(['--version']);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('an older Node', () => {
  const old = oldNode();

  test('gets a clear error and nothing else', { skip: old === undefined && 'there is none on this machine' }, () => {
    const { status, stdout, stderr } = spawnSync(old!.file, [command, 'run', shown], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.equal(
      stderr,
      `manyhands: Manyhands needs Node 22.18 or newer, and this is Node ${old!.version}. ` +
        'Install a supported Node (22, 24 or 26) and run the program with it.\n',
    );
  });
});

/** A Node on the path that is too old, and yet knows modules with top-level await. */
function oldNode(): { file: string; version: string } | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin'];
  for (const file of folders.map((folder) => join(folder, 'node')).filter((path) => existsSync(path))) {
    const version = execFileSync(file, ['--version'], { encoding: 'utf8' }).trim().slice(1);
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major >= 16 && (major < 22 || (major === 22 && minor < 18))) return { file, version };
  }
  return undefined;
}
