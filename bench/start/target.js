/** The first line of a target: it tells the time. */
export function now() {
  return process.hrtime.bigint();
}
