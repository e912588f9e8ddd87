/** Peers in Python and C: a program beside the benchmark that measures once for each line that it is sent. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LineServer } from './line-server.ts';
import type { Contender } from './measure.ts';

/** @returns no contender on a machine without Python. */
export function inPython(name: string, script: string): Contender[] {
  if (spawnSync('python3', ['--version']).status !== 0) return [];
  return [asked(name, new LineServer('python3', [script]))];
}

/**
 * Compiled for this run alone.
 *
 * @param args - of the program: what it shall measure.
 * @returns no contender on a machine without gcc.
 */
export function inC(name: string, source: string, args: readonly string[] = []): Contender[] {
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-bench-'));
  try {
    const program = join(folder, 'program');
    const { error, status, stderr } = spawnSync('gcc', ['-O2', '-pthread', '-o', program, source], {
      encoding: 'utf8',
    });
    if (error !== undefined) return [];
    if (status !== 0) throw new Error(`gcc does not compile ${source}:\n${stderr}`);
    const server = new LineServer(program, args);
    return [asked(name, server, () => rmSync(folder, { recursive: true }))];
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

function asked(name: string, server: LineServer, after?: () => void): Contender {
  return {
    name,
    once: async () => Number(await server.ask('')),
    end() {
      server.end();
      after?.();
    },
  };
}
