/** A child that imports this module is not done before the file is there of which `IMPORT_UNTIL` tells. */

import { existsSync, writeSync } from 'node:fs';

if (process.env.IMPORT_UNTIL !== undefined) {
  writeSync(1, 'here\n');
  const word = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(process.env.IMPORT_UNTIL)) Atomics.wait(word, 0, 0, 1);
}

export function slowSpin(): never {
  for (;;);
}
