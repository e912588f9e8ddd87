/**
 * Draws the histogram of a large file while two processes count it, each its half, into one shared array. Before that, one
 * process counts it alone; both must give the same answers.
 *
 *     npm run example -- histogram                     200 MB of normally distributed numbers, made for the occasion
 *     npm run example -- histogram --megabytes 800
 *     npm run example -- histogram FILE                the bytes of a file
 */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Process, SharedArray } from 'manyhands';

/**
 * The counts of all processes, a row for each: nobody else writes to a row, so adding needs no lock and no atomic, and
 * whoever reads sees numbers that are whole. Behind the counts, a row has how many bytes were read.
 */
type Rows = SharedArray<Float64ArrayConstructor>;

const BINS = 64;
const ROW = BINS + 1;

/** From −LIMIT to LIMIT go the bins of numbers; what lies outside is counted by the outermost. */
const LIMIT = 4;
const HANDS = 2;
const PIECE_BYTES = 2 ** 20;
const FRAME_MS = 50;

interface Input {
  readonly path: string;
  readonly kind: 'bytes' | 'numbers';
  readonly sizeBytes: number;
}

interface Part {
  readonly fromByte: number;
  readonly toByte: number;
}

/** Even parts of a file; no number lies in two of them. */
function divide({ sizeBytes }: Input, count: number): Part[] {
  const at = (part: number): number => (part === count ? sizeBytes : Math.floor((sizeBytes * part) / count / 8) * 8);
  return Array.from({ length: count }, (_, part) => ({ fromByte: at(part), toByte: at(part + 1) }));
}

/** Runs in a process of its own. */
function count(input: Input, { fromByte, toByte }: Part, rows: Rows, hand: number): void {
  const row = rows.view.subarray(hand * ROW, (hand + 1) * ROW);
  const add = input.kind === 'bytes' ? addBytes : addNumbers;
  const piece = new Uint8Array(PIECE_BYTES);
  const fd = openSync(input.path, 'r');
  try {
    for (let at = fromByte; at < toByte; ) {
      const length = readSync(fd, piece, 0, Math.min(PIECE_BYTES, toByte - at), at);
      if (length === 0) throw new Error(`${input.path} became shorter while it was read.`);
      add(row, piece, length);
      at += length;
      row[BINS] = at - fromByte;
    }
  } finally {
    closeSync(fd);
  }
}

function addBytes(row: Float64Array, piece: Uint8Array, length: number): void {
  for (let i = 0; i < length; i++) row[(piece[i]! * BINS) >> 8]!++;
}

function addNumbers(row: Float64Array, piece: Uint8Array, length: number): void {
  const numbers = new Float64Array(piece.buffer, 0, length / 8);
  for (const number of numbers) {
    const bin = Math.floor(((number + LIMIT) / (2 * LIMIT)) * BINS);
    row[Math.max(0, Math.min(BINS - 1, bin))]!++;
  }
}

/** Runs in a process of its own. Writes random numbers of the normal distribution (mean 0, deviation 1) into its part. */
function generate(path: string, { fromByte, toByte }: Part, seed: number): void {
  const next = uniform(seed);
  const numbers = new Float64Array(PIECE_BYTES / 8);
  const fd = openSync(path, 'r+');
  try {
    for (let at = fromByte; at < toByte; at += PIECE_BYTES) {
      // Box and Muller: two uniform numbers become two normal ones.
      for (let i = 0; i < numbers.length; i += 2) {
        const radius = Math.sqrt(-2 * Math.log(1 - next()));
        const angle = 2 * Math.PI * next();
        numbers[i] = radius * Math.cos(angle);
        numbers[i + 1] = radius * Math.sin(angle);
      }
      writeSync(fd, numbers, 0, Math.min(PIECE_BYTES, toByte - at), at);
    }
  } finally {
    closeSync(fd);
  }
}

