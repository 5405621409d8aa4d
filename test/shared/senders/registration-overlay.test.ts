/** Changes to registered senders in memory, compared with a plain model that searches all rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegistrationOverlay } from '../../../shared/senders/registration-overlay.ts';
import {
  byRegistration,
  encodeRegistrationSegment,
  REGISTRATION_OPS,
  type RegistrationRow,
  RegistrationSegment,
} from '../../../shared/senders/registration-segment.ts';
import { holds } from '../support/properties.ts';

const BASE = 821_020_000_000;

function segmentOf(rows: readonly RegistrationRow[]): RegistrationSegment {
  const newest = new Map(rows.map((row) => [`${row.client} ${row.from} ${row.to}`, row] as const));
  return new RegistrationSegment(encodeRegistrationSegment([...newest.values()].sort(byRegistration)));
}

/** The op of the newest row that covers the number, if the row is newer than the version. */
function plainFind(rows: readonly RegistrationRow[], n: number, client: string, version: number) {
  const covering = rows.filter((row) => row.client === client && row.from <= n && n <= row.to);
  const newest = covering.sort((a, b) => b.version - a.version)[0];
  return newest === undefined || newest.version <= version ? null : newest.op;
}

describe('an overlay of registrations', () => {
  it('finds the newest change of each number, however ranges overlap', () => {
    const row = fc.record({
      client: fc.constantFrom('acme/a', 'acme/b', 'beta/a'),
      from: fc.integer({ min: 0, max: 30 }),
      length: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 })),
      op: fc.constantFrom(...REGISTRATION_OPS),
    });
    const property = fc.property(
      fc.array(row, { maxLength: 40 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 }),
      fc.integer({ min: 0, max: 40 }),
      (drawn, cuts, version) => {
        const rows = drawn.map(({ client, from, length, op }, index) => ({
          ...{ client, from: BASE + from, to: BASE + from + length, op, version: index + 1 },
        }));
        const ends = [...cuts.map((cut) => Math.min(cut, rows.length)), rows.length].sort((a, b) => a - b);
        const segments = ends.map((end, index) => segmentOf(rows.slice(ends[index - 1] ?? 0, end)));
        const overlay = new RegistrationOverlay(0, segments.slice(0, -1), segments.at(-1)!);
        const wrong: string[] = [];
        for (const client of ['acme/a', 'acme/b', 'beta/a', 'acme/c']) {
          for (let n = BASE - 1; n < BASE + 55; n++) {
            const [found, expected] = [overlay.find(n, client, version), plainFind(rows, n, client, version)];
            if (found !== expected) wrong.push(`${client} ${n - BASE}: ${found}, not ${expected}`);
          }
        }
        expect(wrong).toEqual([]);
      },
    );
    holds(property);
  });

  it('finds numbers of a client that are spread unevenly', () => {
    const crowd = Array.from({ length: 40 }, (_, index) => index * 3);
    const offsets = [...crowd, 5_000_000, 5_000_001, 9_999_990, 90_000_000];
    const rows = offsets.map((offset, index) => ({
      ...{ client: 'acme/a', from: BASE + offset, to: BASE + offset + (offset % 2) },
      ...{ op: REGISTRATION_OPS[index % 3]!, version: index + 1 },
    }));
    const overlay = new RegistrationOverlay(0, [segmentOf(rows)], segmentOf([]));
    for (const n of offsets.flatMap((offset) => [-1, 0, 1, 2].map((beside) => BASE + offset + beside)))
      expect(overlay.find(n, 'acme/a', 0), `${n - BASE}`).toBe(plainFind(rows, n, 'acme/a', 0));
    for (const n of [0, BASE - 50_000_000, BASE + 95_000_000, 10 ** 15 - 1])
      expect(overlay.find(n, 'acme/a', 0)).toBeNull();
  });

  it('joins only the segments that an earlier overlay does not have', () => {
    const first = segmentOf([{ client: 'acme/a', from: BASE, to: BASE, op: 'add', version: 1 }]);
    const second = segmentOf([{ client: 'acme/a', from: BASE, to: BASE, op: 'remove', version: 2 }]);
    const none = segmentOf([]);
    const before = new RegistrationOverlay(0, [first], none);
    expect(before.find(BASE, 'acme/a', 0)).toBe('add');
    const reads: number[] = [];
    const read = first.from.bind(first);
    first.from = (row) => {
      reads.push(row);
      return read(row);
    };
    expect(new RegistrationOverlay(0, [first], second, before).find(BASE, 'acme/a', 0)).toBe('remove');
    expect(reads).toEqual([]);
    const sealed = new RegistrationOverlay(0, [first, second], none, before);
    expect(sealed.find(BASE, 'acme/a', 0)).toBe('remove');
    expect(reads).toEqual([]);
    expect(new RegistrationOverlay(0, [first, second], none).find(BASE, 'acme/a', 0)).toBe('remove');
    expect(reads).not.toEqual([]);
  });

  it('counts the bytes of its rows, and has none without changes', () => {
    expect(RegistrationOverlay.EMPTY.bytes).toBe(0);
    const segment = segmentOf([{ client: 'acme/a', from: BASE, to: BASE + 9, op: 'add', version: 1 }]);
    expect(new RegistrationOverlay(0, [segment], segmentOf([])).bytes).toBe(41);
  });
});
