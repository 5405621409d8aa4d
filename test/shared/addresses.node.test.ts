/** Address ranges in every spelling, compared with Node's `BlockList`, and refused ranges. */
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatRange, isInRange, parseAddress, parseRange } from '../../shared/addresses.ts';

const v4 = fc.ipV4();
/** Node also accepts zones, which only mean something on one machine. */
const v6 = fc.ipV6();
const canonical = (text: string): string => {
  const parsed = parseRange(text);
  return parsed.ok ? formatRange(parsed.value) : parsed.message;
};
/** The address with the bits after the prefix cleared. */
const network = (address: string, prefix: number): string => {
  const written = canonical(`${address}/${prefix}`);
  return /^must be (\S+): /.exec(written)?.[1] ?? written;
};

describe('an address', () => {
  test('is accepted exactly if Node accepts it', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'0123456789abcdf:.%/ '), maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(v4, v6, nearly), (text) => {
        expect(parseAddress(text) !== null).toBe(isIP(text) !== 0 && !text.includes('%'));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', '::1%eth0', ':::', '1::2::3', '::g', '1:2'])(
    '%j is none',
    (text) => {
      expect(parseAddress(text)).toBeNull();
    },
  );
});

describe('a range', () => {
  test('has exactly the addresses that it has for Node', () => {
    const families = fc.oneof(
      fc.tuple(v4, fc.integer({ min: 8, max: 32 }), v4),
      fc.tuple(v6, fc.integer({ min: 16, max: 128 }), v6),
    );
    fc.assert(
      fc.property(families, ([address, prefix, other]) => {
        const range = parseRange(network(address, prefix));
        if (!range.ok) return;
        const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
        const list = new BlockList();
        list.addSubnet(address, prefix, family);
        expect(isInRange(parseAddress(address)!, range.value)).toBe(true);
        expect(isInRange(parseAddress(other)!, range.value)).toBe(list.check(other, family));
      }),
      { numRuns: 3_000 },
    );
  });

  test('has one canonical form, which is read back as the same range', () => {
    fc.assert(
      fc.property(v6, fc.integer({ min: 16, max: 128 }), (address, prefix) => {
        const text = network(address, prefix);
        if (!parseRange(text).ok) return;
        expect(canonical(text)).toBe(text);
        expect(isIP(text.split('/')[0]!)).not.toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['203.0.113.7', '203.0.113.7/32'],
    ['::FFFF:203.0.113.0/120', '203.0.113.0/24'],
    ['::ffff:cb00:7100/120', '203.0.113.0/24'],
    ['2001:0DB8:0:0:0:0:0:0/32', '2001:db8::/32'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1/128'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['::1', '::1/128'],
  ])('%s is written %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  test.each(['0.0.0.0/0', '::/0', '::/16', '::ffff:0:0/96', '::ffff:0:0/90', '8.0.0.0/7', '2000::/15'])(
    '%s covers too much',
    (text) => {
      expect(canonical(text)).toMatch(
        /^must not cover more than \/8 for IPv4 and \/16 for IPv6: leave it out/,
      );
    },
  );

  test('with bits behind its prefix is refused with the range that was meant', () => {
    expect(canonical('203.0.113.7/24')).toBe('must be 203.0.113.0/24: the address has bits after the prefix');
  });

  test.each(['', '/24', '203.0.113.0/33', '203.0.113.0/024', '203.0.113.0/24/1', 'office', '::1/129'])(
    '%j is none',
    (text) => {
      expect(canonical(text)).toBe('must be a range such as 203.0.113.0/24 or 2001:db8::/32');
    },
  );

  test('of IPv4 has the address in both spellings', () => {
    const range = parseRange('203.0.113.0/24');
    const has = (text: string): boolean => range.ok && isInRange(parseAddress(text)!, range.value);
    expect(
      ['203.0.113.9', '::ffff:203.0.113.9', '::ffff:cb00:7109', '203.0.114.9', '::cb00:7109'].map(has),
    ).toEqual([true, true, true, false, false]);
  });
});
