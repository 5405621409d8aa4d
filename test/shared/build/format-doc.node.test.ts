/** docs/format.md agrees with the code: its constants, its worked example, its sizes, and the tests that it names. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bestRice, encodeDense } from '../../../shared/build/dense-section.ts';
import { encodeSparse } from '../../../shared/build/sparse-section.ts';
import * as layout from '../../../shared/set/layout.ts';
import shards from '../../vectors/shards.json' with { type: 'json' };
import texts from '../../vectors/text.json' with { type: 'json' };
import { randomFrom } from '../numbers/random.ts';
import { entropyBits } from '../support/entropy.ts';
import { randomSuffixes } from '../support/random-set.ts';
import { testKeys } from '../support/test-keys.ts';

const root = new URL('../../../', import.meta.url);
const text = readFileSync(new URL('docs/format.md', root), 'utf8');
const constants = new Map<string, number>(Object.entries(layout));
const UNIVERSE = 100_000_000;

const rows = (pattern: RegExp): string[][] => [...text.matchAll(pattern)].map((match) => match.slice(1));

const sizes = rows(/^\| ([\d,]+)\s+\| ([\d.]+)\s+\| ([\d.]+)\s+\| ([\d.]+) %\s+\|/gm);

describe('docs/format.md', () => {
  it('has the constants of the code', () => {
    const written = rows(/^\| `([A-Z_0-9]+)`\s+\| (\S+)\s+\|/gm);
    expect(written.length).toBeGreaterThan(15);
    for (const [name, value] of written) expect([name, constants.get(name!)]).toEqual([name, Number(value)]);
  });

  it('has the bytes of golden vectors as its worked examples', () => {
    const blocks = rows(/```hex\n([\s\S]*?)```/g).map(([block]) =>
      block!.split('\n').flatMap((line) => line.split(/ {2,}/)[0]!.match(/[0-9a-f]{8}/g) ?? []),
    );
    expect(blocks.map((words) => words.join(''))).toEqual([shards.shards[0]!.hex, texts.hosts.hex]);
  });

  it('has the key id and an image under the test key', () => {
    expect(text).toContain(`\`${testKeys.keyId}\``);
    expect(text).toContain(`suffix 0 has the image ${testKeys.permutation.permute(0)}`);
  });

  it('names only files that exist', () => {
    const paths = rows(/`((?:test|shared|docs)\/[\w./-]+\.(?:ts|json|md))`/g).flat();
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths) expect([path, existsSync(new URL(path, root))]).toEqual([path, true]);
  });

  it('quotes only test names that exist', () => {
    const quoted = rows(/`(test\/[\w./-]+)`\s+\("([^"]+)"\)/g);
    expect(quoted.length).toBeGreaterThan(1);
    for (const [path, name] of quoted)
      expect(readFileSync(new URL(path!, root), 'utf8')).toContain(`'${name}'`);
  });

  it('has the code bits of a bucket, and the cost of single numbers', () => {
    expect(sizes).toHaveLength(5);
    const [[bucketBits]] = rows(/a width of about (\d+)\s+code bits/g) as [[string]];
    const width = encodeDense(
      Uint32Array.from({ length: 1_000 }, (_, index) => index * 100),
      100_000,
    )[2]!;
    expect((width / 100) * bestRice(1_000, 100_000).bitsPerEntry).toBeCloseTo(Number(bucketBits), -1);
    const [[single]] = rows(/cost about (\d+) bits each/g) as [[string]];
    const below = randomFrom(1);
    const keys = Float64Array.from({ length: 50_000 }, (_, prefix) => prefix * UNIVERSE + below(UNIVERSE));
    const section = encodeSparse(keys);
    expect(Math.round((section.length * 32) / keys.length)).toBe(Number(single));
  });

  it.each(sizes)('has the size of %s numbers', (...row) => {
    const [count, bound, size, over] = row.map((cell) => Number(cell.replaceAll(',', ''))) as [
      number,
      number,
      number,
      number,
    ];
    // Uses a tenth of the numbers in a tenth of the suffixes, because the bits per number depend only on the density.
    const share = count < 5_000_000 ? 1 : 10;
    const suffixes = randomSuffixes(randomFrom(count), count / share, UNIVERSE / share);
    const bits = (encodeDense(suffixes, UNIVERSE / share).length * 32) / suffixes.length;
    const least = entropyBits(count, UNIVERSE) / count;
    expect(least).toBeCloseTo(bound, 2);
    expect(Math.abs(bits - size)).toBeLessThan(0.011);
    expect(Math.abs((bits / least - 1) * 100 - over)).toBeLessThan(0.15);
  });
});
