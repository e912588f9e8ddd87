/**
 * Fingerprints every file below a folder: its SHA-256 and the size that gzip makes of it. First in one process, then in
 * as many as there are processors; both must give the same answers.
 *
 *     npm start                              the project's own node_modules
 *     npm start -- FOLDER
 */

import { createHash } from 'node:crypto';
import { closeSync, type Dirent, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { Presets, SingleBar } from 'cli-progress';
import { cpuCount, Process } from 'manyhands';

interface FileToDo {
  readonly path: string;
  readonly sizeBytes: number;
}

interface Fingerprint {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly gzipBytes: number;
}

interface Unreadable {
  readonly path: string;
  readonly reason: string;
}

interface Answers {
  readonly fingerprints: readonly Fingerprint[];
  readonly unreadable: readonly Unreadable[];
}

/** Larger files are compressed piece by piece, so that no file needs more memory than this. */
const piece = Buffer.allocUnsafe(4 * 2 ** 20);

/** All regular files below `folder`, and what could not be listed. Links are not followed. */
function walk(folder: string): { files: FileToDo[]; unreadable: Unreadable[] } {
  const files: FileToDo[] = [];
  const unreadable: Unreadable[] = [];
  const visit = (path: string): void => {
    for (const entry of tryTo(path, unreadable, () => readdirSync(path, { withFileTypes: true })) ?? []) {
      look(entry, join(path, entry.name));
    }
  };
  const look = (entry: Dirent, path: string): void => {
    if (entry.isDirectory()) visit(path);
    if (!entry.isFile()) return;
    const stats = tryTo(path, unreadable, () => statSync(path));
    if (stats !== undefined) files.push({ path, sizeBytes: stats.size });
  };
  visit(folder);
  return { files, unreadable };
}

function fingerprint(path: string): Fingerprint {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let gzipBytes = 0;
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      const length = readSync(fd, piece);
      if (length === 0 && sizeBytes > 0) break;
      const bytes = piece.subarray(0, length);
      hash.update(bytes);
      gzipBytes += gzipSync(bytes).length;
      sizeBytes += length;
      if (length === 0) break;
    }
  } finally {
    closeSync(fd);
  }
  return { path, sha256: hash.digest('hex'), sizeBytes, gzipBytes };
}

function fingerprintAll(files: readonly FileToDo[], onFile: (sizeBytes: number) => void): Answers {
  const fingerprints: Fingerprint[] = [];
  const unreadable: Unreadable[] = [];
  for (const { path, sizeBytes } of files) {
    const done = tryTo(path, unreadable, () => fingerprint(path));
    if (done !== undefined) fingerprints.push(done);
    onFile(sizeBytes);
  }
  return { fingerprints, unreadable };
}

/** Runs in a process of its own. It tells how far it is on standard output, a number of bytes a line. */
function work(files: readonly FileToDo[]): Answers {
  return fingerprintAll(files, (sizeBytes) => console.log(sizeBytes));
}

async function inProcesses(
  files: readonly FileToDo[],
  count: number,
  onFile: (sizeBytes: number) => void,
): Promise<Answers> {
  const processes = divide(files, count).map((share, index) => {
    const process = new Process({ target: work, args: [share], name: `hand-${index + 1}`, stdio: 'pipe' });
    process.start();
    createInterface({ input: process.stdout! }).on('line', (line) => onFile(Number(line)));
    process.stderr!.on('data', (text) => globalThis.process.stderr.write(text));
    return process;
  });
  const answers = await Promise.all(processes.map((process) => process.result()));
  return {
    fingerprints: answers.flatMap((answer) => answer.fingerprints),
    unreadable: answers.flatMap((answer) => answer.unreadable),
  };
}

/** Shares of about the same number of bytes: the largest file first, always to the share that has least. */
function divide(files: readonly FileToDo[], count: number): FileToDo[][] {
  const shares = Array.from({ length: count }, () => ({ files: [] as FileToDo[], sizeBytes: 0 }));
  for (const file of files.toSorted((a, b) => b.sizeBytes - a.sizeBytes)) {
    const least = shares.reduce((a, b) => (b.sizeBytes < a.sizeBytes ? b : a));
    least.files.push(file);
    least.sizeBytes += file.sizeBytes;
  }
  return shares.map((share) => share.files);
}

/** Reads everything once: otherwise the first round would wait for the disk, and the second would not. */
function warm(files: readonly FileToDo[]): void {
  for (const { path } of files) {
    tryTo(path, [], () => {
      const fd = openSync(path, 'r');
      try {
        while (readSync(fd, piece) > 0);
      } finally {
        closeSync(fd);
      }
    });
  }
}

