/** Where a thread that grants something to itself says so. Apart, because granting and waiting must not import each other. */

let listener: (() => void) | undefined;

export function listenToOwnGrants(onGrant: () => void): void {
  listener = onGrant;
}

export function announceOwnGrant(): void {
  listener?.();
}
