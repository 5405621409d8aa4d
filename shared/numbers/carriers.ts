/**
 * Korean carrier prefixes (`00700`, `006`, …) at the start of a digit sequence.
 *
 * Since 2012, Korean operators show such a prefix before the number of a call or text from abroad, so it is
 * evidence of overseas ingress. No prefix in `data/kr-plan.json` is the beginning of another, so the longest
 * match is the only match. At most three map reads.
 */
import plan from '../../data/kr-plan.json' with { type: 'json' };
import { POW10 } from './number.ts';

/** All carrier prefixes. */
export const KR_CARRIER_PREFIXES: readonly string[] = plan.carrierPrefixes;

const SHORTEST = 3;
const LONGEST = 5;

// The key preserves leading zeros: 10^length + value, so `001` is 1001.
const carrierByKey = new Map<number, string>(
  plan.carrierPrefixes.map((prefix) => [POW10[prefix.length]! + Number(prefix), prefix]),
);

/**
 * The carrier prefix at the start of `digits[0..count)`; null if there is none. `digits` holds values 0 to 9.
 */
export function carrierPrefixOf(digits: Uint8Array, count: number): string | null {
  let value = 0;
  let found: string | null = null;
  for (let length = 1; length <= LONGEST && length <= count; length++) {
    value = value * 10 + digits[length - 1]!;
    if (length >= SHORTEST) found = carrierByKey.get(POW10[length]! + value) ?? found;
  }
  return found;
}
