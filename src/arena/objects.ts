/**
 * Shared objects as this thread holds them.
 *
 * A thread holds an object once, however many of its values stand for it: one entry in its table of holds, which hangs on
 * its slot, so that whoever finds it dead can let go for it. The entry goes when the last value is closed or collected;
 * the last hold of all frees the object.
 *
 *   entry = 0         free
 *   entry = address   held, and counted in REFERENCES
 *   entry = −address  about to be counted, or to be let go: whether it is counted cannot be told
 *
 * After a death at the last of these the object is not let go, which is better than to let go twice: it stays, in *doubt*. A
 * kind that others wait on to be let go can then ask whether any thread holds it (`isHeld`).
 */

import { ClosedError } from '../errors.ts';
import { agent, HOLDS, liveSlots } from './agents.ts';
import { fault } from './fault.ts';
import { allocate, free } from './heap.ts';
import { SERIAL } from './layout.ts';
import { memory } from './memory.ts';
import { KIND, type Kind, NAME, OBJECT_WORDS, REFERENCES, SERIAL_NUMBER } from './object-words.ts';

/** By which an object is found in another thread of the tree. */
export interface Handle {
  readonly kind: Kind;
  readonly at: number;
  readonly serial: number;
}

const PAGE_WORDS = 256;
/** In the place of a page's first entry. */
const NEXT_PAGE = 0;

/** What is to be done with an object of a kind before its cell is freed. */
type Dispose = (object: number) => void;
const disposers = new Map<number, Dispose>();

export function registerDispose(kind: Kind, dispose: Dispose): void {
  disposers.set(kind, dispose);
}

/** Makes an object, held by this thread. Its other words are 0. */
export function create(kind: Kind, name: string): Handle {
  const { words, bytes } = memory();
  const { at, serial } = make(kind);
  const { written } = new TextEncoder().encodeInto(name, bytes.subarray((at + NAME + 1) * 4, (at + OBJECT_WORDS) * 4));
  Atomics.store(words, at + NAME, written);
  hold(at);
  return { kind, at, serial };
}

/** Makes an object that belongs to another one: it has one reference, for whoever makes it to store there and to drop. */
export function createPart(kind: Kind): number {
  const { at } = make(kind);
  Atomics.store(memory().words, at + REFERENCES, 1);
  return at;
}

function make(kind: Kind): Handle {
  const { words } = memory();
  const at = allocate(OBJECT_WORDS);
  const serial = (Atomics.add(words, SERIAL, 1) + 1) | 0;
  Atomics.store(words, at + KIND, kind);
  Atomics.store(words, at + SERIAL_NUMBER, serial);
  return { kind, at, serial };
}

/** Holds an object of which another thread, or a message, has a hold meanwhile. @throws {ClosedError} when it is gone. */
export function attach({ kind, at, serial }: Handle): void {
  const { words } = memory();
  // A reference first, or the cell might change while we look at it.
  const isThere = retainIfThere(at);
  if (isThere && Atomics.load(words, at + SERIAL_NUMBER) === serial && Atomics.load(words, at + KIND) === kind) {
    hold(at);
    drop(at);
    return;
  }
  if (isThere) drop(at);
  throw new ClosedError('The object is gone: nobody held it any more when its handle arrived.');
}

export function nameOfObject(at: number): string {
  const { words, bytes } = memory();
  const length = Atomics.load(words, at + NAME);
  return Buffer.from(bytes.slice((at + NAME + 1) * 4, (at + NAME + 1) * 4 + length)).toString('utf8');
}

/** Entries of this thread's table that can be used, and where each object's entry is. */
const unused: number[] = [];
const entries = new Map<number, { readonly entry: number; count: number }>();

/** Holds an object of which a message, or another object, has a reference meanwhile. `release` lets go. */
export function hold(at: number): void {
  const known = entries.get(at);
  if (known !== undefined) {
    known.count++;
    return;
  }
  const { words } = memory();
  if (unused.length === 0) addPage(words);
  const entry = unused.pop()!;
  Atomics.store(words, entry, -at);
  Atomics.add(words, at + REFERENCES, 1);
  if (fault !== undefined) fault('object.counted');
  Atomics.store(words, entry, at);
  entries.set(at, { entry, count: 1 });
}

/** Lets go of one value that stood for the object. */
export function release(at: number): void {
  const known = entries.get(at);
  if (known === undefined) return;
  if (--known.count > 0) return;
  entries.delete(at);
  const { words } = memory();
  Atomics.store(words, known.entry, -at);
  if (fault !== undefined) fault('object.released');
  drop(at);
  Atomics.store(words, known.entry, 0);
  unused.push(known.entry);
}

/** Whether any thread that lives holds an object. What messages hold is not seen. */
export function isHeld(at: number): boolean {
  const { words } = memory();
  for (const slot of liveSlots()) {
    for (let page = Atomics.load(words, slot + HOLDS); page !== 0; page = Atomics.load(words, page + NEXT_PAGE)) {
      for (let entry = page + 1; entry < page + PAGE_WORDS; entry++) if (Atomics.load(words, entry) === at) return true;
    }
  }
  return false;
}

const doubts = new Map<number, (object: number) => void>();

/** Has objects of a kind told when they are in doubt. */
export function registerDoubt(kind: Kind, doubt: (object: number) => void): void {
  doubts.set(kind, doubt);
}

/** Adds a reference on behalf of another object, which must be held itself meanwhile. */
export function retain(at: number): void {
  Atomics.add(memory().words, at + REFERENCES, 1);
}

/** As `retain`, for what may be gone: false when nobody holds it any more. */
export function retainIfThere(at: number): boolean {
  const { words } = memory();
  for (;;) {
    const seen = Atomics.load(words, at + REFERENCES);
    if (seen <= 0) return false;
    if (Atomics.compareExchange(words, at + REFERENCES, seen, seen + 1) === seen) return true;
  }
}

/** Takes one reference off; frees the object with the last. */
export function drop(at: number): void {
  const { words } = memory();
  if (Atomics.sub(words, at + REFERENCES, 1) !== 1) return;
  disposers.get(Atomics.load(words, at + KIND))?.(at);
  Atomics.store(words, at + KIND, 0);
  Atomics.store(words, at + SERIAL_NUMBER, 0);
  free(at, OBJECT_WORDS);
}

/** After a death: what the table that begins at `page` holds is let go, and its pages are freed. */
export function releaseTable(page: number): void {
  const { words } = memory();
  for (let at = page; at !== 0; ) {
    for (let entry = at + 1; entry < at + PAGE_WORDS; entry++) {
      const object = Atomics.exchange(words, entry, 0);
      if (object > 0) drop(object);
      else if (object < 0) doubts.get(Atomics.load(words, -object + KIND))?.(-object);
    }
    const next = Atomics.load(words, at + NEXT_PAGE);
    free(at, PAGE_WORDS);
    at = next;
  }
}

function addPage(words: Int32Array): void {
  const page = allocate(PAGE_WORDS);
  const list = agent().at + HOLDS;
  Atomics.store(words, page + NEXT_PAGE, Atomics.load(words, list));
  Atomics.store(words, list, page);
  for (let entry = page + PAGE_WORDS - 1; entry > page; entry--) unused.push(entry);
}
