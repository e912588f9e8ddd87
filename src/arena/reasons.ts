/** What this process waits for, by name: seen by its parent as `waitingFor`. */

interface Entry {
  readonly text: string;
  older: Entry | undefined;
  younger: Entry | undefined;
  isOver: boolean;
}

/** Set by what runs this process as a child. */
let announce: ((reason: string | undefined) => void) | undefined;
/** Linked, because thousands may end in any order. */
let youngest: Entry | undefined;

export function announceWaits(to: (reason: string | undefined) => void): void {
  announce = to;
}

/**
 * Says that this process waits for `reason` until the returned function is called. With several waits at a time, the
 * youngest is shown.
 */
export function beginWait(reason: string): () => void {
  const entry: Entry = { text: reason, older: youngest, younger: undefined, isOver: false };
  if (youngest !== undefined) youngest.younger = entry;
  youngest = entry;
  announce?.(reason);
  return () => {
    if (!entry.isOver) endWait(entry);
  };
}

function endWait(entry: Entry): void {
  entry.isOver = true;
  if (entry.older !== undefined) entry.older.younger = entry.younger;
  if (entry.younger !== undefined) {
    entry.younger.older = entry.older;
    return;
  }
  youngest = entry.older;
  announce?.(youngest?.text);
}
