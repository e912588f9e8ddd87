/** The classes of views on an ArrayBuffer; a message names one by its place here. */

/** What all of them have in common, to make one. */
export interface ViewClass {
  new (buffer: ArrayBuffer, byteOffset: number, length?: number): ArrayBufferView;
  readonly BYTES_PER_ELEMENT?: number;
}

const names = [
  'DataView',
  ...['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array'],
  ...['BigInt64Array', 'BigUint64Array', 'Float32Array', 'Float64Array'],
  // Last: older versions of Node lack it.
  'Float16Array',
];

export const viewClasses: readonly (ViewClass | undefined)[] = names.map(
  (name) => (globalThis as unknown as Record<string, ViewClass | undefined>)[name],
);

const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/** The number of a view's class, whatever subclass it is of. */
export function viewClassOf(view: ArrayBufferView): number {
  return names.indexOf((tagOf.call(view) as string | undefined) ?? 'DataView');
}
