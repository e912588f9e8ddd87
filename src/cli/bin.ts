#!/usr/bin/env node
/** The command `manyhands`. Nothing is imported before the version of Node is known to do. */

try {
  await import('../platform/node-version.ts');
} catch (error) {
  process.stderr.write(`manyhands: ${(error as Error).message}\n`);
  process.exit(1);
}
const { main } = await import('./main.ts');
await main(process.argv);
