import type { Queue } from 'manyhands';

export interface Job {
  readonly id: number;
  readonly name: string;
  readonly done: boolean;
}

/** Takes every job; after each `count` it tells the time, by the machine's clock in nanoseconds. */
export async function consume(jobs: Queue<Job>, times: Queue<bigint>, count: number): Promise<void> {
  let got = 0;
  for await (const _ of jobs) {
    if (++got % count === 0) await times.put(process.hrtime.bigint());
  }
}

/** The same, blocking; ends with a job that is done. */
export function consumeSync(jobs: Queue<Job>, times: Queue<bigint>, count: number): void {
  for (let got = 1; !jobs.getSync().done; got++) {
    if (got % count === 0) times.putSync(process.hrtime.bigint());
  }
}
