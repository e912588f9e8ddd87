/** A child of `fork` that sends back what comes. */

process.on('message', (job: object) => process.send?.(job));
