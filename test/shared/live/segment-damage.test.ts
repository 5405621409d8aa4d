/**
 * Damaged segments, opened without their seal. A segment is refused with a LayoutError or read as valid
 * entries. It never causes another exception or incomplete entries.
 */
import { describe, expect, it } from 'vitest';
import { SEGMENT_ENTRIES_MAX } from '../../../shared/limits/control.ts';
import { LIVE_KINDS, LIVE_OPS } from '../../../shared/live/entry.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import { encodeSegment, Segment } from '../../../shared/live/segment.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import vectors from '../../vectors/segments.json' with { type: 'json' };
import { fromHex } from '../support/bytes.ts';
import { cuts, type Damaged, extremes, flips } from '../support/damage.ts';
import { find, liveEntry, segmentOf } from '../support/live.ts';

const MASKS = [1, 2, 4, 8, 16, 32, 64, 128, 255];
const ALL = { subjectBit: 3, foldedSeq: 0, now: 0 };

/** @returns whether the bytes opened as a segment */
function survives({ what, bytes }: Damaged): boolean {
  let segment: Segment;
  try {
    segment = new Segment(bytes);
  } catch (error) {
    if (error instanceof LayoutError) return false;
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  }
  const layer = new LiveLayer([segment], segmentOf([]));
  // An undo decides as if the entry did not exist.
  const hasUndo = [...segment.entries()].some(({ op }) => op === 'undo');
  for (const entry of segment.entries()) {
    const { kind, op, subjects, code, authority, seq, until } = entry;
    const possible =
      LIVE_KINDS.includes(kind) &&
      LIVE_OPS.includes(op) &&
      [1, 2, 3].includes(subjects) &&
      typeof code === (op === 'block' ? 'string' : 'object') &&
      typeof authority === 'string' &&
      seq >= 1;
    if (!possible) expect.fail(`${what}: ${JSON.stringify(entry)}`);
    if (until > 0 && !hasUndo && find(layer, { ...entry, ...ALL }) === null)
      expect.fail(`${what}: not found`);
  }
  return true;
}

describe.each(vectors.segments)('the damaged segment "$name"', ({ hex }) => {
  const bytes = fromHex(hex);

  it('survives any flipped byte and any extreme word', () => {
    expect(survives({ what: 'whole', bytes })).toBe(true);
    for (const damaged of [...flips(bytes, MASKS), ...extremes(bytes)]) survives(damaged);
  });

  it('is refused at any other length', () => {
    for (const damaged of cuts(bytes))
      expect([damaged.what, survives(damaged)]).toEqual([damaged.what, false]);
  });

  it('is refused with any other header', () => {
    for (const damaged of flips(bytes.subarray(0, 16), MASKS)) {
      const whole = bytes.slice();
      whole.set(damaged.bytes);
      expect([damaged.what, survives({ ...damaged, bytes: whole })]).toEqual([damaged.what, false]);
    }
  });
});

describe('a segment is refused', () => {
  const key = { kind: 'number', high: 8210, low: 5 } as const;
  // The names are SENDER_UNQUALIFIED and kisa.
  const entries = [
    liveEntry(key, { seq: 9 }),
    liveEntry(key, { seq: 8, op: 'unblock' }),
    liveEntry({ ...key, low: 6 }),
  ];
  const ROW = 20;
  const flagsAt = (row: number): number => 16 + row * ROW + 16;
  const lastByte = 16 + 3 * ROW + 'SENDER_UNQUALIFIED\nkisa\n'.length - 1;

  it.each<[string, (view: DataView) => void]>([
    ['with rows out of order', (view) => view.setUint32(16 + 2 * ROW + 4, 4, true)],
    ['with a row twice', (view) => view.setUint32(16 + ROW + 12, 9, true)],
    ['with the older entry first', (view) => view.setUint32(16 + ROW + 12, 10, true)],
    ['with an entry without a change', (view) => view.setUint32(16 + 12, 0, true)],
    ['with an unknown kind', (view) => view.setUint8(flagsAt(2), 2 + 16 * 3)],
    ['with an unknown op', (view) => view.setUint8(flagsAt(0), 4 * 3 + 16 * 3)],
    ['with no subject', (view) => view.setUint8(flagsAt(0), 0)],
    ['with an unknown subject', (view) => view.setUint8(flagsAt(0), 16 * 4)],
    ['with a block that has no code', (view) => view.setUint8(flagsAt(0) + 1, 0)],
    ['with an unblock that has a code', (view) => view.setUint8(flagsAt(1) + 1, 1)],
    ['with a code behind the names', (view) => view.setUint8(flagsAt(0) + 1, 3)],
    ['with an authority behind the names', (view) => view.setUint16(flagsAt(0) + 2, 2, true)],
    ['with names that are not UTF-8', (view) => view.setUint8(lastByte - 1, 0xff)],
    ['with a last name that is cut', (view) => view.setUint16(lastByte - 1, 0x0a61)],
  ])('%s', (_what, damage) => {
    const bytes = encodeSegment(entries);
    expect(new Segment(bytes).count).toBe(3);
    damage(new DataView(bytes.buffer));
    expect(() => new Segment(bytes)).toThrow(LayoutError);
  });

  it('with more rows than the limit', () => {
    const count = SEGMENT_ENTRIES_MAX + 1;
    const one = encodeSegment([liveEntry(key)]);
    const bytes = new Uint8Array(one.length + SEGMENT_ENTRIES_MAX * ROW);
    bytes.set(one.subarray(0, 16));
    bytes.set(one.subarray(16 + ROW), 16 + count * ROW);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, count, true);
    for (let row = 0; row < count; row++) {
      bytes.set(one.subarray(16, 16 + ROW), 16 + row * ROW);
      view.setUint32(16 + row * ROW + 4, row, true);
    }
    expect(() => new Segment(bytes)).toThrow(LayoutError);
  });
});
