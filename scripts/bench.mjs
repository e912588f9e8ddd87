/** `npm run bench [-- NAMES…]`: builds, then runs the benchmarks of `bench/`, all or those named. */

import { join } from 'node:path';
import { build } from './build.mjs';
import { main, run } from './child.mjs';
import { root } from './tools.mjs';

await main(async () => {
  await build();
  const { code } = await run(process.execPath, [join(root, 'bench/main.ts'), ...process.argv.slice(2)], { cwd: root });
  process.exitCode = code ?? 1;
});
