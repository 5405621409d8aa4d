/** The table of confirmed campaigns, compared with a search through every row, and damaged tables. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAMPAIGN_CANDIDATES_MAX, CAMPAIGNS_MAX } from '../../../shared/limits/text.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { type Campaign, CampaignTable, encodeCampaigns } from '../../../shared/text/campaign-table.ts';
import { equalValues, FINGERPRINT_VALUES, type Fingerprint } from '../../../shared/text/fingerprint.ts';
import vectors from '../../vectors/text.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import { cuts, type Damaged, extremes, flips } from '../support/damage.ts';
import { naiveCampaignTable } from '../support/naive-text.ts';
import { holds } from '../support/properties.ts';

const NOW = 1_700_000_000_000;
const LATER = NOW / 1000 + 1;
/** Number of equal values, out of 64, from which two texts are similar. */
const SAME = 32;

const values = fc.array(fc.integer({ min: 0, max: 0xffff }), {
  minLength: FINGERPRINT_VALUES,
  maxLength: FINGERPRINT_VALUES,
});
const fingerprint = values.map((each): Fingerprint => Uint16Array.from(each));
/** A copy with some changed values, so that many pairs are near the bound. */
const near = (from: Fingerprint): fc.Arbitrary<Fingerprint> =>
  fc
    .tuple(
      fc.shuffledSubarray([...from.keys()], { minLength: 10, maxLength: 50 }),
      fc.integer({ min: 1, max: 0xffff }),
    )
    .map(
      ([changed, mask]) =>
        from.map((value, at) => (changed.includes(at) ? value ^ mask : value)) as Fingerprint,
    );
const world = fingerprint.chain((first) =>
  fc.record({
    rows: fc.array(
      fc.record({
        print: fc.oneof(fingerprint, near(first)),
        until: fc.constantFrom(NOW / 1000 - 1, NOW / 1000, LATER, 0xffffffff),
        mark: fc.constantFrom(
          { authority: 'kisa' },
          { authority: 'numgate', rule: 'kr-9@2', stage: 'provisional' as const },
          { authority: '기관', rule: 'kr-9@2', stage: 'confirmed' as const },
        ),
      }),
      { maxLength: 12 },
    ),
    others: fc.array(fc.oneof(fingerprint, near(first)), { minLength: 1, maxLength: 5 }),
    first: fc.constant(first),
  }),
);

const campaignsOf = (
  rows: readonly {
    readonly print: Fingerprint;
    readonly until: number;
    readonly mark: Pick<Campaign, 'authority' | 'rule' | 'stage'>;
  }[],
): Campaign[] =>
  rows.map(({ print, until, mark }, at) => ({ id: 3 * at + 1, fingerprint: print, until, ...mark }));

/** Whether two fingerprints share one of the 21 bands of 3 values. */
function shareBand(a: Fingerprint, b: Fingerprint): boolean {
  return Array.from({ length: 21 }, (_, band) => band * 3).some((at) =>
    [0, 1, 2].every((next) => a[at + next] === b[at + next]),
  );
}

