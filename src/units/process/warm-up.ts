/** What a spare does ahead of its use, so that its start is short. */

import module from 'node:module';
import { decode } from '../../codec/decode.ts';
import { encode } from '../../codec/encode.ts';
import { watchModule } from '../../codec/module-scope.ts';

/** The steps, the most useful first: the type stripper alone takes 20 ms when first used. */
const steps: readonly (() => unknown)[] = [
  () => quietly(() => module.stripTypeScriptTypes('')),
  // What target modules import from 'manyhands' is then there.
  () => import('../../index.ts'),
  () => watchModule('manyhands:nothing'),
  () => decode(encode([{ warm: 'up' }, new Map([[1, 'one']]), new Uint8Array(8), new Error('none')], 'warm')),
];

/** @param isNeeded - asked between the steps: whether the start has come. */
export async function warmUp(isNeeded: () => boolean): Promise<void> {
  for (const step of steps) {
    if (isNeeded()) return;
    await step();
  }
}

/** The parent has warned of what is experimental in this Node; a child that nobody uses yet must not. */
function quietly(body: () => unknown): void {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    body();
  } finally {
    process.emitWarning = emitWarning;
  }
}
