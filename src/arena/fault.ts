/**
 * Numbered steps of the protocols, at which a test can have the process killed: the only way to see that no death at
 * any instruction harms the others. `MANYHANDS_FAULT=STEP` or `STEP:N` kills at the first or N-th passing of a step;
 * `MANYHANDS_FAULT=list:FILE` appends the name of each step to a file, as often as it is passed.
 */

import { appendFileSync } from 'node:fs';

type Fault = (step: string) => void;

/** `undefined` unless a test asked for faults; a constant, so that a step costs nothing. */
export const fault: Fault | undefined = parse(process.env.MANYHANDS_FAULT);

function parse(text: string | undefined): Fault | undefined {
  if (text === undefined) return undefined;
  const [wanted = '', detail = '1'] = text.split(':');
  return wanted === 'list' ? recorder(detail) : killer(wanted, Number(detail));
}

function recorder(file: string): Fault {
  return (step) => appendFileSync(file, `${step}\n`);
}

function killer(wanted: string, times: number): Fault {
  let left = times;
  return (step) => {
    if (step === wanted && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
