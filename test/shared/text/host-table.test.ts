/** The table of listed hosts, compared with a plain map, and damaged tables. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOST_LISTS_MAX, HOSTS_MAX } from '../../../shared/limits/text.ts';
import { LayoutError } from '../../../shared/set/number-set.ts';
import { encodeHosts, HostTable, type ListedHost, parentsOf } from '../../../shared/text/host-table.ts';
import vectors from '../../vectors/text.json' with { type: 'json' };
import { fromHex, hexOf } from '../support/bytes.ts';
import { cuts, type Damaged, extremes, flips } from '../support/damage.ts';
import { naiveHostTable } from '../support/naive-text.ts';
import { holds } from '../support/properties.ts';

const LISTS = 4;
/** Few labels, so that hosts have listed parents, children and neighbours. */
const host = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'evil', 'xn--bj0bj06e', 'co', 'kr', 'com'), {
    minLength: 1,
    maxLength: 5,
  })
  .map((labels) => labels.join('.'));
const rowsOf = fc.uniqueArray(fc.record({ host, list: fc.integer({ min: 0, max: LISTS - 1 }) }), {
  maxLength: 60,
  selector: (row) => `${row.host} ${row.list}`,
});

/** The lists of the longest listed parent, found by trying all parents. */
function plainLists(rows: readonly ListedHost[], name: string): number[] {
  const labels = name.split('.');
  for (let skipped = 0; skipped < labels.length; skipped++) {
    const parent = labels.slice(skipped).join('.');
    const lists = rows.filter((row) => row.host === parent).map(({ list }) => list);
    if (lists.length > 0) return lists.sort((a, b) => a - b);
  }
  return [];
}

describe('the host table', () => {
  it('finds what a plain map finds', () => {
    holds(
      fc.property(rowsOf, fc.array(host, { maxLength: 20 }), (rows, others) => {
        const table = new HostTable(encodeHosts(rows), LISTS);
        expect(table.count).toBe(rows.length);
        for (const name of [...others, ...rows.flatMap((row) => [row.host, `x.${row.host}`, `x${row.host}`])])
          expect(table.listsOf(name).sort((a, b) => a - b)).toEqual(plainLists(rows, name));
      }),
      { numRuns: 300 },
    );
  });

  it('has the bytes of the naive encoder, whatever the order of the rows', () => {
    holds(
      fc.property(rowsOf, (rows) => {
        const bytes = encodeHosts(rows);
        expect(hexOf(bytes)).toBe(hexOf(naiveHostTable(rows)));
        expect(encodeHosts(rows.toReversed())).toEqual(bytes);
        expect([...new HostTable(bytes, LISTS).rows()]).toEqual(
          rows.toSorted((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.list - b.list)),
        );
      }),
    );
  });

  it('has the documented bytes', () => {
    expect(hexOf(encodeHosts(vectors.hosts.rows))).toBe(vectors.hosts.hex);
  });

  it('finds a listed host below any number of labels', () => {
    const table = new HostTable(encodeHosts([{ host: 'evil.com', list: 0 }]), 1);
    expect(table.listsOf(`${'a.'.repeat(120)}evil.com`)).toEqual([0]);
    expect(table.listsOf('notevil.com')).toEqual([]);
    expect(table.listsOf('evil.com.kr')).toEqual([]);
    expect(table.listsOf('')).toEqual([]);
  });

  it('finds each of many hosts, and no other', () => {
    const rows = Array.from({ length: HOSTS_MAX }, (_, at) => ({
      host: `h${at}.example`,
      list: at % HOST_LISTS_MAX,
    }));
    const table = new HostTable(encodeHosts(rows), HOST_LISTS_MAX);
    for (const row of rows) if (table.listsOf(`www.${row.host}`)[0] !== row.list) expect.fail(row.host);
    for (let at = 0; at < HOSTS_MAX; at++)
      if (table.listsOf(`x${at}.example`).length > 0) expect.fail(`x${at}`);
  });

  it.each([
    [
      'two equal rows',
      [
        { host: 'a.kr', list: 0 },
        { host: 'a.kr', list: 0 },
      ],
    ],
    ['a capital', [{ host: 'A.kr', list: 0 }]],
    ['no host', [{ host: '', list: 0 }]],
    ['a line feed', [{ host: 'a\n.kr', list: 0 }]],
    ['too many labels', [{ host: `${'a.'.repeat(10)}kr`, list: 0 }]],
    ['too many characters', [{ host: 'a'.repeat(254), list: 0 }]],
    ['a list too many', [{ host: 'a.kr', list: HOST_LISTS_MAX }]],
  ])('is not written with %s', (_what, rows) => {
    expect(() => encodeHosts(rows)).toThrow(RangeError);
  });

  it('is not written with more hosts than fit', () => {
    const rows = Array.from({ length: HOSTS_MAX + 1 }, (_, at) => ({ host: `${at}`, list: 0 }));
    expect(() => encodeHosts(rows)).toThrow(RangeError);
  });
});

describe('the parents of a host', () => {
  it('are its last labels, the longest first', () => {
    expect(parentsOf('a.b.example')).toEqual(['a.b.example', 'b.example', 'example']);
    expect(parentsOf('a.b.c.evil.com', 2)).toEqual(['evil.com', 'com']);
    expect(parentsOf('.com')).toEqual(['.com', 'com']);
    expect(parentsOf('')).toEqual(['']);
  });
});

describe('a damaged host table', () => {
  const bytes = fromHex(vectors.hosts.hex);
  const names = vectors.hosts.rows.flatMap((row) => [row.host, `www.${row.host}`, 'other.example']);

  /** @returns whether it was accepted */
  function survive({ what, bytes: damaged }: Damaged): boolean {
    try {
      const table = new HostTable(damaged, 3);
      for (const name of names)
        for (const list of table.listsOf(name))
          if (!(list >= 0 && list < 3)) expect.fail(`${what}: list ${list}`);
      if ([...table.rows()].length !== table.count) expect.fail(`${what}: other rows`);
      return true;
    } catch (error) {
      if (error instanceof LayoutError) return false;
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
  }

  it('survives any flipped byte and any extreme word', () => {
    for (const damaged of [...flips(bytes, [1, 4, 10, 32, 128, 255]), ...extremes(bytes)]) survive(damaged);
  });

  it('is refused at any other length', () => {
    for (const damaged of cuts(bytes)) expect(survive(damaged), damaged.what).toBe(false);
  });

  it('is refused if one host has many rows', () => {
    const count = 1_000;
    const words = new Uint32Array(4 + count + count / 2);
    words.set(new Uint32Array(bytes.buffer.slice(0, 8)));
    words.set([count, count * 2], 2);
    for (let row = 0; row < count; row++) words[4 + row] = row * 2;
    new Uint8Array(words.buffer).set(new TextEncoder().encode('a\n'.repeat(count)), (4 + count) * 4);
    expect(() => new HostTable(new Uint8Array(words.buffer), 1)).toThrow('rows out of order');
  });
});
