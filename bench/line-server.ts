/** A program of another language that answers each line on its standard input with one line. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class LineServer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin!.write(`${line}\n`);
    return (await this.#lines.next()).value as string;
  }

  /** Ends the program: nothing more will be asked. */
  end(): void {
    this.#child.stdin?.end();
  }
}
