/**
 * What sharing adds to a check. The edge only counts the texts of mobile numbers, for the notices to their owners. The baseline
 * is the same client with `mock`, whose texts are not counted; all else is the same.
 */
import { MOBILE_SENDERS_MAX } from '../../shared/limits/notice-sources.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { compareChecks } from '../lib/compare-checks.ts';
import type { BenchOptions } from '../lib/options.ts';
import {
  benchKeys,
  FIRST_SUFFIX,
  PREFIX,
  randomFrom,
  randomSuffixes,
  releaseOf,
} from '../lib/random-lists.ts';
import { type Row, withCommas } from '../lib/table.ts';
import { type SimulatedEdge, startEdge } from '../simulation/edge.ts';

const TARGET = 1.05;
const LISTED = 1_000_000;
const LISTED_SMALL = 10_000;
/** Number of senders: one, as in a campaign, and the maximum that is counted, which is the worst case for the table. */
const SENDERS = [1, MOBILE_SENDERS_MAX];

export async function sharingChecks({ small, seed }: BenchOptions): Promise<Row[]> {
  const { built } = await releaseOf(randomSuffixes(small ? LISTED_SMALL : LISTED, seed), await benchKeys());
  const start = async (mock: boolean): Promise<SimulatedEdge> => {
    const edge = await startEdge({}, [], { mock });
    await edge.publish(built, 1);
    return edge;
  };
  const edges = { own: () => start(false), plain: () => start(true), words: 'not counted' };
  const rows: Row[] = [];
  for (const senders of SENDERS) {
    const name = `texts of ${withCommas(senders)} mobile ${senders === 1 ? 'number' : 'numbers'}, counted`;
    rows.push(...(await compareChecks(name, edges, textOf(senders), { small, target: TARGET })));
  }
  return rows;
}

/** Texts to random recipients. Most of them are on no list. */
function textOf(senders: number) {
  return (index: number) => {
    const random = randomFrom(index + 1);
    const to = PREFIX * SUFFIX_COUNT + FIRST_SUFFIX + (random() % (SUFFIX_COUNT - FIRST_SUFFIX));
    return { from: `+${82_10_9000_0000 + 7 * (index % senders)}`, to: `+${to}` };
  };
}