describe('the campaign table', () => {
  it('finds a campaign in force as similar as the best one that shares a band, as a comparison with all does', () => {
    let found = 0;
    holds(
      fc.property(world, ({ rows, others, first }) => {
        const campaigns = campaignsOf(rows);
        const table = new CampaignTable(encodeCampaigns(campaigns));
        for (const print of [...others, first, ...rows.map((row) => row.print)]) {
          const equal = ({ fingerprint: other }: Campaign): number => equalValues(print, other);
          const similar = campaigns.filter((each) => each.until * 1000 > NOW && equal(each) >= SAME);
          const likely = similar.filter((each) => shareBand(print, each.fingerprint));
          const result = table.find(print, NOW);
          // A row that shares no band may still be found, because its bands can be in the same chain.
          if (result === null) {
            expect(likely).toEqual([]);
            continue;
          }
          found++;
          const row = similar.find(({ id }) => id === result.id)!;
          expect(equal(row)).toBeGreaterThanOrEqual(Math.max(0, ...likely.map(equal)));
          const { fingerprint: _, ...shown } = row;
          expect(result).toEqual(shown);
        }
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(300);
  });

  it('finds itself among as many as there may be, each by its own row', () => {
    const campaigns = manyCampaigns(CAMPAIGNS_MAX);
    const table = new CampaignTable(encodeCampaigns(campaigns));
    for (const { fingerprint: print, id } of campaigns)
      if (table.find(print, NOW)?.id !== id) expect.fail(`c-${id}`);
  });

  it('has the bytes of the naive encoder', () => {
    holds(
      fc.property(world, ({ rows }) => {
        const campaigns = campaignsOf(rows);
        const plain = campaigns.map(({ fingerprint: print, ...rest }) => ({ ...rest, values: [...print] }));
        expect(hexOf(encodeCampaigns(campaigns.toReversed()))).toBe(
          hexOf(naiveCampaignTable(plain as never)),
        );
      }),
    );
  });

  it('has the documented bytes', () => {
    const campaigns = vectors.campaigns.rows.map(({ values: each, ...rest }) => ({
      ...rest,
      fingerprint: Uint16Array.from(each),
    }));
    expect(hexOf(encodeCampaigns(campaigns as Campaign[]))).toBe(vectors.campaigns.hex);
  });

  it('compares a text with a bounded count of campaigns, however many resemble it', () => {
    // All rows share the band of zeros, and the equal row comes last in its chain.
    const campaigns = manyCampaigns(CAMPAIGNS_MAX).map((each): Campaign => {
      const print = each.fingerprint.slice() as Fingerprint;
      print.fill(0, 0, 3);
      return { ...each, fingerprint: print };
    });
    const table = new CampaignTable(encodeCampaigns(campaigns));
    const zeros = new Uint16Array(FINGERPRINT_VALUES).fill(1, 3);
    expect(table.find(zeros, NOW)).toBeNull();
    expect(CAMPAIGN_CANDIDATES_MAX).toBeLessThan(CAMPAIGNS_MAX);
    // Every other band still finds its row.
    const [first] = campaigns as [Campaign];
    const other = first.fingerprint.slice() as Fingerprint;
    other.fill(7, 0, 3);
    expect(table.find(other, NOW)?.id).toBe(first.id);
  });

  it.each([
    ['two rows of one ID', { id: 5 }, { id: 5 }],
    ['an ID of 0', { id: 0 }],
    ['a time that is no word', { until: 2 ** 32 }],
    ['an authority with a space', { authority: 'a b' }],
    ['a rule without its stage', { rule: 'kr-9@2' }],
    ['a short fingerprint', { fingerprint: new Uint16Array(63) }],
  ])('is not written with %s', (_what, ...changes: Partial<Campaign>[]) => {
    const [one] = manyCampaigns(1) as [Campaign];
    expect(() => encodeCampaigns(changes.map((change) => ({ ...one, ...change })))).toThrow(RangeError);
  });

  it('is not written with more campaigns than fit', () => {
    expect(() => encodeCampaigns(manyCampaigns(CAMPAIGNS_MAX + 1))).toThrow(RangeError);
  });
});

function manyCampaigns(count: number): Campaign[] {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
  return Array.from({ length: count }, (_, at) => ({
    ...{ id: at + 1, until: LATER, authority: 'kisa' },
    fingerprint: Uint16Array.from({ length: FINGERPRINT_VALUES }, next),
  }));
}

describe('a damaged campaign table', () => {
  const bytes = fromHex(vectors.campaigns.hex);
  const prints = vectors.campaigns.rows.map(({ values: each }) => Uint16Array.from(each));

  /** @returns whether it was accepted */
  function survive({ what, bytes: damaged }: Damaged): boolean {
    try {
      const table = new CampaignTable(damaged);
      for (const print of [...prints, new Uint16Array(FINGERPRINT_VALUES)]) {
        const found = table.find(print, 0);
        if (found !== null && !(found.id > 0 && found.authority !== '')) expect.fail(`${what}: ${found.id}`);
      }
      return true;
    } catch (error) {
      if (error instanceof LayoutError) return false;
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
  }

  it('survives any flipped byte and any extreme word', () => {
    for (const damaged of [...flips(bytes, [1, 4, 32, 128, 255]), ...extremes(bytes)]) survive(damaged);
  });

  it('is refused at any other length', () => {
    for (const damaged of cuts(bytes)) expect(survive(damaged), damaged.what).toBe(false);
  });
});
