/**
 * The doorbell of an agent: a pipe in its event loop, into which whoever granted it something writes a byte. Others reach
 * it through /proc/PID/fd, so there is nothing to hand around and nothing to clean up.
 */

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { system } from '../platform/system.ts';
import { agent, DOORBELL, type Owner, PID, PIPE, slotOf } from './agents.ts';
import { memory } from './memory.ts';

const known = new Map<Owner, number>();
const KNOWN_MAX = 64;
const oneByte = Buffer.of(1);

/** Rings `owner`. An agent that has died hears nothing, and nobody is told: its death is found elsewhere. */
export function ring(owner: Owner): void {
  const fd = known.get(owner) ?? open(owner);
  if (fd === undefined) return;
  try {
    writeSync(fd, oneByte);
  } catch {
    // EAGAIN: the pipe is full of rings that it has not heard yet. EPIPE: it has died.
  }
}

function open(owner: Owner): number | undefined {
  const { words } = memory();
  const at = slotOf(owner);
  const doorbell = Atomics.load(words, at + DOORBELL) - 1;
  if (doorbell < 0) return undefined;
  try {
    const path = `/proc/${Atomics.load(words, at + PID)}/fd/${doorbell}`;
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    // Its thread may have ended, and its descriptor be a file of the user's by now.
    if (pipeNumber(fd) !== Atomics.load(words, at + PIPE)) {
      closeSync(fd);
      return undefined;
    }
    remember(owner, fd);
    return fd;
  } catch {
    return undefined; // it has died, or is about to
  }
}

function remember(owner: Owner, fd: number): void {
  const [oldest] = known;
  if (known.size >= KNOWN_MAX && oldest !== undefined) {
    known.delete(oldest[0]);
    closeSync(oldest[1]);
  }
  known.set(owner, fd);
}

/** 0 for what is no pipe. */
function pipeNumber(fd: number): number {
  const stat = fstatSync(fd, { bigint: true });
  return stat.isFIFO() ? Number(BigInt.asIntN(32, stat.ino)) : 0;
}

/** This agent's own doorbell. */
export class Doorbell {
  readonly #socket: Socket;

  /** @param onRing - called in the event loop; may be called without a reason. */
  constructor(onRing: () => void) {
    // Not imported: most programs never wait in their event loop.
    const { Socket } = process.getBuiltinModule('node:net');
    const { readFd, writeFd } = system().pipe();
    // One descriptor for both directions: it never ends, and goes with the socket when the thread does.
    const fd = system().open(`/proc/self/fd/${readFd}`);
    system().close(readFd);
    system().close(writeFd);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('data', onRing);
    this.#socket.unref();
    const { words } = memory();
    Atomics.store(words, agent().at + PIPE, pipeNumber(fd));
    // Last: who finds it compares the number.
    Atomics.store(words, agent().at + DOORBELL, fd + 1);
  }

  /** Lets waiting keep the program alive, or not. */
  setRef(keepsAlive: boolean): void {
    if (keepsAlive) this.#socket.ref();
    else this.#socket.unref();
  }
}
