/** For tests that take long, and in which nothing differs between the lines of Node. */

/** Given as `skip` of a test: it runs on one line alone. */
export const onOneNode: string | false = process.versions.node.startsWith('24.') ? false : 'walked on Node 24';
