/** The index finds the same campaigns as a comparison with all of them, while campaigns come and go. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BAND_CAMPAIGNS_MAX } from '../../../shared/limits/campaigns.ts';
import { BAND_VALUES, BANDS, CampaignTable, encodeCampaigns } from '../../../shared/text/campaign-table.ts';
import {
  equalValues,
  FINGERPRINT_VALUES,
  type Fingerprint,
  SAME_CAMPAIGN_VALUES,
} from '../../../shared/text/fingerprint.ts';
import { CampaignIndex, type SimilarCampaign } from '../../../workers/text/campaign-index.ts';
import { holds } from '../../shared/support/properties.ts';
import { SPAM, valuesOf } from '../support/texts.ts';

function isEqualIn(one: Fingerprint, other: Fingerprint, from: number, to: number): boolean {
  return one.subarray(from, to).every((value, at) => value === other[from + at]);
}

/** The most similar campaign with an equal band, found by comparing all. The first one wins a tie. */
function plainFind(all: ReadonlyMap<number, Fingerprint>, fingerprint: Fingerprint): SimilarCampaign | null {
  let best: SimilarCampaign | null = null;
  for (const [id, other] of [...all].sort(([a], [b]) => a - b)) {
    const equal = equalValues(fingerprint, other);
    const hasBand = Array.from({ length: BANDS }, (_, band) =>
      isEqualIn(fingerprint, other, band * BAND_VALUES, (band + 1) * BAND_VALUES),
    ).some(Boolean);
    if (hasBand && equal >= SAME_CAMPAIGN_VALUES && equal > (best?.equal ?? 0)) best = { id, equal };
  }
  return best;
}

/** Removes, replaces or repeats words of a text. Few edits keep the campaign, many edits leave it. */
function edited(text: string, edits: readonly number[]): string {
  const words = text.split(' ');
  for (const edit of edits) {
    const at = edit % words.length;
    if (edit % 3 === 0) words[at] = `${edit}`;
    else if (edit % 3 === 1) words.splice(at, 1);
    else words.splice(at, 0, words[(edit >> 3) % words.length]!);
    if (words.length < 6) break;
  }
  return words.join(' ');
}

const steps = fc.array(
  fc.record({
    text: fc.nat(4),
    edits: fc.array(fc.nat(9_999), { maxLength: 9 }),
    does: fc.constantFrom('add' as const, 'add' as const, 'find' as const, 'remove' as const),
  }),
  { minLength: 10, maxLength: 40 },
);

test('it finds what a comparison with all campaigns finds, for random edits of real texts', async () => {
  const known = new Map<string, Fingerprint>();
  const inputs = fc.sample(steps, 150);
  for (const { text, edits } of inputs.flat()) {
    const written = edited(SPAM[text]!, edits);
    if (!known.has(written)) {
      const values = await valuesOf(written).catch(() => null);
      if (values !== null) known.set(written, values);
    }
  }
  let [found, missed] = [0, 0];
  for (const input of inputs) {
    const index = new CampaignIndex();
    const model = new Map<number, Fingerprint>();
    for (const [n, { text, edits, does }] of input.entries()) {
      const values = known.get(edited(SPAM[text]!, edits));
      if (values === undefined) continue;
      const expected = plainFind(model, values);
      expect(index.find(values)).toEqual(expected);
      if (expected === null) missed++;
      else found++;
      if (does === 'add') {
        model.set(n + 1, values);
        index.add(n + 1, values);
      } else if (does === 'remove' && expected !== null) {
        model.delete(expected.id);
        index.remove(expected.id);
      }
      expect(index.size).toBe(model.size);
    }
  }
  // Without enough of both, the comparison proves nothing.
  expect(Math.min(found, missed)).toBeGreaterThan(100);
});

const values = fc
  .array(fc.integer({ min: 0, max: 2 }), { minLength: FINGERPRINT_VALUES, maxLength: FINGERPRINT_VALUES })
  .map((all) => new Uint16Array(all));

