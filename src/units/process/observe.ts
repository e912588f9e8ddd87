/** What a running child does at this moment, from what the kernel and the child itself say. */

import { kernelState, kernelWaitChannel } from '../../platform/proc.ts';
import type { UnitState } from '../unit.ts';
import { type Mailbox, phases } from './mailbox.ts';

/** The state of a child, or of a thread of this process, that has been started and has not been seen to end. */
export function observeState(pid: number, mailbox: Mailbox, tid: number = pid): UnitState {
  const letter = kernelState(pid, tid);
  // It is ending: its main thread is a zombie already, others are not, or Node has reaped it and not told of it yet.
  if (letter === undefined || letter === 'Z' || letter === 'X') return 'running';
  if (letter === 'T' || letter === 't') return 'ready';
  // Blocking while it boots or imports is no concern of the target.
  if (mailbox.phase < phases.running) return 'ready';
  return letter === 'R' ? 'running' : 'blocked';
}

/** What the child waits for: as it says itself, or else what the kernel tells. */
export function observeWait(pid: number, mailbox: Mailbox, tid: number = pid): string {
  return mailbox.waitingFor ?? describeChannel(kernelWaitChannel(pid, tid));
}

/** Functions of the kernel in which a thread sleeps, from their beginning. */
const channels: readonly (readonly [RegExp, string])[] = [
  [/epoll|ep_poll/, 'an event (timer, I/O or message)'],
  [/futex/, 'another thread (futex)'],
  [/nanosleep/, 'a sleep'],
  [/wait4|do_wait|waitid/, 'the end of a process'],
  [/pipe_|anon_pipe/, 'a pipe'],
  [/poll|select/, 'a file descriptor'],
  [/unix_|sk_wait|inet_|tcp_/, 'a socket'],
  [/n_tty|tty_/, 'the terminal'],
  [/io_schedule|wait_on_page|folio_wait|blk_/, 'the disk'],
];

function describeChannel(channel: string | undefined): string {
  if (channel === undefined) return 'an event';
  return channels.find(([pattern]) => pattern.test(channel))?.[1] ?? channel;
}
