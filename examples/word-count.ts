/**
 * Counts the words of many text files by map and reduce. Names of files go into one queue, as blocks; every process takes
 * a block, counts its words, and puts them into a second queue, from which this program adds them up. Before that, one
 * process does all of it alone; both must give the same answers.
 *
 *     npm run example -- word-count                 the texts of the project and its node_modules
 *     npm run example -- word-count PATH [PATH…]    files, and the texts (.md, .txt, .js, .ts …) of folders
 */

import { type Dirent, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { cpuCount, Process, Queue } from 'manyhands';

interface TextFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** What is counted in one go: small enough to keep all processes busy to the end, large enough to be worth a message. */
type Block = readonly TextFile[];

/** What was found in a block. */
interface Counted {
  readonly words: ReadonlyMap<string, number>;
  readonly files: number;
  readonly sizeBytes: number;
  readonly unreadable: readonly string[];
}

const BLOCK_BYTES = 512 * 1024;
const TOP = 20;
const EXTENSIONS: ReadonlySet<string> = new Set(['.md', '.txt', '.js', '.mjs', '.cjs', '.ts']);

/** About so much is counted where no paths are given. */
const DEFAULT_BYTES = 64e6;

const root: string = fileURLToPath(new URL('..', import.meta.url));

/** Letters, and apostrophes between them. */
const WORD = /\p{L}+(?:['’]\p{L}+)*/gu;

function countBlock(block: Block): Counted {
  const words = new Map<string, number>();
  const unreadable: string[] = [];
  for (const { path } of block) {
    const text = textOf(path, unreadable);
    for (const [word] of text.toLowerCase().matchAll(WORD)) words.set(word, (words.get(word) ?? 0) + 1);
  }
  return { words, files: block.length, sizeBytes: bytesOf(block), unreadable };
}

function textOf(path: string, unreadable: string[]): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    unreadable.push(`${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    return '';
  }
}

/** Map. Runs in a process of its own, until no more blocks come. */
async function map(blocks: Queue<Block>, counted: Queue<Counted>): Promise<void> {
  for await (const block of blocks) await counted.put(countBlock(block));
}

/** What was counted in all, as far as it has come. */
class Totals {
  readonly words = new Map<string, number>();
  readonly unreadable: string[] = [];

  /** Reduce. */
  add({ words, unreadable }: Counted): void {
    for (const [word, count] of words) this.words.set(word, (this.words.get(word) ?? 0) + count);
    this.unreadable.push(...unreadable);
  }

  /** The most frequent first; among equals, in the order of the letters, so that the order is always the same. */
  sorted(): [string, number][] {
    return [...this.words].sort(([a, i], [b, j]) => j - i || (a < b ? -1 : 1));
  }
}

type OnCounted = (counted: Counted) => void;

async function alone(blocks: readonly Block[], onCounted: OnCounted): Promise<Totals> {
  const totals = new Totals();
  for (const block of blocks) {
    const counted = countBlock(block);
    totals.add(counted);
    onCounted(counted);
  }
  return totals;
}

async function inProcesses(blocks: readonly Block[], count: number, onCounted: OnCounted): Promise<Totals> {
  const todo = new Queue<Block>({ name: 'blocks' });
  // A mapper that is far ahead of the reducer waits for it.
  const done = new Queue<Counted>({ name: 'counted', maxItems: 2 * count });
  const mappers = Array.from(
    { length: count },
    (_, i) => new Process({ target: map, args: [todo, done], name: `mapper-${i + 1}` }),
  );
  for (const mapper of mappers) mapper.start();
  for (const block of blocks) await todo.put(block);
  todo.close();

  const totals = new Totals();
  const reduce = async (): Promise<void> => {
    for await (const counted of done) {
      totals.add(counted);
      onCounted(counted);
    }
  };
  // Closed also when a mapper failed: then the loop ends, and the failure is what is reported.
  const mapped = Promise.all(mappers.map((mapper) => mapper.result())).finally(() => done.close());
  await Promise.all([mapped, reduce()]);
  return totals;
}

/**
 * Files in the order given, so many bytes together; a larger one is a block of its own. The largest block comes first, so
 * that nobody is busy with it when all others are done.
 */
function asBlocks(files: readonly TextFile[]): Block[] {
  const blocks: TextFile[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    if (sizeBytes + file.sizeBytes > BLOCK_BYTES) {
      blocks.push([]);
      sizeBytes = 0;
    }
    blocks.at(-1)!.push(file);
    sizeBytes += file.sizeBytes;
  }
  return blocks.sort((a, b) => bytesOf(b) - bytesOf(a));
}

function bytesOf(files: readonly TextFile[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}

/** The text files below a folder, in the order of their names. Links and hidden folders are not followed. */
function* textFiles(folder: string): Generator<TextFile> {
  const entries = entriesOf(folder).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.')) yield* textFiles(path);
    if (!entry.isFile() || !EXTENSIONS.has(extname(entry.name))) continue;
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) yield { path, sizeBytes: stats.size };
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    console.error(`cannot read ${folder}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    return [];
  }
}

/** The texts at hand, over and over: once, they are counted before a second process has begun. */
function defaultFiles(): TextFile[] {
  const texts = [...textFiles(root)];
  const times = Math.max(1, Math.round(DEFAULT_BYTES / bytesOf(texts)));
  console.error(`${texts.length} texts of the project and its node_modules, ${times} times over`);
  return Array.from({ length: times }, () => texts).flat();
}

const usage = 'Usage: npm run example -- word-count [PATH…]';

function fail(message: string): never {
  console.error(`word-count: ${message}\n${usage}`);
  process.exit(2);
}

function filesToCount(): TextFile[] {
  let paths: string[];
  try {
    paths = parseArgs({ allowPositionals: true }).positionals;
  } catch (error) {
    fail((error as Error).message);
  }
  const files = paths.length === 0 ? defaultFiles() : paths.flatMap(filesOf);
  if (files.length === 0) fail(`There is no ${[...EXTENSIONS].join(', ')} file in ${paths.join(', ')}.`);
  return files;
}

/** A file, whatever its name, or the text files of a folder. */
function filesOf(path: string): TextFile[] {
  const stats = statsOf(path);
  if (stats.isDirectory()) return [...textFiles(path)];
  if (!stats.isFile()) fail(`"${path}" is neither a file nor a folder.`);
  return [{ path, sizeBytes: stats.size }];
}

function statsOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return fail(code === 'ENOENT' ? `There is no "${path}".` : `"${path}" cannot be read: ${code}.`);
  }
}

