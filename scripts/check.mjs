/** Checks what needs no test run: the types of tests, examples and benchmarks, and the style. */

import { build } from './build.mjs';
import { Interrupted, main } from './child.mjs';
import { biome, tsc } from './tools.mjs';

/** Runs every check, also after one failed. @returns {Promise<number>} how many failed; each has said so. */
export async function check() {
  const checks = [
    () => tsc('tsconfig.check.json', 'The types of tests, examples or benchmarks are wrong.'),
    () => biome('The style check failed; `npm run format` mends most of it.'),
  ];
  let failed = 0;
  for (const one of checks) {
    try {
      await one();
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      console.error(error.message);
      failed += 1;
    }
  }
  return failed;
}

if (import.meta.main) {
  await main(async () => {
    await build();
    process.exitCode = (await check()) === 0 ? 0 : 1;
  });
}
