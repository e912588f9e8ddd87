/** Runs programs as a user does, and looks at what they print and leave behind. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly args?: readonly string[];
  /** Options of Node. */
  readonly node?: readonly string[];
  readonly env?: Record<string, string | undefined>;
  readonly cwd?: string;
  /** Called with the running program, to signal it or to talk to it. */
  readonly during?: (program: Running) => unknown;
}

/** A program at work. */
export class Running {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #waiting: (() => void)[] = [];

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      for (const look of this.#waiting.splice(0)) look();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Resolves with the match once `pattern` stands in what was printed. Rejects when the program ends without it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        this.child.once('close', () => {
          if (pattern.test(this.stdout)) resolve();
          else reject(new Error(`It ended without printing ${pattern}.\n${this.stdout}\n${this.stderr}`));
        });
      });
    }
  }
}

export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** The path of a file in test/fixtures. */
export function fixture(name: string): string {
  return join(root, 'test/fixtures', name);
}

/** Runs a program to its end. A program still running after a minute is killed, and the promise rejects. */
export async function runProgram(file: string, options: ProgramOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [...(options.node ?? []), file, ...(options.args ?? [])], {
    cwd: options.cwd,
    // The test runner's own settings are nothing for a program.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const running = new Running(child);
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  try {
    await options.during?.(running);
    const [code, signal] = await closed;
    return { pid: running.pid, code, signal, stdout: running.stdout, stderr: running.stderr };
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

/** Writes the files of a program into a folder that can import 'manyhands', and hands it to `body`; removed afterwards. */
export async function withProgram<T>(
  files: Readonly<Record<string, string>>,
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(root, 'test/fixtures/.tmp-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The processes that have `marker` in their command line or environment, zombies excepted. */
export function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, 'latin1').includes(marker) ||
          readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(marker)
        );
      } catch {
        return false; // it has ended meanwhile, or is a zombie
      }
    });
}

export interface ChildOfSystem {
  readonly pid: number;
  /** One letter, as in proc(5); `Z` is a zombie. */
  readonly state: string;
}

/** What the kernel says of the children of process `pid`, zombies included. */
export function childrenOf(pid: number): ChildOfSystem[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const [state = '', parent = ''] = statFields(name);
      return Number(parent) === pid ? [{ pid: Number(name), state }] : [];
    });
}

/** The fields of /proc/PID/stat behind the name, which may hold anything; none once the process is gone. */
function statFields(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** Resolves once `condition` holds, looked at every few milliseconds: for what the kernel tells to nobody. */
export async function until(condition: () => boolean, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    // Before the look: one that began in time and took long, on a busy machine, is not the last.
    const isLast = performance.now() > deadline;
    if (condition()) return;
    if (isLast) throw new Error(`It did not come true within ${limitMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
