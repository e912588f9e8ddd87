/**
 * The program that a child process runs: it binds its life to its parent's, then waits to be told what to run.
 *
 * Only what every child needs is loaded here; a spare loads the rest (warm-up.ts) while it waits.
 */

import '../../platform/node-version.ts';
import { existsSync } from 'node:fs';
import { system } from '../../platform/system.ts';
import { Mailbox, phases } from './mailbox.ts';
import { inheritedArenaFd, mailboxFd, readOrder } from './protocol.ts';
import { runOrder } from './run-order.ts';
import { takeOn } from './take-on.ts';
import { warmUp } from './warm-up.ts';

const starter = process.argv[2] ?? '';
bindToParent();
// The kernel forgets the binding when a process changes who it is. Nothing else of these calls changes.
for (const name of ['setuid', 'seteuid', 'setgid', 'setegid'] as const) {
  const change = process[name]?.bind(process) as (id: number | string) => void;
  process[name] = (id: number | string): void => {
    change(id);
    bindToParent();
  };
}
system().closeOnExec(mailboxFd);
system().closeOnExec(inheritedArenaFd);

const mailbox = Mailbox.open(mailboxFd);
mailbox.phase = phases.idle;
const isSpare = process.argv[3] === 'spare';
void (isSpare ? warmUp(() => mailbox.isStarted) : Promise.resolve()).then(() => {
  mailbox.phase = phases.warm;
  if (!mailbox.waitForStart()) process.exit();
  mailbox.waitWhileHeld();
  return runOrder(mailbox, (parcel) => {
    const order = readOrder(parcel);
    const title = `Process "${order.identity.name}" (pid ${process.pid})`;
    return { ...order, title, memory: [], printsUncaught: false, takeOn: () => takeOn(order) };
  });
});

function bindToParent(): void {
  system().dieWithParent();
  // A thread that had ended by then, alone or with its process, sends no signal any more.
  if (process.ppid !== Number.parseInt(starter, 10) || !existsSync(`/proc/${starter}`))
    process.kill(process.pid, 'SIGKILL');
}
