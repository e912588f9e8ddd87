/** Processes that write, for stdio.test.ts. */

import { readFileSync, writeSync } from 'node:fs';
import { currentProcess } from 'manyhands';

export function both(): void {
  console.log('to stdout');
  console.error('to stderr');
}

/** Lines of 100 bytes: a number, then dots. */
export function line(number: number): string {
  return `${number} `.padEnd(99, '.');
}

/** As `both`, but much. */
export function flood(lines: number, fd: 1 | 2 = 1): string {
  const stream = fd === 1 ? process.stdout : process.stderr;
  for (let from = 0; from < lines; from += 1000) {
    const numbers = Array.from({ length: Math.min(1000, lines - from) }, (_, i) => from + i);
    stream.write(numbers.map((number) => `${line(number)}\n`).join(''));
  }
  return 'flooded';
}

export function readInput(): string {
  return readFileSync(0, 'utf8');
}

export function partial(): void {
  process.stdout.write(`first\nsecond of ${currentProcess().name}`);
  process.stderr.write('third');
}

/** One write for each byte, so that the pieces that the parent reads end anywhere. */
export function bytewise(text: string): void {
  for (const byte of Buffer.from(text)) writeSync(1, Uint8Array.of(byte));
}

export function fail(): never {
  throw new Error('failed in the child');
}