/** Mulberry32: numbers from 0 to below 1, the same ones for the same seed. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function generateFile(path: string, sizeBytes: number): Promise<Input> {
  const input: Input = { path, kind: 'numbers', sizeBytes };
  closeSync(openSync(path, 'w'));
  const processes = divide(input, HANDS).map((part, i) => new Process({ target: generate, args: [path, part, i + 1] }));
  for (const one of processes) one.start();
  await Promise.all(processes.map((one) => one.result()));
  return input;
}

interface Counted {
  readonly counts: readonly number[];
  readonly seconds: number;
}

/** Counts with so many processes, and draws meanwhile. */
async function inProcesses(input: Input, hands: number): Promise<Counted> {
  const title = hands === 1 ? 'one process' : `${hands} processes`;
  const rows: Rows = new SharedArray(Float64Array, hands * ROW);
  const processes = divide(input, hands).map(
    (part, hand) => new Process({ target: count, args: [input, part, rows, hand], name: `hand-${hand + 1}` }),
  );
  const startedAtMs = performance.now();
  for (const one of processes) one.start();
  const ended = Promise.all(processes.map((one) => one.result())).then(() => performance.now());
  if (!process.stderr.isTTY) console.error(`${title} …`);
  const screen = new Screen();
  const draw = (): void => {
    const shares = sharesDone(rows, hands, input);
    const done = shares.reduce((sum, share) => sum + share, 0) / hands;
    screen.draw([caption(title, shares), ...drawing(sums(rows, hands), input.kind, done)]);
  };
  while (process.stderr.isTTY && !(await Promise.race([ended, sleep(FRAME_MS, false)]))) draw();
  const seconds = ((await ended) - startedAtMs) / 1000;
  if (process.stderr.isTTY) draw();
  screen.clear();
  return { counts: sums(rows, hands), seconds };
}

function sums(rows: Rows, hands: number): number[] {
  return Array.from({ length: BINS }, (_, bin) => {
    let sum = 0;
    for (let hand = 0; hand < hands; hand++) sum += rows.view[hand * ROW + bin]!;
    return sum;
  });
}

/** How far each process is: 0 to 1. */
function sharesDone(rows: Rows, hands: number, input: Input): number[] {
  return divide(input, hands).map(({ fromByte, toByte }, hand) => {
    return fromByte === toByte ? 1 : rows.view[hand * ROW + BINS]! / (toByte - fromByte);
  });
}

function caption(title: string, shares: readonly number[]): string {
  return [title.padEnd(12), ...shares.map((share) => `${Math.round(share * 100)} %`.padStart(5))].join('  ');
}

const HEIGHT = 12;
const EIGHTHS = ' ▁▂▃▄▅▆▇█';

/**
 * The lines of the picture: columns as high as the counts, and what they stand for below.
 *
 * @param done - how much has been counted, 0 to 1: the highest column is as high as that.
 */
function drawing(counts: readonly number[], kind: Input['kind'], done = 1): string[] {
  const largest = Math.max(1, ...counts) / done;
  // What was counted at all is seen.
  const heights = counts.map((one) => (one === 0 ? 0 : Math.max(1, Math.round((one / largest) * HEIGHT * 8))));
  const lines = Array.from({ length: HEIGHT }, (_, i) => {
    const below = (HEIGHT - 1 - i) * 8;
    return heights.map((height) => EIGHTHS[Math.max(0, Math.min(8, height - below))]).join('');
  });
  const labels = kind === 'bytes' ? ['0', '64', '128', '192', '255'] : [-LIMIT, -LIMIT / 2, 0, LIMIT / 2, LIMIT];
  return [...lines, '─'.repeat(BINS), axis(labels.map(String))];
}

