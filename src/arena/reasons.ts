/** What this process waits for, by name: seen by its parent as `waitingFor`. */

/** Set by what runs this process as a child. */
let announce: ((reason: string | undefined) => void) | undefined;
const reasons = new Set<{ readonly text: string }>();

export function announceWaits(to: (reason: string | undefined) => void): void {
  announce = to;
}

/**
 * Says that this process waits for `reason` until the returned function is called. With several waits at a time, the
 * youngest is shown.
 */
export function beginWait(reason: string): () => void {
  const entry = { text: reason };
  reasons.add(entry);
  announce?.(reason);
  return () => {
    reasons.delete(entry);
    announce?.([...reasons].at(-1)?.text);
  };
}
