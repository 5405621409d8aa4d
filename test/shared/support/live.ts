/**
 * Live entries for tests, and a plain model of the layer. The model replays changes one by one, and each
 * change that matches the key and subject replaces the previous one.
 */
import fc from 'fast-check';
import type { LiveEntry, LiveKey } from '../../../shared/live/entry.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import { encodeSegment, Segment } from '../../../shared/live/segment.ts';
import type { RuleMark } from '../../../shared/verdict.ts';
import { EVER } from './plain-model.ts';

/** A block for both subjects, without an end. */
export function liveEntry(key: LiveKey, some: Partial<LiveEntry> = {}): LiveEntry {
  const { op = 'block' } = some;
  const code = op === 'block' ? 'SENDER_UNQUALIFIED' : null;
  return { ...key, op, subjects: 3, code, authority: 'kisa', seq: 100, until: EVER.until, ...some };
}

export function segmentOf(entries: readonly LiveEntry[]): Segment {
  return new Segment(encodeSegment(entries));
}

/** A layer whose entries are all unsealed. */
export function layerOf(...entries: readonly LiveEntry[]): LiveLayer {
  return new LiveLayer([], segmentOf(entries));
}

/** One lookup in a layer. */
export interface Query extends LiveKey {
  readonly subjectBit: number;
  readonly foldedSeq: number;
  readonly now: number;
}

export function find(
  layer: LiveLayer,
  { kind, high, low, subjectBit, foldedSeq, now }: Query,
): LiveEntry | null {
  return layer.find(kind, high, low, subjectBit, foldedSeq, now);
}

/** The plain model. @param changes in the order in which they were made */
export function modelFind(changes: readonly LiveEntry[], query: Query): LiveEntry | null {
  let deciding: LiveEntry | null = null;
  for (const change of changes) {
    const same = change.kind === query.kind && change.high === query.high && change.low === query.low;
    const concerns = [1, 2].some(
      (bit) => bit === query.subjectBit && Math.floor(change.subjects / bit) % 2 === 1,
    );
    if (same && concerns && change.seq > query.foldedSeq && query.now < change.until) deciding = change;
  }
  return deciding;
}

const U32 = 2 ** 32 - 1;

/** Few keys, so that entries collide. Some keys differ only in one word or in their kind. */
export const liveKey: fc.Arbitrary<LiveKey> = fc.record({
  kind: fc.constantFrom('number', 'source'),
  high: fc.constantFrom(0, 8210, U32),
  low: fc.constantFrom(0, 1, 99_999_999, U32),
});

/** Seconds at which entries end or lookups happen. */
export const second: fc.Arbitrary<number> = fc.constantFrom(0, 1, 1_800_000_000, U32 - 1);

/** An entry with `seq` 1. */
export const anyEntry: fc.Arbitrary<LiveEntry> = fc
  .record({
    key: liveKey,
    op: fc.constantFrom('block', 'block', 'unblock', 'clear'),
    subjects: fc.integer({ min: 1, max: 3 }),
    code: fc.constantFrom('SENDER_REPORTED', 'NUMBER_SUSPENDED', 'SUBSCRIBER_DNO'),
    authority: fc.constantFrom('kisa', 'ktoa', 'a', '기관'),
    until: fc.oneof(second, fc.constant(U32)),
    mark: fc.constantFrom<Partial<RuleMark>>(
      ...[
        {},
        { rule: 'kr-50@3', stage: 'provisional' } as const,
        { rule: 'b@1', stage: 'confirmed' } as const,
      ],
    ),
  })
  .map(({ key, op, code, mark, ...rest }) => {
    const isBlock = op === 'block';
    return { ...key, op, code: isBlock ? code : null, ...rest, seq: 1, ...(isBlock ? mark : {}) };
  });

/** Changes in the order in which they are made, each with its own `seq`; some numbers are skipped. */
export const changes: fc.Arbitrary<LiveEntry[]> = fc
  .array(fc.tuple(anyEntry, fc.integer({ min: 1, max: 3 })), { maxLength: 40 })
  .map((made) => {
    let seq = 0;
    return made.map(([entry, step]) => {
      seq += step;
      return { ...entry, seq };
    });
  });
