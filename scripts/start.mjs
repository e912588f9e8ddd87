/** `npm start [-- FOLDER]`: builds, then runs the first example through the command line that users have. */

import { build } from './build.mjs';
import { endLike, main, run } from './child.mjs';
import { root } from './tools.mjs';

await main(async () => {
  await build();
  const args = ['dist/cli/bin.js', 'run', 'examples/fingerprint.ts', ...process.argv.slice(2)];
  endLike(await run(process.execPath, args, { cwd: root }));
});
