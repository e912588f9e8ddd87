/** Runs the benchmarks that the README quotes: all, or those named on the command line. */

import { cpus } from 'node:os';
import { array } from './array/bench.ts';
import { lock } from './lock/bench.ts';
import { pipe } from './pipe/bench.ts';
import { queue } from './queue/bench.ts';
import { start } from './start/bench.ts';

/** Prints its table on stdout. */
type Benchmark = () => Promise<string>;

const benchmarks: Readonly<Record<string, Benchmark>> = { start, lock, queue, pipe, array };

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in benchmarks));
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}". There are: ${Object.keys(benchmarks).join(', ')}.`);
  process.exit(2);
}
const processors = cpus();
console.log(
  `Node ${process.versions.node}, ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}\n`,
);
for (const name of wanted.length === 0 ? Object.keys(benchmarks) : wanted) console.log(await benchmarks[name]!());
