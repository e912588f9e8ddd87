/** What a spare does ahead of its use, so that its start is short. */

import { pathToFileURL } from 'node:url';
import { encode } from '../../codec/encode.ts';
import type { ReferenceImage } from '../../codec/function-image.ts';
import { childEntry, currentIdentity, workingDirectory } from '../current.ts';
import { loadSharedObjects } from '../shared-objects.ts';
import { callTarget, importModules, unpackTarget } from '../target-unpack.ts';
import { Mailbox } from './mailbox.ts';
import { readOrder, writeOrder } from './protocol.ts';
import { takeOn } from './take-on.ts';

/**
 * The steps, the most useful first. Not among them: the type stripper, which takes 25 MiB and 20 ms to load, and is not
 * needed for a module of which the compile cache has the stripped text.
 */
const steps: readonly (() => unknown)[] = [
  // What target modules import from 'manyhands' is then there.
  () => import('../../index.ts'),
  loadSharedObjects,
  rehearse,
  rehearse,
];

let rehearsals = 0;

/** @param isNeeded - asked between the steps: whether the start has come. */
export async function warmUp(isNeeded: () => boolean): Promise<void> {
  for (const step of steps) {
    if (isNeeded()) return;
    try {
      await step();
    } catch {
      // A step may fail, say for want of descriptors: a start that needs what it loads will say so itself.
    }
  }
}

/** Goes through a start that changes nothing, so that the code for it is loaded and compiled. */
async function rehearse(): Promise<void> {
  const url = rehearsalEntry();
  const target: ReferenceImage = { kind: 'reference', url, exportName: 'rehearsal' };
  const args = [1, 'text', { list: [1.5, true, null] }, new Uint8Array(8), new Map([[1, 'one']]), new Error('none')];
  const parcel = encode({ target: rehearse, args }, '', { encodeFunction: () => ({ image: target, captured: {} }) });
  const { argv } = process;
  const surroundings = {
    argv,
    env: { ...process.env } as Record<string, string>,
    cwd: workingDirectory(),
    umask: process.umask(),
  };
  const mailbox = Mailbox.create();
  mailbox.postStart(
    writeOrder({ ...surroundings, identity: currentIdentity(), hasSharedObjects: false, modules: [url] }),
    parcel,
  );
  mailbox.waitForStart();
  mailbox.waitWhileHeld();
  const [order, packed] = mailbox.takeStart();
  takeOn(readOrder(order));
  await importModules([url]);
  mailbox.postOutcome('returned', encode(await callTarget(unpackTarget(packed)), 'result'));
  mailbox.close();
}

/** A module of its own each time: one that is loaded already would rehearse nothing. */
function rehearsalEntry(): string {
  const file = new URL(`./rehearsal.${childEntry.split('.').at(-1)}`, pathToFileURL(childEntry));
  file.search = String(++rehearsals);
  return file.href;
}
