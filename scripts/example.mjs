/** `npm run example -- FILE [ARGS…]`: builds, then runs a program of `examples/` through the command line that users have. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { endLike, main, run } from './child.mjs';
import { root } from './tools.mjs';

await main(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined) throw new Error('Which example? For instance: npm run example -- lecture/1-create.ts');
  const file = join('examples', name.endsWith('.ts') ? name : `${name}.ts`);
  if (!existsSync(join(root, file))) throw new Error(`There is no ${file}.`);
  await build();
  endLike(await run(process.execPath, ['dist/cli/bin.js', 'run', file, ...args], { cwd: root }));
});
