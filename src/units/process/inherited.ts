/** What a worker thread knows of the process that it is in: the order that its main thread was given, which stays in the mailbox. */

import { readlinkSync } from 'node:fs';
import type { Identity } from '../current.ts';
import { firstParcelPosition, mailboxLabel } from './mailbox.ts';
import { readParcel } from './parcel.ts';
import { mailboxFd, readOrder } from './protocol.ts';

/** Worker thread: the identity of its process; `undefined` in the main process, which was given none. */
export function inheritedIdentity(): Identity | undefined {
  return isMailbox() ? readOrder(readParcel(mailboxFd, firstParcelPosition).value).identity : undefined;
}

function isMailbox(): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${mailboxFd}`).startsWith(`/memfd:${mailboxLabel}`);
  } catch {
    return false; // no such descriptor, or no /proc: not Linux
  }
}
