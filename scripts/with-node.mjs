// node scripts/with-node.mjs SCRIPT [ARGS…]
//
// Runs SCRIPT with a Node that Manyhands supports: this one when it is new enough, else one brought through npm.
// Stdio, exit code and signals are SCRIPT's. Nothing is imported before the check, so that an old Node gets as far
// as the explanation.

const major = Number(process.versions.node.split('.')[0]);
if (major < 18) {
  console.error(
    `Manyhands needs Node 22.18 or newer, and its scripts can bring one by themselves from Node 18 on; this is Node ${process.versions.node}. Install Node 22, 24 or 26 and try again.`,
  );
  process.exit(1);
}

// A rejection would be a bug, and Node reports those.
void import('./run-with-node.mjs').then(({ runWithNode }) => runWithNode(process.argv.slice(2)));
