/** A small project in a temporary folder, with this project's scripts and tools. */

import { type SpawnOptions, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = ['scripts', 'package.json', 'tsconfig.json', 'tsconfig.check.json', 'biome.json', '.gitignore'];

/** What a build needs: its entries. */
const ENTRIES = {
  'src/index.ts': 'export {};\n',
  'src/cli/bin.ts': 'export {};\n',
  'src/units/process/child.ts': 'export {};\n',
  'src/units/process/rehearsal.ts': 'export {};\n',
  'src/units/thread/worker.ts': 'export {};\n',
};

/** How a program ended, and what it wrote. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ScratchProject {
  readonly folder: string;
  /** Writes files, by their paths in the project. */
  write(files: Record<string, string>): void;
  /** Runs this Node in the project; `onOutput` hears all of stdout so far, each time there is more. */
  node(args: readonly string[], options?: SpawnOptions, onOutput?: (stdout: string, kill: Kill) => void): Promise<End>;
}

interface Owner {
  after(body: () => void): void;
}

type Kill = (signal: NodeJS.Signals) => void;

/** Makes a project with these files, removed when the test is over, or the test file: `scratchProject({ after })`. */
export function scratchProject(owner: Owner, files: Record<string, string> = {}): ScratchProject {
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-project-'));
  for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const project: ScratchProject = {
    folder,
    write(more) {
      for (const [path, text] of Object.entries(more)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
    },
    node: (args, options = {}, onOutput = () => {}) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, args, { cwd: folder, stdio: 'pipe', ...options });
        let stdout = '';
        let stderr = '';
        child.stdout?.setEncoding('utf8').on('data', (text) => {
          stdout += text;
          onOutput(stdout, (signal) => child.kill(signal));
        });
        child.stderr?.setEncoding('utf8').on('data', (text) => {
          stderr += text;
        });
        child.on('error', reject);
        child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
      }),
  };
  owner.after(() => rmSync(folder, { recursive: true, force: true }));
  project.write({ ...ENTRIES, ...files });
  return project;
}
