/**
 * Loads koffi, the foreign function interface.
 *
 * Its own entry spends 8 to 13 ms on finding out which binary fits; the binary itself loads in 1.3 ms. Every process
 * that we start pays this, so the likely binary is tried first, and koffi's own way is the fallback.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export type Koffi = typeof import('koffi');

let loaded: Koffi | undefined;

/** The koffi module; loaded at the first call. Throws what the loader throws. */
export function koffi(): Koffi {
  loaded ??= loadBinary() ?? (createRequire(import.meta.url)('koffi') as Koffi);
  return loaded;
}

function loadBinary(): Koffi | undefined {
  try {
    const platform = `linux-${process.arch}`;
    const entry = createRequire(createRequire(import.meta.url).resolve('koffi')).resolve(`@koromix/koffi-${platform}`);
    const module = { exports: {} as Koffi };
    process.dlopen(module, join(dirname(entry), platform.replace('-', '_'), 'koffi.node'));
    return module.exports;
  } catch {
    // Another libc, another layout of the package: koffi knows.
    return undefined;
  }
}
