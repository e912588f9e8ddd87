/**
 * Has this thread write to standard output and error itself. Node would have the main thread do it, which may be blocked: then
 * nothing would be seen, and a thread that has something to write would not end.
 */

import { writeSync } from 'node:fs';
import type { Writable } from 'node:stream';

const RETRY_MS = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));

interface Chunk {
  readonly chunk: Uint8Array | string;
  readonly encoding: BufferEncoding;
}

export function writeDirectly(): void {
  for (const [stream, fd] of [
    [process.stdout, 1],
    [process.stderr, 2],
  ] as const) {
    (stream as Writable)._writev = (chunks: Chunk[], done) => {
      try {
        for (const { chunk, encoding } of chunks) {
          writeAll(fd, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
        }
        done();
      } catch (error) {
        done(error as Error);
      }
    };
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      // The pipe is full: whoever reads it is slower.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, RETRY_MS);
    }
  }
}