/** Runs one round under a progress bar; without a terminal, a line at its beginning. */
async function round(
  title: string,
  files: readonly TextFile[],
  body: (onCounted: OnCounted) => Promise<Totals>,
): Promise<[Totals, number]> {
  const bar = new SingleBar(
    {
      format: `${title.padEnd(14)} {bar} {percentage} % | {done} of ${files.length} files | {eta} s left`,
      clearOnComplete: false,
    },
    Presets.shades_classic,
  );
  if (process.stderr.isTTY) bar.start(Math.max(bytesOf(files), 1), 0, { done: 0 });
  else console.error(`${title} …`);
  let done = 0;
  const startedAtMs = performance.now();
  try {
    const totals = await body((counted) => {
      done += counted.files;
      bar.increment(counted.sizeBytes, { done });
    });
    return [totals, (performance.now() - startedAtMs) / 1000];
  } finally {
    bar.stop();
  }
}

const BAR_WIDTH = 24;

/** The most frequent words: rank, word, count, share of all, and a bar. */
function table(sorted: readonly (readonly [string, number])[]): string {
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const top = sorted.slice(0, TOP);
  const largest = top[0]?.[1] ?? 1;
  const wordWidth = Math.max(4, ...top.map(([word]) => word.length));
  const countWidth = Math.max(5, ...top.map(([, count]) => count.toLocaleString('en').length));
  const rows = top.map(([word, count], i) => {
    const share = `${((100 * count) / total).toFixed(2)} %`;
    const bar = '█'.repeat(Math.max(1, Math.round((count / largest) * BAR_WIDTH)));
    return `${`${i + 1}`.padStart(4)}  ${word.padEnd(wordWidth)}  ${count.toLocaleString('en').padStart(countWidth)}  ${share.padStart(8)}  ${bar}`;
  });
  const head = `rank  ${'word'.padEnd(wordWidth)}  ${'count'.padStart(countWidth)}  ${'of all'.padStart(8)}`;
  return [head, ...rows].join('\n');
}

/** Reads everything once: otherwise the first round would wait for the disk, and the second would not. */
function warm(files: readonly TextFile[]): void {
  for (const { path } of files) textOf(path, []);
}

async function main(): Promise<void> {
  const files = filesToCount();
  const blocks = asBlocks(files);
  warm(files);
  const count = cpuCount();
  const [one, oneSeconds] = await round('one process', files, (onCounted) => alone(blocks, onCounted));
  const [many, manySeconds] = await round(`${count} processes`, files, (onCounted) =>
    inProcesses(blocks, count, onCounted),
  );

  const sorted = many.sorted();
  const isSame = JSON.stringify(one.sorted()) === JSON.stringify(sorted);
  if (!isSame) process.exitCode = 1;
  for (const reason of many.unreadable) console.error(`cannot read ${reason}`);
  const words = sorted.reduce((sum, [, times]) => sum + times, 0);
  console.log(`${table(sorted)}\n`);
  console.log(
    `files         ${files.length}, ${(bytesOf(files) / 1e6).toFixed(1)} MB, ${many.unreadable.length} unreadable`,
  );
  console.log(`words         ${words.toLocaleString('en')}, ${sorted.length.toLocaleString('en')} of them different`);
  console.log(`one process   ${oneSeconds.toFixed(2)} s`);
  console.log(
    `${`${count} processes`.padEnd(13)} ${manySeconds.toFixed(2)} s, ${isSame ? 'the same answers' : 'OTHER ANSWERS: did a file change meanwhile?'}`,
  );
  console.log(`speed-up      ${(oneSeconds / manySeconds).toFixed(2)} ×`);
}

if (import.meta.main) await main();