function tryTo<T>(path: string, unreadable: Unreadable[], body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    unreadable.push({ path, reason: (error as NodeJS.ErrnoException).code ?? String(error) });
    return undefined;
  }
}

/** Runs one round under a progress bar; without a terminal, a line at its beginning. */
async function round<T>(
  title: string,
  files: readonly FileToDo[],
  body: (onFile: (sizeBytes: number) => void) => Promise<T>,
): Promise<[T, number]> {
  const total = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const bar = new SingleBar(
    {
      format: `${title.padEnd(14)} {bar} {percentage} % | {done} of ${files.length} files | {eta} s left`,
      clearOnComplete: false,
    },
    Presets.shades_classic,
  );
  if (process.stderr.isTTY) bar.start(Math.max(total, 1), 0, { done: 0 });
  else console.error(`${title} …`);
  let done = 0;
  const startedAtMs = performance.now();
  try {
    const value = await body((sizeBytes) => bar.increment(sizeBytes, { done: ++done }));
    if (total === 0) bar.update(1);
    return [value, (performance.now() - startedAtMs) / 1000];
  } finally {
    bar.stop();
  }
}

/** One line for each file, in the order of the paths: equal texts mean equal answers. */
function asText({ fingerprints }: Answers, folder: string): string {
  return fingerprints
    .map(({ path, sha256, sizeBytes, gzipBytes }) => `${relative(folder, path)}\t${sha256}\t${sizeBytes}\t${gzipBytes}`)
    .sort()
    .join('\n');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function folderToDo(): string {
  const usage = 'Usage: npm start -- [FOLDER]';
  let given: string[];
  try {
    given = parseArgs({ allowPositionals: true }).positionals;
  } catch (error) {
    fail(`${(error as Error).message}\n${usage}`);
  }
  if (given.length > 1) fail(`It takes one folder, and got ${given.length}.\n${usage}`);
  const folder = given[0] ?? fileURLToPath(new URL('../node_modules', import.meta.url));
  const unreadable: Unreadable[] = [];
  const stats = tryTo(folder, unreadable, () => statSync(folder));
  if (stats === undefined) {
    const reason = unreadable[0]?.reason;
    fail(
      `${reason === 'ENOENT' ? `There is no folder "${folder}"` : `"${folder}" cannot be read: ${reason}`}.\n${usage}`,
    );
  }
  if (!stats.isDirectory()) fail(`"${folder}" is not a folder.\n${usage}`);
  return folder;
}

function fail(message: string): never {
  console.error(`fingerprint: ${message}`);
  process.exit(2);
}

async function main(): Promise<void> {
  const folder = folderToDo();
  const { files, unreadable: unlisted } = walk(folder);
  warm(files);
  const count = cpuCount();
  const [alone, aloneSeconds] = await round('one process', files, async (onFile) => fingerprintAll(files, onFile));
  const [together, togetherSeconds] = await round(`${count} processes`, files, (onFile) =>
    inProcesses(files, count, onFile),
  );

  const isSame = asText(alone, folder) === asText(together, folder);
  if (!isSame) process.exitCode = 1;
  const unreadable = [...unlisted, ...together.unreadable];
  for (const { path, reason } of unreadable) console.error(`cannot read ${relative(folder, path) || path}: ${reason}`);
  const sizeBytes = together.fingerprints.reduce((sum, file) => sum + file.sizeBytes, 0);
  const gzipBytes = together.fingerprints.reduce((sum, file) => sum + file.gzipBytes, 0);
  const digest = createHash('sha256').update(asText(together, folder)).digest('hex');
  console.log(`folder        ${folder}`);
  console.log(`files         ${together.fingerprints.length}, ${unreadable.length} unreadable`);
  console.log(`size          ${megabytes(sizeBytes)}, ${megabytes(gzipBytes)} compressed`);
  console.log(
    `largest       ${megabytes(Math.max(0, ...files.map((file) => file.sizeBytes)))}: no file is divided, so it bounds the speed-up`,
  );
  console.log(`fingerprint   ${digest.slice(0, 16)} of all of them`);
  console.log(`one process   ${aloneSeconds.toFixed(2)} s`);
  console.log(
    `${`${count} processes`.padEnd(13)} ${togetherSeconds.toFixed(2)} s, ${isSame ? 'the same answers' : 'OTHER ANSWERS: did a file change meanwhile?'}`,
  );
  console.log(`speed-up      ${(aloneSeconds / togetherSeconds).toFixed(2)} ×`);
}

if (import.meta.main) await main();
