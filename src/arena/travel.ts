/**
 * How shared objects get into messages and out of them. Their classes say it when they are loaded; a process that has not
 * loaded them has none to send, and need not load them to find that out, which would take a tenth of a child's start.
 */

export interface Travel {
  /** For the shared objects of one message that is written. */
  writer(options: { readonly isFarewell: boolean }): {
    readonly encodeHandle: (value: object) => unknown;
    readonly handles: readonly unknown[];
  };
  /** For those of one message that is read. */
  reader(): { readonly decodeHandle: (description: unknown) => object; readonly handles: readonly unknown[] };
  /** Lets go of what a message held. To be called once for each message. */
  letGo(handles: readonly unknown[]): void;
}

let travel: Travel | undefined;

/** Of several, the one of the highest layer counts: it is loaded last. */
export function announceTravel(announced: Travel): void {
  travel = announced;
}

/** `undefined` as long as this process has no shared objects. */
export function objectTravel(): Travel | undefined {
  return travel;
}
