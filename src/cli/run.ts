/**
 * `manyhands run PROGRAM`: Node, with everything set up for a TypeScript program that uses processes.
 *
 * The program takes the place of this command (execve): signals, terminal and exit code are its own.
 */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { withCompileCache } from '../units/process/compile-cache.ts';
import { notFoundExitCode, UsageError } from './usage-error.ts';

interface RunOptions {
  readonly import?: readonly string[];
  readonly inspect?: true;
  readonly inspectPort?: string;
  readonly spares?: number;
}

export function addRun(program: Command): void {
  program
    .command('run')
    .summary('run a TypeScript or JavaScript program')
    .description(
      'Runs a TypeScript or JavaScript program: types are stripped, stack traces tell the lines of the source.',
    )
    .argument('<program>', 'the file to run')
    .argument('[args...]', 'what it finds in process.argv')
    .option('--import <module>', 'load a module first, also in children; for loaders such as tsx', collect)
    // No `--inspect [port]`: it would take the program for the port.
    .option('--inspect', 'let a debugger in; children get ports of their own on SIGUSR1')
    .option('--inspect-port <port>', 'the same, on this port, or host:port')
    .option('--spares <count>', 'how many spare processes to keep ready; 0: none', spareCount)
    .addHelpText('after', examples)
    .passThroughOptions()
    .action(run);
}

const examples = `
Examples:
  manyhands run main.ts                        types are stripped by Node itself
  manyhands run main.ts --verbose input.txt    what follows the program is for the program
  manyhands run --import tsx main.ts           enums, decorators, paths: with the loader tsx, if it is installed`;

function run(program: string, args: readonly string[], options: RunOptions): void {
  const file = resolve(program);
  assertFile(program, file);
  const env = { ...withCompileCache(process.env as Record<string, string>) };
  if (options.spares !== undefined) env.MANYHANDS_SPARE_PROCESSES = String(options.spares);
  process.execve!(process.execPath, [process.execPath, ...nodeOptions(options), file, ...args], env);
}

function nodeOptions({ import: modules = [], inspect, inspectPort }: RunOptions): string[] {
  return [
    '--enable-source-maps',
    ...modules.map((module) => `--import=${module}`),
    ...(inspectPort === undefined ? [] : [`--inspect=${inspectPort}`]),
    ...(inspect === true && inspectPort === undefined ? ['--inspect'] : []),
  ];
}

function assertFile(given: string, file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) throw new UsageError(`there is no program "${given}" (${file}).`, notFoundExitCode);
  if (stats.isDirectory())
    throw new UsageError(`"${given}" is a folder. Name the file to run, e.g. ${given.replace(/\/$/, '')}/main.ts.`);
}

function collect(module: string, modules: readonly string[] = []): string[] {
  return [...modules, module];
}

function spareCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > 64) throw new InvalidArgumentError('It takes a number from 0 to 64.');
  return count;
}
