/** Measures contenders side by side: round after round, each of them once, so that noise hits all alike. */

export interface Contender {
  readonly name: string;
  /** One measurement, in milliseconds. */
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
  const times = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  try {
    for (let round = -warmUps; round < rounds; round++) {
      for (const [contender, list] of times) {
        const ms = await contender.once();
        if (round >= 0) list.push(ms);
      }
    }
  } finally {
    for (const contender of contenders) contender.end?.();
  }
  return [...times].map(([{ name }, list]) => {
    const sorted = list.toSorted((a, b) => a - b);
    return { name, median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
  });
}

function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
