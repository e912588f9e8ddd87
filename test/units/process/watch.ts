/** Runs a target in a process and keeps everything that is seen of it. */

import { text } from 'node:stream/consumers';
import { type Exit, Process, type ProcessOptions } from 'manyhands';

export interface Watched<R> {
  readonly process: Process<readonly unknown[], R>;
  readonly exit: Exit;
  readonly stdout: string;
  readonly stderr: string;
  /** What `result()` gave. */
  readonly value?: Awaited<R>;
  /** What `result()` rejected with. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests look at what no type promises.
  readonly error?: any;
  readonly rejected: boolean;
}

/** @param during - called once the target has said `here`. */
export async function watch<A extends readonly unknown[], R>(
  options: ProcessOptions<A, R>,
  during?: (child: Process<A, R>) => unknown,
): Promise<Watched<R>> {
  const child = new Process({ stdio: 'pipe', name: 'subject', ...options });
  child.start();
  try {
    const isHere = during && saysHere(child);
    const printed = Promise.all([text(child.stdout!), text(child.stderr!)]);
    if (during) {
      await isHere;
      await during(child);
    }
    const outcome = await child.result().then(
      (value) => ({ value, rejected: false }),
      (error: unknown) => ({ error, rejected: true }),
    );
    const [stdout, stderr] = await printed;
    return {
      process: child as unknown as Process<readonly unknown[], R>,
      exit: child.exit!,
      stdout,
      stderr,
      ...outcome,
    };
  } finally {
    if (child.isAlive) child.kill();
  }
}

/** Resolves once a target with `stdio: 'pipe'` has said `here`; rejects when its output ends without. */
export function saysHere(child: Pick<Process, 'stdout' | 'name'>): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stdout!.on('data', (chunk) => {
      seen += String(chunk);
      if (seen.includes('here')) resolve();
    });
    child.stdout!.once('end', () => reject(new Error(`Process "${child.name}" ended without saying that it is here.`)));
  });
}

/** How often `part` stands in `whole`. */
export function occurrences(whole: string, part: string): number {
  return whole.split(part).length - 1;
}
