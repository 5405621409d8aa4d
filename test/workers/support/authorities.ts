/** Lists of two authorities, and releases in which one changes the lists of the other. */
import { EVER, type PlainList, plainList } from '../../shared/support/plain-model.ts';

/** A number on every list of `listOf`. */
export const NUMBER = '+821030000001';

/** A list with one number, one range and one source, unless other content is given. */
export function listOf(authority: string, settings: Partial<PlainList['info']> = {}, n = NUMBER): PlainList {
  const list = plainList(`${authority}-list`, {
    numbers: [{ n: Number(n), ...EVER }],
    ranges: [{ from: 821_055_550_000, to: 821_055_559_999, ...EVER }],
    sources: [{ text: 'PARCEL-KR', ...EVER }],
  });
  return { ...list, info: { ...list.info, authority, ...settings } };
}

/** The current release has these lists. */
export const [OWN, OTHER] = [listOf('ktoa'), listOf('acme')];

const more = [...OTHER.numbers, { n: 821_030_000_005, ...EVER }];
const moreSources = [...OTHER.sources, { text: 'OTHER', ...EVER }];
/** The changes of each release in the lists of `acme`. The last release changes the lists of both. */
export const CHANGES = {
  'adds a number': [OWN, { ...OTHER, numbers: more }],
  'swaps a number': [OWN, listOf('acme', {}, '+821030000006')],
  'removes a range': [OWN, { ...OTHER, ranges: [] }],
  'adds a source': [OWN, { ...OTHER, sources: moreSources }],
  'swaps a source': [OWN, { ...OTHER, sources: [{ text: 'OTHER', ...EVER }] }],
  'changes dates': [OWN, { ...OTHER, ranges: [{ ...OTHER.ranges[0]!, until: 2_000_000_000 }] }],
  'drops a list': [OWN],
  'adds a list': [OWN, OTHER, { ...OTHER, info: { ...OTHER.info, name: 'acme-2' } }],
  'changes terms': [OWN, { ...OTHER, info: { ...OTHER.info, effect: 'label' } }],
  'changes the date of a list': [
    OWN,
    { ...OTHER, info: { ...OTHER.info, asOf: '2026-11-25T00:00:00.000Z' } },
  ],
  'takes a list over': [OWN, { ...OTHER, info: { ...OTHER.info, authority: 'ktoa' } }],
  'gives a list away': [{ ...OWN, info: { ...OWN.info, authority: 'acme' } }, OTHER],
} satisfies Record<string, readonly PlainList[]>;
