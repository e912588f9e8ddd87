/** The walk over a value: numbers what it meets, and hands each kind of object to the file that writes it. */

import { types } from 'node:util';
import type { CloneError } from '../errors.ts';
import { FALSE, FUNCTION, HOLE, NULL, REFERENCE, TRUE, UNDEFINED } from './tags.ts';
import type { AnyFunction, EncodeHooks } from './types.ts';
import { CAPTURED, type PathStep, pathText } from './value-path.ts';
import { type Refusal, refused, unreadable } from './value-refusal.ts';
import { Shapes } from './value-shapes.ts';
import type { ByteSink } from './value-sink.ts';
import { writeArray } from './value-write-array.ts';
import { writeBigInt } from './value-write-builtin.ts';
import { writeByKind } from './value-write-kind.ts';

/** A moment of an encoding, to return to when what followed turned out not to travel. */
interface Mark {
  readonly position: number;
  readonly depth: number;
  readonly objects: number;
  readonly blobs: number;
  readonly shapes: number;
}

/** One encoding. */
export class Encoder {
  readonly sink: ByteSink;
  readonly hooks: EncodeHooks | undefined;
  readonly blobs: Uint8Array[] = [];
  readonly shapes: Shapes = new Shapes();
  readonly #numbers = new Map<object, number>();
  /** The way to where the walk is: `#depth` steps count, those behind are left from earlier. */
  readonly #steps: PathStep[] = [];
  #depth = 0;

  constructor(sink: ByteSink, hooks: EncodeHooks | undefined) {
    this.sink = sink;
    this.hooks = hooks;
  }

  /** Where the walk is, or the property `step` of where it is. */
  path(step?: PathStep): string {
    if (step === undefined) return pathText(this.#steps, this.#depth);
    this.#steps[this.#depth] = step;
    return pathText(this.#steps, this.#depth + 1);
  }

  /** Writes `value`, which is found by `step` from where the walk is. */
  write(value: unknown, step: PathStep): void {
    if (typeof value === 'number') this.sink.number(value);
    else if (typeof value === 'string') this.sink.string(value);
    else if (value === undefined) this.sink.byte(UNDEFINED);
    else if (value === null) this.sink.byte(NULL);
    else if (typeof value === 'boolean') this.sink.byte(value ? TRUE : FALSE);
    else if (typeof value === 'bigint') writeBigInt(this.sink, value);
    else {
      this.#steps[this.#depth++] = step;
      if (typeof value === 'symbol') throw this.refuse(value, 'symbol');
      this.#writeObject(value);
      this.#depth--;
    }
  }

  /** What `source[key]` holds. A hole in its place when it is gone: getters may have run since the keys were listed. */
  writeProperty(source: object, key: string | number, value: unknown, mayInherit: boolean): void {
    if ((value === undefined || mayInherit) && !Object.hasOwn(source, key)) this.sink.byte(HOLE);
    else this.write(value, key);
  }

  /** Reads `source[key]`. @throws {CloneError} when a getter throws. */
  get(source: object, key: string | number): unknown {
    try {
      return (source as Record<string | number, unknown>)[key];
    } catch (error) {
      throw unreadable(this.path(key), error);
    }
  }

  /** Runs `body`; when it throws, everything that it wrote is taken back. */
  attempt(body: () => void): boolean {
    const mark = this.#mark();
    try {
      body();
      return true;
    } catch {
      // The caller writes something else in its place: that is what an attempt is for.
      this.#returnTo(mark);
      return false;
    }
  }

  /** The refusal of `value`, which is where the walk is. */
  refuse(value: unknown, refusal: Refusal): CloneError {
    return refused(this.path(), value, refusal);
  }

  #writeObject(value: object): void {
    const number = this.#numbers.get(value);
    if (number !== undefined) {
      this.sink.byte(REFERENCE);
      this.sink.varint(number);
      return;
    }
    if (typeof value !== 'function' && types.isProxy(value)) throw this.refuse(value, 'proxy');
    this.#numbers.set(value, this.#numbers.size);
    if (typeof value === 'function') this.#writeFunction(value);
    else if (Array.isArray(value)) writeArray(this, value);
    else writeByKind(this, value);
  }

  #writeFunction(fn: AnyFunction): void {
    const encodeFunction = this.hooks?.encodeFunction;
    if (encodeFunction === undefined) throw this.refuse(fn, 'function');
    const { image, captured, needed } = encodeFunction.call(this.hooks, fn, this.path());
    this.sink.byte(FUNCTION);
    this.write(image, 'image');
    this.write(needed, CAPTURED);
    this.write(captured, CAPTURED);
  }

  #mark(): Mark {
    const { sink, blobs, shapes } = this;
    return {
      position: sink.position,
      depth: this.#depth,
      objects: this.#numbers.size,
      blobs: blobs.length,
      shapes: shapes.count,
    };
  }

  #returnTo(mark: Mark): void {
    this.sink.position = mark.position;
    this.#depth = mark.depth;
    this.blobs.length = mark.blobs;
    this.shapes.truncate(mark.shapes);
    for (const [object, number] of this.#numbers) if (number >= mark.objects) this.#numbers.delete(object);
  }
}
