/** Which options of Node a child gets. */

/** Options of the parent's Node that make no sense in a child: its inspector's port, its program text, its modes. */
const dropped: ReadonlySet<string> = new Set([
  ...['--inspect', '--inspect-brk', '--inspect-wait', '--inspect-port', '--debug-port', '--inspect-publish-uid'],
  ...['--eval', '-e', '--print', '-p', '-pe', '--interactive', '-i', '--check', '-c', '--input-type'],
  ...[
    '--test',
    '--watch',
    '--watch-path',
    '--watch-preserve-output',
    '--run',
    '--build-snapshot',
    '--build-snapshot-config',
  ],
  ...['--test-name-pattern', '--test-only', '--test-reporter', '--test-reporter-destination', '--test-concurrency'],
  ...['--test-timeout', '--test-shard', '--test-isolation', '--test-force-exit', '--experimental-test-coverage'],
]);
/** Those of them whose value may stand apart, as the next argument. */
const takesValue: ReadonlySet<string> = new Set([
  ...[
    '--inspect-port',
    '--debug-port',
    '--eval',
    '-e',
    '-p',
    '-pe',
    '--print',
    '--input-type',
    '--watch-path',
    '--run',
  ],
  ...['--test-name-pattern', '--test-reporter', '--test-reporter-destination', '--test-concurrency', '--test-timeout'],
  ...['--test-shard', '--test-isolation', '--build-snapshot-config'],
]);

/** The options that a child's Node gets: the parent's, loaders and source maps included, then `added`. */
export function nodeOptions(added: readonly string[], inherited: readonly string[] = process.execArgv): string[] {
  // A port of its own, should somebody ask it to be debugged (SIGUSR1).
  return [...withoutDropped(inherited), '--inspect-port=0', ...added];
}

function withoutDropped(options: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!;
    const name = option.startsWith('--') ? option.split('=')[0]! : option;
    if (!dropped.has(name)) kept.push(option);
    else if (takesValue.has(name) && !option.includes('=') && !(options[i + 1] ?? '-').startsWith('-')) i++;
  }
  return kept;
}

/** What a child gets of the variable `NODE_OPTIONS`. */
export function inheritedNodeOptions(text: string): string {
  // Blanks inside of quotes are part of an option.
  const options = text.match(/(?:[^\s"]|"(?:\\.|[^"\\])*"?)+/g) ?? [];
  return withoutDropped(options).join(' ');
}
