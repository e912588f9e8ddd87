import { CloneError } from '../errors.ts';

/** The error for a message that no `encode` wrote, or that lost bytes on its way. */
export function damaged(reason: string, cause?: unknown): CloneError {
  return new CloneError(
    `The message cannot be read: ${reason}. It was cut or overwritten on its way, or comes from another version.`,
    { code: 'ERR_CORRUPT_MESSAGE', ...(cause === undefined ? {} : { cause }) },
  );
}
