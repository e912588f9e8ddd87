/** Writes lines behind a name, so that the output of many processes can be told apart. */

import { StringDecoder } from 'node:string_decoder';
import { styleText } from 'node:util';

/** A line longer than this is passed on in pieces, each behind the name. */
const LINE_LIMIT = 64 * 1024;
const colours = ['cyan', 'magenta', 'yellow', 'green', 'blue', 'red'] as const;

interface Destination {
  /** As terminals have it; they know the user's wishes, such as NO_COLOR. */
  hasColors?(): boolean;
  write(text: string): unknown;
}

export class PrefixWriter {
  readonly #prefix: string;
  readonly #destination: Destination;
  // A character may be cut by the end of a chunk.
  readonly #decoder = new StringDecoder('utf8');
  #line = '';

  /** @param destination - gets whole lines, one call for all lines of a chunk; colour only where it shows colours. */
  constructor(name: string, destination: Destination) {
    const label = `[${name.replace(/\p{Cc}/gu, '?')}]`;
    this.#prefix = `${destination.hasColors?.() === true ? coloured(label, name) : label} `;
    this.#destination = destination;
  }

  write(chunk: Buffer): void {
    this.#emit(this.#decoder.write(chunk));
  }

  /** Writes what is left, as a line. */
  end(): void {
    this.#emit(this.#decoder.end());
    if (this.#line !== '') this.#emit('\n');
  }

  #emit(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    if (this.#line.length > LINE_LIMIT) {
      lines.push(this.#line);
      this.#line = '';
    }
    if (lines.length > 0) this.#destination.write(lines.map((line) => `${this.#prefix}${line}\n`).join(''));
  }
}

function coloured(label: string, name: string): string {
  // By default it would look at stdout, whatever the destination.
  return styleText(colourOf(name), label, { validateStream: false });
}

/** The same name has the same colour in every run. */
function colourOf(name: string): (typeof colours)[number] {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return colours[hash % colours.length]!;
}
