/** A child of `fork` that reads every array and drops it; tells of each row of so many, by the machine's clock. */

import { sumOfPages } from './targets.ts';

const count: number = Number(process.argv[2]);
let got = 0;
let sum = 0;
process.on('message', (array: Float64Array) => {
  sum += sumOfPages(array);
  if (++got % count !== 0) return;
  process.send?.({ sum, timeNs: process.hrtime.bigint() });
  sum = 0;
});
