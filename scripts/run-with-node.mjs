/** The second half of `with-node.mjs`, for a Node that can read it. */

import { endLike, main, run } from './child.mjs';
import { currentOrBrought, environmentFor } from './runtimes.mjs';

/** Runs `script` with its arguments on a supported Node, then ends this process as that one ended. */
export function runWithNode([script, ...args]) {
  return main(async () => {
    if (script === undefined) throw new Error('Usage: node scripts/with-node.mjs SCRIPT [ARGS…]');
    const node = await currentOrBrought();
    endLike(await run(node, [script, ...args], { env: environmentFor(node) }));
  });
}
