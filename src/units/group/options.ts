/** What a `TaskGroup` can be told, and the checks of it. */

import { ValidationError } from '../../errors.ts';
import { checkWaitOptions } from '../../sync/waiting.ts';

export interface TaskGroupOptions {
  /** Shown in messages and in `waitingFor`. Default: `TaskGroup-1`, `TaskGroup-2`, … */
  readonly name?: string | undefined;
  /** Ends all members when it is aborted; `join` then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Ends all members when the group has not ended so many milliseconds after it was made. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

const known = ['name', 'signal', 'timeoutMs'];

/** @throws {ValidationError} `ERR_VALIDATION`, naming the option and its value. */
export function checkGroupOptions(options: TaskGroupOptions): void {
  checkWaitOptions(options, 'new TaskGroup()');
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new ValidationError(`new TaskGroup() has no option "${unknown}". It has: ${known.join(', ')}.`);
  if (options.name !== undefined && typeof options.name !== 'string')
    throw new ValidationError(`new TaskGroup(): name must be a string, and is ${String(options.name)}.`);
}
