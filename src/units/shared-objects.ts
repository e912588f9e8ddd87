/** Loads, late, what brings shared objects out of a message: a child whose message has none starts without it. */

export async function loadSharedObjects(): Promise<void> {
  // The topmost of the modules that know handles.
  await import('../channels/handles.ts');
}
