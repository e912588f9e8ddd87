/** The output of a child that comes through pipes: to whom it goes, also while this thread is blocked. */

import type { ChildProcess } from 'node:child_process';
import { readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { clearTimeout, setTimeout } from '../../platform/clock.ts';
import { PrefixWriter } from './prefix-writer.ts';

/** One pipe as the parent has it. */
interface Pipe {
  readonly stream: Readable;
  /** Takes what was read past the stream, while the thread was blocked. */
  readonly take: (chunk: Buffer) => void;
}

const CHUNK_BYTES = 64 * 1024;

export class Output {
  readonly #pipes: readonly Pipe[];
  readonly #writers: readonly PrefixWriter[];
  readonly #closed: Promise<unknown>;

  private constructor(pipes: readonly Pipe[], writers: readonly PrefixWriter[]) {
    this.#pipes = pipes;
    this.#writers = writers;
    this.#closed = Promise.all(pipes.map(({ stream }) => new Promise((resolve) => stream.once('close', resolve))));
  }

  /** Output that the program reads itself, from the streams that `child` has from then on. */
  static forProgram(child: ChildProcess): Output {
    const pipes: Pipe[] = [];
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = child[name];
      if (stream === null) continue;
      child[name] = readableAnyTime(stream);
      pipes.push({ stream, take: (chunk) => stream.push(chunk) });
    }
    return new Output(pipes, []);
  }

  /** Output that goes on to the parent's, each line behind `name`. */
  static withPrefix({ stdout, stderr }: ChildProcess, name: string): Output {
    const writers: PrefixWriter[] = [];
    const pipes: Pipe[] = [];
    for (const [stream, destination] of [
      [stdout, process.stdout],
      [stderr, process.stderr],
    ] as const) {
      if (stream === null) continue;
      const writer = new PrefixWriter(name, destination);
      const take = (chunk: Buffer): void => writer.write(chunk);
      stream.on('data', take);
      writers.push(writer);
      pipes.push({ stream, take });
    }
    return new Output(pipes, writers);
  }

  /** Lets the pipes keep the program alive, or not. */
  setRef(keepsAlive: boolean): void {
    for (const { stream } of this.#pipes) {
      const socket = stream as Readable & { ref?(): void; unref?(): void };
      if (keepsAlive) socket.ref?.();
      else socket.unref?.();
    }
  }

  /** The descriptors that become readable when there is more. */
  get descriptors(): number[] {
    return this.#pipes.map(descriptorOf).filter((fd) => fd !== undefined);
  }

  /** Reads, without the event loop, what is there at this moment; returns the descriptors that gave something. */
  drainSync(): number[] {
    return this.#pipes.flatMap((pipe) => {
      const fd = descriptorOf(pipe);
      return fd !== undefined && readAll(fd, pipe.take) > 0 ? [fd] : [];
    });
  }

  /** After the child's end: passes on what is left. Resolves when it has been written, if it is this side that writes. */
  async finish(patienceMs: number): Promise<void> {
    this.drainSync();
    if (this.#writers.length === 0) return;
    // A process that the child left behind, started by other means, may hold a pipe open for ever.
    const { promise: tooLong, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patienceMs);
    await Promise.race([this.#closed, tooLong]);
    clearTimeout(timer);
    this.flush();
  }

  /** Writes a last line that has no end. */
  flush(): void {
    for (const writer of this.#writers) writer.end();
  }
}

/**
 * What `source` gives, also to who begins to read after the end of the child: at that moment Node empties the streams of
 * a child, and throws away what nobody reads.
 */
function readableAnyTime(source: Readable): Readable {
  const readable = new Readable({
    read: () => void source.resume(),
    destroy(error, done) {
      source.destroy();
      done(error);
    },
  });
  source.on('data', (chunk) => {
    // A child that writes faster than the program reads has to wait.
    if (!readable.push(chunk)) source.pause();
  });
  source.once('error', (error) => readable.destroy(error));
  source.once('close', () => readable.push(null));
  source.pause();
  return readable;
}

/** Node has no public name for it; without it, output waits until the event loop runs again. */
function descriptorOf({ stream }: Pipe): number | undefined {
  const fd = (stream as Readable & { _handle?: { fd?: number } | null })._handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}

/** Returns the number of bytes read. */
function readAll(fd: number, take: (chunk: Buffer) => void): number {
  for (let total = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let length = 0;
    try {
      length = readSync(fd, chunk);
    } catch {
      return total; // EAGAIN: nothing is there now; ECONNRESET: nothing will be
    }
    if (length === 0) return total;
    total += length;
    take(chunk.subarray(0, length));
  }
}