/** The first label to the left, the last to the right, the others centred where they belong. */
function axis(labels: readonly string[]): string {
  const cells = Array.from({ length: BINS }, () => ' ');
  labels.forEach((label, i) => {
    const centre = Math.round((BINS * i) / (labels.length - 1) - label.length / 2);
    const from = Math.max(0, Math.min(BINS - label.length, centre));
    for (let at = 0; at < label.length; at++) cells[from + at] = label[at]!;
  });
  return cells.join('').trimEnd();
}

/** Lines on a terminal that are drawn again in place. */
class Screen {
  #lines = 0;

  draw(lines: readonly string[]): void {
    this.clear();
    process.stderr.write(`${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }

  clear(): void {
    if (this.#lines > 0) process.stderr.write(`\x1b[${this.#lines}A\x1b[J`);
    this.#lines = 0;
  }
}

const usage = 'Usage: npm run example -- histogram [FILE | --megabytes N]';

function fail(message: string): never {
  console.error(`histogram: ${message}\n${usage}`);
  process.exit(2);
}

/** What the command line asks for: a file, or how many bytes to make. */
function wanted(): Input | number {
  let given: { values: { megabytes?: string | undefined }; positionals: string[] };
  try {
    given = parseArgs({ allowPositionals: true, options: { megabytes: { type: 'string' } } });
  } catch (error) {
    fail((error as Error).message);
  }
  const { megabytes } = given.values;
  const [path, ...more] = given.positionals;
  if (more.length > 0) fail(`It takes one file, and got ${more.length + 1}.`);
  if (path !== undefined && megabytes !== undefined) fail('It takes a file or --megabytes, not both.');
  return path === undefined ? sizeToMake(megabytes ?? '200') : fileToCount(path);
}

function sizeToMake(megabytes: string): number {
  const size = Number(megabytes);
  if (Number.isInteger(size) && size >= 1 && size <= 100_000) return size * 1e6;
  return fail(`--megabytes takes a whole number from 1 to 100000, and got "${megabytes}".`);
}

function fileToCount(path: string): Input {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) fail(`"${path}" is not a file.`);
    closeSync(openSync(path, 'r'));
    return { path, kind: 'bytes', sizeBytes: stats.size };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return fail(code === 'ENOENT' ? `There is no file "${path}".` : `"${path}" cannot be read: ${code}.`);
  }
}

/** Gives `body` a folder that is gone afterwards, also after Ctrl-C and when the terminal is closed. */
async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'manyhands-histogram-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const interrupted = (): never => process.exit(130);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  process.once('exit', remove);
  for (const signal of signals) process.once(signal, interrupted);
  try {
    await body(folder);
  } finally {
    remove();
    process.off('exit', remove);
    for (const signal of signals) process.off(signal, interrupted);
  }
}

async function histogram(input: Input): Promise<void> {
  const alone = await inProcesses(input, 1);
  const together = await inProcesses(input, HANDS);
  const isSame = alone.counts.every((one, bin) => one === together.counts[bin]);
  if (!isSame) process.exitCode = 1;
  const total = together.counts.reduce((sum, one) => sum + one, 0);
  const seconds = (counted: Counted): string => `${counted.seconds.toFixed(2)} s`;
  console.log(drawing(together.counts, input.kind).join('\n'));
  console.log(`\ncounted       ${total.toLocaleString('en')} ${input.kind}, ${(input.sizeBytes / 1e6).toFixed(1)} MB`);
  console.log(`one process   ${seconds(alone)}`);
  console.log(
    `${HANDS} processes   ${seconds(together)}, ${isSame ? 'the same answers' : 'OTHER ANSWERS: did the file change meanwhile?'}`,
  );
  console.log(`speed-up      ${(alone.seconds / together.seconds).toFixed(2)} ×`);
}

async function main(): Promise<void> {
  const input = wanted();
  if (typeof input !== 'number') return histogram(input);
  await withFolder(async (folder) => {
    console.error(`making ${input / 1e6} MB of random numbers …`);
    await histogram(await generateFile(join(folder, 'numbers'), input));
  });
}

if (import.meta.main) await main();
