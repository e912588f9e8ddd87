/** The first line of a target: it tells the time. */
export function now(): bigint {
  return process.hrtime.bigint();
}