test('it finds it among values that share many bands, also after it grows and rows are used again', () => {
  holds(
    fc.property(fc.array(values, { minLength: 1, maxLength: 40 }), fc.nat(39), (all, removed) => {
      const index = new CampaignIndex();
      const model = new Map<number, Fingerprint>();
      for (const [n, each] of all.entries()) {
        index.add(n + 1, each);
        model.set(n + 1, each);
      }
      index.remove(removed + 1);
      model.delete(removed + 1);
      index.add(1_000, all[0]!);
      model.set(1_000, all[0]!);
      for (const each of all) expect(index.find(each)).toEqual(plainFind(model, each));
    }),
  );
  const index = new CampaignIndex();
  const random = (n: number): Fingerprint =>
    Uint16Array.from({ length: FINGERPRINT_VALUES }, (_, at) => Math.imul(n * 64 + at, 0x9e3779b1) >>> 16);
  for (let n = 1; n <= 1_000; n++) index.add(n, random(n));
  for (let n = 1; n <= 1_000; n++) expect(index.find(random(n))).toEqual({ id: n, equal: 64 });
});

test('a band that many campaigns share is compared with a bounded number of them', () => {
  const index = new CampaignIndex();
  const shared = (n: number): Fingerprint =>
    Uint16Array.from({ length: FINGERPRINT_VALUES }, (_, at) =>
      at < BAND_VALUES ? 7 : Math.imul(n * 64 + at, 0x9e3779b1) >>> 16,
    );
  const many = BAND_CAMPAIGNS_MAX * 2;
  for (let n = 1; n <= many; n++) index.add(n, shared(n));
  // The other bands still find each campaign.
  for (let n = 1; n <= many; n++) expect(index.find(shared(n))?.id).toBe(n);
  // 33 equal values, but no other equal band.
  const onlyBand = shared(many + 1).fill(9, 16 * BAND_VALUES);
  for (let at = BAND_VALUES; at < 16 * BAND_VALUES; at++) onlyBand[at] = shared(many)[at]!;
  for (let band = 1; band < 16; band++) onlyBand[band * BAND_VALUES] = 1;
  expect(equalValues(onlyBand, shared(many))).toBe(SAME_CAMPAIGN_VALUES + 1);
  expect(index.find(onlyBand)).toBeNull();
  for (let n = 1; n <= many; n++) index.remove(n);
  expect(index.size).toBe(0);
  expect(index.find(shared(1))).toBeNull();
});

const anyPrint = fc
  .array(fc.nat(0xffff), { minLength: FINGERPRINT_VALUES, maxLength: FINGERPRINT_VALUES })
  .map((all): Fingerprint => new Uint16Array(all));
/** Fingerprints with about half of the same values. Some share bands with the original, and some do not. */
const aroundIt = (from: Fingerprint): fc.Arbitrary<Fingerprint> =>
  fc.shuffledSubarray([...from.keys()], { minLength: 28, maxLength: 37 }).map((changed) => {
    const other = from.slice();
    for (const at of changed) other[at] = other[at]! ^ 1;
    return other;
  });

test('the store and the edge find the same campaigns, around the bound', () => {
  let [found, missed] = [0, 0];
  holds(
    fc.property(
      anyPrint.chain((print) =>
        fc.tuple(fc.constant(print), fc.array(aroundIt(print), { minLength: 1, maxLength: 2 })),
      ),
      ([print, others]) => {
        const index = new CampaignIndex();
        for (const [n, each] of others.entries()) index.add(n + 1, each);
        const all = others.map((each, n) => ({ id: n + 1, fingerprint: each, until: 2, authority: 'kisa' }));
        const atEdge = new CampaignTable(encodeCampaigns(all)).find(print, 0);
        const inStore = index.find(print);
        expect(inStore === null).toBe(atEdge === null);
        if (inStore === null || atEdge === null) missed++;
        else {
          found++;
          // Among equally similar campaigns, the store and the edge may name different ones.
          expect(equalValues(print, others[atEdge.id - 1]!)).toBe(inStore.equal);
        }
      },
    ),
  );
  // Without enough of both, the comparison proves nothing.
  expect(Math.min(found, missed)).toBeGreaterThan(10);
});
