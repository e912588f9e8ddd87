/** Where in a value something was found, as a user would write it: `args[0].sockets.get("a")`. */

import { inspect } from 'node:util';

/** A step into a Map (`get`: to a value; `key`: to a key) or a Set (`member`). */
export interface EntryStep {
  readonly entry: 'get' | 'key' | 'member';
  readonly key: unknown;
}

/** Into a function's captured variables; the step after it is the variable's name. */
export const CAPTURED: unique symbol = Symbol('captured');

/** A property, an element, or one of the steps above. */
export type PathStep = string | number | EntryStep | typeof CAPTURED;

/** Past this many steps the middle of a path says nothing more. */
const SHOWN_STEPS = 24;

/** @param steps - the first one is the name of the root; the others are taken as they are needed. */
export function pathText(steps: readonly PathStep[], depth: number): string {
  let text = '';
  let owner = '';
  const shown = Math.min(depth, SHOWN_STEPS);
  for (let i = 0; i < shown; i++) {
    const step = steps[i]!;
    if (step === CAPTURED) {
      owner = ` of ${text}${owner}`;
      text = '';
    } else if (text === '') {
      text = `${owner === '' ? '' : 'captured variable '}${String(step)}`;
    } else {
      text += stepText(step);
    }
  }
  return `${text}${depth > shown ? '…' : ''}${owner}`;
}

function stepText(step: Exclude<PathStep, typeof CAPTURED>): string {
  if (typeof step === 'number') return `[${step}]`;
  if (typeof step === 'string')
    return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  const key = typeof step.key === 'string' ? JSON.stringify(step.key) : summary(step.key);
  return step.entry === 'get' ? `.get(${key})` : ` (${step.entry} ${key})`;
}

/** One short line about any value at all; never throws. */
export function summary(value: unknown): string {
  try {
    const text = inspect(value, {
      depth: 0,
      breakLength: Number.POSITIVE_INFINITY,
      maxArrayLength: 3,
      maxStringLength: 80,
    });
    return text.length > 120 ? `${text.slice(0, 120)}…` : text;
  } catch {
    // A custom inspection that throws must not hide the message that asked for this line.
    return typeof value;
  }
}
