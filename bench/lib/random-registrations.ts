/** Random registered senders for the benchmarks: numbers of 010, spread evenly or unevenly over clients. */
import type { RegisteredPair } from '../../shared/build/pairs.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { PREFIX, randomFrom } from './random-lists.ts';

export type Spread = 'uniform' | 'Zipf';

/** Name of a client. If numbers are spread unevenly, the first client has the most. */
export function clientName(index: number): string {
  return `default/client-${index}`;
}

/** Pairs in columns. A pair takes 13 bytes. */
export interface RandomPairs {
  readonly numbers: Float64Array;
  /** Index of the client. */
  readonly clients: Uint16Array;
  readonly own: Uint8Array;
}

/** Random pairs. Half of them are own. */
export function randomPairs(count: number, clients: number, spread: Spread, seed: number): RandomPairs {
  const random = randomFrom(seed);
  const share = (): number => random() / 2 ** 32;
  const pick = spread === 'uniform' ? () => Math.floor(share() * clients) : zipf(clients, share);
  const pairs = {
    numbers: new Float64Array(count),
    clients: new Uint16Array(count),
    own: new Uint8Array(count),
  };
  for (let index = 0; index < count; index++) {
    pairs.numbers[index] = PREFIX * SUFFIX_COUNT + Math.floor(share() * SUFFIX_COUNT);
    pairs.clients[index] = pick();
    pairs.own[index] = random() & 1;
  }
  return pairs;
}

/** Draws client k (from 0) in proportion to 1 / (k + 1). */
function zipf(clients: number, share: () => number): () => number {
  const sums = new Float64Array(clients);
  let sum = 0;
  for (let index = 0; index < clients; index++) {
    sum += 1 / (index + 1);
    sums[index] = sum;
  }
  return () => {
    const drawn = share() * sum;
    let low = 0;
    let high = clients - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle]! <= drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

export function* pairsOf({ numbers, clients, own }: RandomPairs): Generator<RegisteredPair> {
  const names = Array.from({ length: Math.max(0, ...new Set(clients)) + 1 }, (_, index) => clientName(index));
  for (let index = 0; index < numbers.length; index++) {
    const n = numbers[index]!;
    yield { client: names[clients[index]!]!, from: n, to: n, own: own[index] === 1 };
  }
}
