/** Attacks: programs that read out numbers by checking them. Each one knows which blocks of 010 are in use. */
import { BLOCK_NUMBERS } from '../../shared/numbers/blocks.ts';
import { MOBILE_COUNT, MOBILE_FROM, type Random, type Subscribers } from './subscribers.ts';

export interface Attack {
  readonly name: string;
  /** Number of sketches among which the numbers are spread at random: keys times isolates. */
  readonly sketches: number;
  /** Ordinary numbers mixed at random into each number of the scan. */
  readonly ordinaryPerNumber: number;
  /** Whether no rule can detect this attack; see docs/threats.md. */
  readonly isHopeless: boolean;
  /** How many numbers the attack checks; null if it is endless. */
  readonly end: number | null;
  readonly numbers: (random: Random, subscribers: Subscribers) => Generator<number>;
}

/** Keys times isolates of a distributed attack. */
const SPREAD = 10 * 100;
const STEPS = [2, 3, 5, 7, 10, 16, 64, 97, 100, 256, 997, 1_000, 2_000, 3_333, 5_000, 7_919, 9_973, 10_000];
/** Steps for mixtures. They check a full block, tens of numbers in a block, and one number in a block. */
const MIXED_STEPS = [1, 7, 100, 1_000, 7_919];

function attack(name: string, numbers: Attack['numbers'], rest: Partial<Attack> = {}): Attack {
  return { name, numbers, sketches: 1, ordinaryPerNumber: 0, isHopeless: false, end: null, ...rest };
}

/** Starts at a random number and goes on in steps. After a full round, the next one is shifted by one number. */
function steps(step: number): Attack['numbers'] {
  return function* numbers(random) {
    const start = Math.floor(random() * MOBILE_COUNT);
    for (let at = 0; ; at++) {
      const way = at * Math.abs(step);
      const place = (way % MOBILE_COUNT) + Math.floor(way / MOBILE_COUNT);
      yield MOBILE_FROM + ((start + Math.sign(step) * place + 2 * MOBILE_COUNT) % MOBILE_COUNT);
    }
  };
}

/** All numbers of a range in random order, exactly for up to a million numbers, otherwise with repeats. */
function shuffled(from: number | null, count: number): Attack['numbers'] {
  return function* numbers(random) {
    const start = from ?? MOBILE_FROM + Math.floor((random() * MOBILE_COUNT) / count) * count;
    if (count > 1_000_000) for (;;) yield start + Math.floor(random() * count);
    const places = Uint32Array.from({ length: count }, (_, place) => place);
    for (let left = count; left > 0; left--) {
      const at = Math.floor(random() * left);
      yield start + places[at]!;
      places[at] = places[left - 1]!;
    }
  };
}

export const ATTACKS: readonly Attack[] = [
  attack('ascending', steps(1)),
  attack('descending', steps(-1)),
  ...STEPS.map((step) => attack(`step ${step}`, steps(step))),
  attack('ascending, 10 keys x 100 isolates', steps(1), { sketches: SPREAD }),
  ...STEPS.map((step) => attack(`step ${step}, 10 keys x 100 isolates`, steps(step), { sketches: SPREAD })),
  ...MIXED_STEPS.flatMap((step) =>
    [1, 10].map((ordinaryPerNumber) =>
      attack(`step ${step}, ordinary traffic ${ordinaryPerNumber}:1`, steps(step), {
        ordinaryPerNumber,
        sketches: SPREAD,
        isHopeless: true,
      }),
    ),
  ),
  attack('shuffled, one block', shuffled(null, BLOCK_NUMBERS), { end: BLOCK_NUMBERS, sketches: SPREAD }),
  attack('shuffled, ten blocks', shuffled(null, 10 * BLOCK_NUMBERS), {
    end: 10 * BLOCK_NUMBERS,
    sketches: SPREAD,
  }),
  attack('shuffled, all of 010, unused blocks too', shuffled(82_10_0000_0000, 100_000_000), {
    sketches: SPREAD,
  }),
  attack('shuffled, used blocks of 010', shuffled(MOBILE_FROM, MOBILE_COUNT), {
    sketches: SPREAD,
    isHopeless: true,
  }),
];
