import type { Queue, SharedArray } from 'manyhands';

/** A number of every page of 4 KiB: so all of the memory is there. */
const STRIDE = 512;

/** Reads a number of each page. Sums of arrays that were made equal are equal. */
export function sumOfPages(array: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < array.length; i += STRIDE) sum += array[i]!;
  return sum;
}

/** What the receiver tells of a row of arrays. */
export interface Receipt {
  readonly sum: number;
  /** When the last of them had been read, by the machine's clock. */
  readonly timeNs: bigint;
}

/** Reads every array and drops it; tells of each row of `count`. */
export async function consume(arrays: Queue<Float64Array>, receipts: Queue<Receipt>, count: number): Promise<void> {
  let got = 0;
  let sum = 0;
  for await (const array of arrays) {
    sum += sumOfPages(array);
    if (++got % count !== 0) continue;
    await receipts.put({ sum, timeNs: process.hrtime.bigint() });
    sum = 0;
  }
}

/** Reads one number of every shared array. */
export async function look(
  arrays: Queue<SharedArray<Float64ArrayConstructor>>,
  receipts: Queue<Receipt>,
): Promise<void> {
  for await (const array of arrays) {
    const sum = array.view[1]!;
    await receipts.put({ sum, timeNs: process.hrtime.bigint() });
  }
}
