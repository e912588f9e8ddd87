/** Classes of the platform that are written in JavaScript, and so look like a user's, but hide what they hold. */

import type { Refusal } from './value-refusal.ts';

const globalNames: ReadonlySet<string> = new Set([
  ...[
    'AbortController',
    'BroadcastChannel',
    'CompressionStream',
    'Crypto',
    'DecompressionStream',
    'EventSource',
    'Event',
  ],
  ...['CustomEvent', 'FormData', 'Headers', 'MessageChannel', 'Navigator', 'Performance', 'PerformanceEntry'],
  ...['PerformanceObserver', 'ReadableStream', 'ReadableStreamDefaultReader', 'Request', 'Response', 'Storage'],
  ...['SubtleCrypto', 'TextDecoder', 'TextDecoderStream', 'TextEncoder', 'TextEncoderStream', 'TransformStream'],
  ...['Blob', 'CryptoKey', 'File'],
  ...['WebSocket', 'WritableStream', 'WritableStreamDefaultWriter', 'URLPattern'],
]);

/** Why instances of `someClass` stay here when it is the platform's own; `undefined` when it is somebody else's. */
export function platformClass(someClass: { readonly name: string }): Refusal | undefined {
  const { name } = someClass;
  if (!globalNames.has(name) || !isGlobal(name, someClass)) return undefined;
  if (name === 'Blob' || name === 'File') return 'blob';
  return name === 'CryptoKey' ? 'key' : 'platform';
}

// Asked for only by name and late: several of these globals are loaded when first touched.
function isGlobal(name: string, someClass: unknown): boolean {
  return (globalThis as Record<string, unknown>)[name] === someClass;
}
