/**
 * The live layer compared with a plain model. The newest entry of a key and subject decides, however entries
 * are spread over segments and whatever a release has folded in.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LiveEntry, numberKey } from '../../../shared/live/entry.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import { randomFrom } from '../numbers/random.ts';
import {
  changes,
  find,
  layerOf,
  liveEntry,
  liveKey,
  modelFind,
  type Query,
  second,
  segmentOf,
} from '../support/live.ts';
import { EVER } from '../support/plain-model.ts';
import { holds } from '../support/properties.ts';
import { randomSet } from '../support/random-set.ts';
import { sourceKey } from '../support/sources.ts';
import { testKeys } from '../support/test-keys.ts';

const NUMBER = numberKey(821_012_345_678);
const QUERY: Query = { ...NUMBER, subjectBit: 1, foldedSeq: 0, now: 1_700_000_000 };

const query: fc.Arbitrary<Query> = fc
  .record({
    key: liveKey,
    subjectBit: fc.constantFrom(1, 2),
    foldedSeq: fc.integer({ min: 0, max: 90 }),
    now: second,
  })
  .map(({ key, ...rest }) => ({ ...key, ...rest }));

/** Deals entries into `hands` groups, by the place of each entry. */
function dealt(entries: readonly LiveEntry[], places: readonly number[], hands: number): LiveEntry[][] {
  return Array.from({ length: hands }, (_, hand) =>
    entries.filter((_, index) => places[index]! % hands === hand),
  );
}

describe('the live layer', () => {
  it('agrees with the plain model for any distribution of entries over segments', () => {
    const places = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 40, maxLength: 40 });
    holds(
      fc.property(
        changes,
        places,
        fc.integer({ min: 1, max: 5 }),
        fc.array(query, { minLength: 20, maxLength: 60 }),
        (made, places, count, queries) => {
          const [tail, ...sealed] = dealt(made, places, count).map(segmentOf);
          const layer = new LiveLayer(sealed, tail!);
          for (const each of queries) {
            expect(find(layer, each)).toEqual(modelFind(made, each));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds the same entries with a new index and with the index of the previous layer', () => {
    const hand = fc.array(changes, { minLength: 1, maxLength: 3 });
    const moves = fc.array(fc.constantFrom('tail', 'more', 'fewer', 'order', 'another'), { maxLength: 6 });
    holds(
      fc.property(hand, changes, moves, fc.array(query, { maxLength: 30 }), (hands, tail, moves, queries) => {
        let sealed = hands.map(segmentOf);
        let open = tail;
        let layer = new LiveLayer(sealed, segmentOf(open));
        for (const move of moves) {
          if (move === 'tail') open = open.slice(1);
          if (move === 'more') sealed = [...sealed, segmentOf(tail)];
          if (move === 'fewer') sealed = sealed.slice(1);
          if (move === 'order') sealed = sealed.toReversed();
          if (move === 'another') sealed = sealed.map((_, index) => segmentOf(index === 0 ? tail : []));
          layer = new LiveLayer(sealed, segmentOf(open), layer);
          const rebuilt = new LiveLayer(sealed, segmentOf(open));
          for (const each of queries) expect(find(layer, each)).toEqual(find(rebuilt, each));
        }
      }),
    );
  });

  it('finds nothing when it is empty', () => {
    expect(find(LiveLayer.EMPTY, QUERY)).toBeNull();
    expect(find(LiveLayer.EMPTY, { ...QUERY, high: 0, low: 0 })).toBeNull();
  });

  it('distinguishes the subjects', () => {
    const layer = layerOf(
      liveEntry(NUMBER, { subjects: 1, seq: 1 }),
      liveEntry(NUMBER, { subjects: 2, op: 'unblock', seq: 2 }),
    );
    expect(find(layer, { ...QUERY, subjectBit: 1 })?.op).toBe('block');
    expect(find(layer, { ...QUERY, subjectBit: 2 })?.op).toBe('unblock');
  });

  it('returns the older entry from the second in which the newer one ends', () => {
    const until = QUERY.now + 10;
    const layer = layerOf(liveEntry(NUMBER, { seq: 1 }), liveEntry(NUMBER, { op: 'clear', seq: 2, until }));
    expect(find(layer, { ...QUERY, now: until - 1 })?.op).toBe('clear');
    expect(find(layer, { ...QUERY, now: until })?.op).toBe('block');
  });

  it('ignores entries that the release has folded in, and finds them with an earlier release', () => {
    const layer = layerOf(liveEntry(NUMBER, { seq: 5 }), liveEntry(NUMBER, { op: 'unblock', seq: 9 }));
    const over = (foldedSeq: number): string | undefined => find(layer, { ...QUERY, foldedSeq })?.op;
    expect([0, 4, 5, 8, 9, 10, 5].map(over)).toEqual([
      'unblock',
      'unblock',
      'unblock',
      'unblock',
      undefined,
      undefined,
      'unblock',
    ]);
  });

  it('uses the newest entry, sealed or unsealed', () => {
    const old = liveEntry(NUMBER, { seq: 3 });
    const newer = liveEntry(NUMBER, { op: 'unblock', seq: 4 });
    expect(find(new LiveLayer([segmentOf([old])], segmentOf([newer])), QUERY)).toEqual(newer);
    expect(find(new LiveLayer([segmentOf([newer])], segmentOf([old])), QUERY)).toEqual(newer);
  });

  it('finds a source by both words of its fingerprint, never as a number', () => {
    const key = sourceKey('KB-Bank', testKeys.sourceSeed);
    const layer = layerOf(liveEntry(key));
    expect(find(layer, { ...QUERY, ...sourceKey('kb-bank', testKeys.sourceSeed) })?.op).toBe('block');
    for (const other of [
      { ...key, kind: 'number' as const },
      { ...key, high: (key.high ^ 1) >>> 0 },
      { ...key, low: (key.low ^ 0x80000000) >>> 0 },
    ]) {
      expect(find(layer, { ...QUERY, ...other })).toBeNull();
    }
  });
});

describe('a large live layer', () => {
  const LIMIT = 200_000;
  const SEGMENT = 10_000;
  const { until } = EVER;
  const drawn = randomSet(randomFrom(20_261_124), 60_000, LIMIT);

  // Random, consecutive and evenly spaced keys, because such patterns can break a hash.
  it.each<[string, (index: number) => number]>([
    ['random numbers', (index) => drawn[index]!],
    ['numbers in a row', (index) => index],
    ['every third number', (index) => index * 3],
  ])('finds each of 60,000 %s and no other of 200,000', (_name, lowAt) => {
    const entries = Array.from({ length: 60_000 }, (_, index) =>
      liveEntry({ kind: 'number', high: 8210, low: lowAt(index) }, { seq: index + 1 }),
    );
    const segments = Array.from({ length: 6 }, (_, place) =>
      segmentOf(entries.slice(place * SEGMENT, (place + 1) * SEGMENT)),
    );
    const layer = new LiveLayer(segments.slice(0, 5), segments[5]!);
    const seqs = new Map(entries.map(({ low, seq }) => [low, seq]));
    let wrong = 0;
    for (let low = 0; low < LIMIT; low++) {
      if ((layer.find('number', 8210, low, 1, 0, until - 1)?.seq ?? null) !== (seqs.get(low) ?? null))
        wrong++;
      if (layer.find('number', 8211, low, 1, 0, 0) !== null) wrong++;
      if (layer.find('source', 8210, low, 1, 0, 0) !== null) wrong++;
    }
    expect(wrong).toBe(0);
  });
});
