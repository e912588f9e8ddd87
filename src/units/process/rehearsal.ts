/** A target that does nothing, for a spare to rehearse its start with. */
export function rehearsal(...args: readonly unknown[]): unknown {
  return args;
}
