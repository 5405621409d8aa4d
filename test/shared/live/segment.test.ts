/**
 * Segments: a reader gets the written entries, and equal entries have equal bytes. Golden bytes are in
 * test/vectors/segments.json.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEGMENT_ENTRIES_MAX } from '../../../shared/limits/control.ts';
import { byLiveKey, type LiveEntry, numberKey } from '../../../shared/live/entry.ts';
import { encodeSegment, Segment } from '../../../shared/live/segment.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import vectors from '../../vectors/segments.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import { changes, liveEntry, segmentOf } from '../support/live.ts';
import { naiveSegment } from '../support/naive-tables.ts';
import { holds } from '../support/properties.ts';

const NUMBER = numberKey(821_012_345_678);

describe.each(vectors.segments)('the golden segment "$name"', ({ entries, hex }) => {
  // JSON has no literal types. The tests below fail if the file has another form.
  const golden = entries as unknown as readonly LiveEntry[];

  it('has the same bytes from the naive encoder and from ours', () => {
    expect(hexOf(naiveSegment(entries))).toBe(hex);
    expect(hexOf(encodeSegment(golden.toReversed()))).toBe(hex);
  });

  it('is read entry by entry', () => {
    const segment = new Segment(fromHex(hex));
    expect(segment.count).toBe(entries.length);
    expect([...segment.entries()]).toEqual(entries);
  });
});

describe('a segment', () => {
  it('returns its entries in the order of their keys, with the bytes of the naive encoder', () => {
    holds(
      fc.property(changes, (made) => {
        const sorted = made.toSorted(byLiveKey);
        const bytes = encodeSegment(made);
        expect(hexOf(bytes)).toBe(hexOf(naiveSegment(sorted)));
        expect([...new Segment(bytes).entries()]).toEqual(sorted);
      }),
    );
  });

  it('has the same bytes for any order of its entries', () => {
    const shuffled = changes.chain((made) =>
      fc.tuple(fc.constant(made), fc.shuffledSubarray(made, { minLength: made.length })),
    );
    holds(
      fc.property(shuffled, ([made, again]) => {
        expect(hexOf(encodeSegment(again))).toBe(hexOf(encodeSegment(made)));
      }),
    );
  });

  it('keeps a code that this version does not know', () => {
    const code = 'OF_A_LATER_VERSION' as LiveEntry['code'];
    expect(segmentOf([liveEntry(NUMBER, { code })]).entry(0).code).toBe(code);
  });

  it('is read in place at any multiple of 4', () => {
    const bytes = encodeSegment([liveEntry(NUMBER)]);
    const room = new Uint8Array(bytes.length + 8);
    room.set(bytes, 4);
    expect(new Segment(room.subarray(4, 4 + bytes.length)).entry(0)).toEqual(liveEntry(NUMBER));
    room.set(bytes, 2);
    expect(() => new Segment(room.subarray(2, 2 + bytes.length))).toThrow(LayoutError);
  });

  it('accepts as many entries as the limit, and no more', () => {
    const many = Array.from({ length: SEGMENT_ENTRIES_MAX + 1 }, (_, index) =>
      liveEntry({ kind: 'number', high: 8210, low: index }, { authority: `a-${index}` }),
    );
    const most = segmentOf(many.slice(1));
    expect([most.count, most.entry(SEGMENT_ENTRIES_MAX - 1)]).toEqual([SEGMENT_ENTRIES_MAX, many.at(-1)]);
    expect(() => encodeSegment(many)).toThrow(RangeError);
  });

  it('rejects two entries of one key and change, and a name with a line break', () => {
    const entry = liveEntry(NUMBER);
    expect(() => encodeSegment([entry, { ...entry, subjects: 1 }])).toThrow(RangeError);
    expect(() => encodeSegment([{ ...entry, authority: 'a\nb' }])).toThrow(RangeError);
  });
});
