/** The module that a thread runs: it makes itself known, then imports, runs its target, and leaves how that went. */

import '../../platform/node-version.ts';
import { type Place, shareMemory } from '../../arena/memory.ts';
import { kernelThread } from '../../platform/proc.ts';
import { leaveShelters, useShelters } from '../../platform/shelter.ts';
import { system } from '../../platform/system.ts';
import { birth } from '../current.ts';
import { Mailbox, phases } from '../process/mailbox.ts';
import { runOrder } from '../process/run-order.ts';
import type { Birth } from './birth.ts';
import { writeDirectly } from './output.ts';

if (birth !== undefined) live(birth);

function live({ identity, mailbox: place, arena, shelters, argv, modules, hasSharedObjects, memory }: Birth): void {
  useShelters(shelters);
  const mailbox = load(place, arena);
  writeDirectly();
  void runOrder(mailbox, () => ({
    title: `Thread "${identity.name}"`,
    modules,
    hasSharedObjects,
    memory,
    // Node leaves the telling of it to the parent, whose thread may be blocked.
    printsUncaught: true,
    takeOn() {
      process.argv = [process.execPath, ...argv.slice(1)];
    },
  }));
  // Behind the listener of runOrder, which may set the code.
  process.on('exit', (code) => {
    mailbox.exitCode = Number(process.exitCode ?? code);
  });
}

function load(place: Place, arena: Place): Mailbox {
  try {
    shareMemory(arena);
    const tid = system().threadId();
    const mailbox = Mailbox.openAt(place);
    mailbox.thread = { tid, startedAtTicks: kernelThread(process.pid, tid)?.startedAtTicks ?? 0 };
    mailbox.phase = phases.idle;
    return mailbox;
  } finally {
    leaveShelters();
  }
}
