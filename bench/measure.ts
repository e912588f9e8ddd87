/** Measures contenders side by side: round after round, each of them once, so that noise hits all alike. */

export interface Contender {
  readonly name: string;
  /** One measurement, in the unit of the table: a time or a rate. */
  once(): Promise<number>;
  /** Called once at the end. */
  end?(): void;
}

export interface Measured {
  readonly name: string;
  readonly median: number;
  /** The middle half of the measurements lies between these. */
  readonly low: number;
  readonly high: number;
}

/** @param warmUps - rounds at the beginning that do not count. */
export async function measure(contenders: readonly Contender[], rounds: number, warmUps = 2): Promise<Measured[]> {
  const values = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  try {
    for (let round = -warmUps; round < rounds; round++) {
      for (const [contender, list] of values) {
        const value = await contender.once();
        if (round >= 0) list.push(value);
      }
    }
  } finally {
    for (const contender of contenders) contender.end?.();
  }
  return [...values].map(([{ name }, list]) => {
    const sorted = list.toSorted((a, b) => a - b);
    return { name, median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
  });
}

/** The median of one contender over that of another; NaN when one of them was not there. */
export function ratio(measured: readonly Measured[], name: string, base: string): number {
  const median = (wanted: string): number => measured.find((one) => one.name === wanted)?.median ?? Number.NaN;
  return median(name) / median(base);
}

function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
