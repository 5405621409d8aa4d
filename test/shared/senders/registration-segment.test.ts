/**
 * Segments of registered senders. A reader gets the written rows, equal rows have equal bytes, and damaged bytes are refused or
 * read as possible rows.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  REGISTRATION_NUMBERS_MAX,
  REGISTRATION_SEGMENT_ROWS_MAX,
} from '../../../shared/limits/registrations.ts';
import {
  byRegistration,
  encodeRegistrationSegment,
  REGISTRATION_OPS,
  type RegistrationRow,
  RegistrationSegment,
} from '../../../shared/senders/registration-segment.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { hexOf } from '../support/bytes.ts';
import { cuts, type Damaged, extremes, flips } from '../support/damage.ts';
import { holds } from '../support/properties.ts';

const row = (some: Partial<RegistrationRow> = {}): RegistrationRow => ({
  client: 'acme/main',
  from: 8_215_881_234,
  to: some.from ?? 8_215_881_234,
  op: 'add',
  version: 1,
  ...some,
});

const someRow: fc.Arbitrary<RegistrationRow> = fc
  .record({
    client: fc.constantFrom('acme/main', 'acme/second', 'beta/main', '나무/기본'),
    from: fc.oneof(
      fc.integer({ min: 0, max: 999_999_999_990_000 }),
      fc.integer({ min: 821_000_000_000, max: 821_000_000_009 }),
    ),
    more: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: REGISTRATION_NUMBERS_MAX - 1 })),
    op: fc.constantFrom(...REGISTRATION_OPS),
    version: fc.integer({ min: 1, max: 0xffffffff }),
  })
  .map(({ more, ...some }) => ({ ...some, to: some.from + more }));
const someRows = fc.uniqueArray(someRow, {
  selector: ({ client, from, to }) => `${client} ${from} ${to}`,
  maxLength: 50,
});

describe('a registration segment', () => {
  it('returns its rows in order, and has the same bytes for any order of them', () => {
    holds(
      fc.property(someRows, (rows) => {
        const sorted = rows.toSorted(byRegistration);
        const bytes = encodeRegistrationSegment(rows);
        const segment = new RegistrationSegment(bytes);
        expect([...segment.rows]).toEqual(sorted);
        expect(segment.count).toBe(rows.length);
        expect(segment.clients).toEqual([...new Set(sorted.map(({ client }) => client))]);
        expect(hexOf(encodeRegistrationSegment(rows.toReversed()))).toBe(hexOf(bytes));
      }),
    );
  });

  it('has the documented bytes', () => {
    const bytes = encodeRegistrationSegment([
      row({ op: 'addOwn', version: 258 }),
      row({ client: 'beta/x', from: 82_221_230_000, to: 82_221_230_099, op: 'remove', version: 3 }),
    ]);
    const words = new Uint32Array(bytes.buffer, 0, 12);
    expect([...words]).toEqual([
      ...[0x3147474e, 2, 2, 17],
      ...[82, 15_881_234, 258, 1 * 2 ** 30],
      ...[822, 21_230_000, 3, 2 * 2 ** 30 + 99 * 2 ** 16 + 1],
    ]);
    expect(new TextDecoder().decode(bytes.subarray(48))).toBe('acme/main\nbeta/x\n');
  });

  it('accepts as many rows as the limit, and no more', () => {
    const rows = Array.from({ length: REGISTRATION_SEGMENT_ROWS_MAX + 1 }, (_, index) =>
      row({ client: `acme/${index}` }),
    );
    expect(new RegistrationSegment(encodeRegistrationSegment(rows.slice(1))).count).toBe(rows.length - 1);
    expect(() => encodeRegistrationSegment(rows)).toThrow(RangeError);
  });

  it.each<[string, RegistrationRow[]]>([
    ['two rows of one client and range', [row(), row({ op: 'remove', version: 2 })]],
    ['a client without a name', [row({ client: '' })]],
    ['a client with a line break', [row({ client: 'a\nb' })]],
    ['a range that is too long', [row({ from: 8210_0000_0000, to: 8210_0001_0000 })]],
    ['a range that ends before it starts', [row({ from: 9, to: 8 })]],
    ['a number of 16 digits', [row({ from: 1e15, to: 1e15 })]],
    ['version 0', [row({ version: 0 })]],
    ['a version above 32 bits', [row({ version: 2 ** 32 })]],
  ])('does not encode %s', (_what, rows) => {
    expect(() => encodeRegistrationSegment(rows)).toThrow(RangeError);
  });
});

describe('a damaged registration segment', () => {
  const bytes = encodeRegistrationSegment([
    row(),
    row({ from: 82_221_230_000, to: 82_221_230_099, op: 'addOwn', version: 9 }),
    row({ client: 'beta/main', op: 'remove', version: 4 }),
  ]);

  /** @returns whether the bytes opened as a segment */
  function survives({ what, bytes: damaged }: Damaged): boolean {
    let segment: RegistrationSegment;
    try {
      segment = new RegistrationSegment(damaged);
    } catch (error) {
      if (error instanceof LayoutError) return false;
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
    // A row without a binary form throws.
    encodeRegistrationSegment([...segment.rows]);
    return true;
  }

  it('survives any flipped byte and any extreme word', () => {
    expect(survives({ what: 'whole', bytes })).toBe(true);
    for (const damaged of [...flips(bytes, [1, 2, 4, 8, 16, 32, 64, 128, 255]), ...extremes(bytes)])
      survives(damaged);
  });

  it('is refused at any other length', () => {
    for (const damaged of cuts(bytes))
      expect([damaged.what, survives(damaged)]).toEqual([damaged.what, false]);
  });

  it.each<[string, (view: DataView) => void]>([
    ['another magic', (view) => view.setUint8(0, 0)],
    ['another format', (view) => view.setUint8(4, 3)],
    ['a suffix above the last', (view) => view.setUint32(20, 100_000_000, true)],
    ['a prefix above the last', (view) => view.setUint32(16, 10_000_000, true)],
    ['version 0', (view) => view.setUint32(24, 0, true)],
    ['an unknown op', (view) => view.setUint8(31, 0xc0)],
    ['a client behind the names', (view) => view.setUint8(28 + 32, 2)],
    ['too many numbers', (view) => view.setUint16(30, 10_000, true)],
    ['rows out of order', (view) => view.setUint32(16, 823, true)],
    ['names out of order', (view) => view.setUint8(64, 'z'.charCodeAt(0))],
    ['names that are not UTF-8', (view) => view.setUint8(64, 0xff)],
    ['an empty name', (view) => view.setUint8(64, 10)],
  ])('is refused with %s', (_what, damage) => {
    const damaged = bytes.slice();
    damage(new DataView(damaged.buffer));
    expect(() => new RegistrationSegment(damaged)).toThrow(LayoutError);
  });
});
