/** Functions of all kinds, for targets.test.ts to run in another process. */

import { basename } from 'node:path';

const base: number = 40;

export function exported(a: number, b: number): string {
  return `${base + a + b} in ${process.pid}`;
}

function hidden(a: number): number {
  return base + a;
}

const hiddenArrow = (a: number): number => hidden(a) + 1;

async function later(a: number): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  return hidden(a);
}

function* counting(limit: number): Generator<number, string> {
  for (let i = 0; i < limit; i++) yield i;
  return `counted to ${limit}`;
}

async function* countingLater(limit: number): AsyncGenerator<number, string> {
  for (let i = 0; i < limit; i++) yield await Promise.resolve(i);
  return `counted slowly to ${limit}`;
}

export const notExported = { hidden, hiddenArrow, later, counting, countingLater };

export const settings = {
  unit: 'px',
  nested: { run: (value: number): string => `${value}${settings.unit}` },
  method(value: number): string {
    return `${value} ${settings.unit}`;
  },
};

export class Shape {
  static readonly #sides: number = 4;
  static describe(size: number): string {
    return `${Shape.#sides} sides of ${size}`;
  }
  static field = (size: number): string => Shape.describe(size);
  area(): number {
    return 0;
  }
}

export function typeOfThis(this: unknown): string {
  return typeof this;
}

export const where = (): string => basename(import.meta.url);

/** Functions made inside of a function, closing over its locals. */
export function inline(name: string): Record<string, (...args: never[]) => unknown> {
  const config = { list: [1, { deep: new Map([['key', name]]) }], when: new Date(0) };
  const double = (value: number): number => value * 2;
  function quadruple(value: number): number {
    return double(double(value));
  }
  class Greeter {
    readonly #greeting: string = 'Hello';
    greet(): string {
      return `${this.#greeting} ${name}`;
    }
  }
  class Shouter extends Greeter {
    override greet(): string {
      return `${super.greet()}!`;
    }
  }
  let count = 0;
  return {
    nested: () => [config, config.list[1]],
    byFunctions: (value: number) => quadruple(value),
    byClass: () => new Shouter().greet(),
    isEven: function isEven(n: number): boolean {
      return n === 0 ? true : !isEven(n - 1);
    },
    counted: () => ++count,
    count: () => {
      count++;
    },
    generator: function* (value: number) {
      yield double(value);
      return name;
    },
    thrower: () => {
      throw new RangeError(`${name} is out of range`);
    },
    neighbours: async () => [hidden(1), await later(1), basename('/a/b')],
  };
}

export function apply<T>(fn: (value: number) => T, value: number): T {
  return fn(value);
}

export function applyAll(fns: Record<string, (value: number) => number>): Record<string, number> {
  return Object.fromEntries(Object.entries(fns).map(([name, fn]) => [`${name} ${fn.name}`, fn(1)]));
}

export function holding<T>(theValue: T): () => T {
  return function holder() {
    return theValue;
  };
}

/** A class with state that no copy can have. */
export class Account {
  readonly #balance: number = 7;
  get balance(): number {
    return this.#balance;
  }
}

export function readBalance(account: Account): () => number {
  return () => account.balance;
}

export const notAFunction = 42;
