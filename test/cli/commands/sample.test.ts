/** `numgate sample`: numbers are seeded, distinct and exact in count, and a build accepts them. */
import '../support/workspace.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SAMPLE_SIZE_MAX, SEED_MAX, sample } from '../../../cli/commands/sample.ts';
import { readCatalogue } from '../../../cli/import/catalogue.ts';
import { collect } from '../../../cli/import/collect.ts';
import { pathOf } from '../support/builds.ts';
import { numgate } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { catalogue, FOLDER, SUSPENDED } from '../support/workspace.ts';

async function made(size: number, seed: number): Promise<Buffer> {
  const out = pathOf('samples', `${size}-${seed}.csv.gz`);
  await sample({ size, seed, out });
  return readFileSync(out);
}

function numbersOf(file: Buffer): string[] {
  const lines = gunzipSync(file).toString().trimEnd().split('\n').slice(1);
  return lines.map((line) => line.split(',')[0]!);
}

describe('a sample', () => {
  it('has the same bytes for the same seed, and other numbers for another seed', async () => {
    const first = await made(20_001, 1);
    expect(await made(20_001, 1)).toEqual(first);
    const others = await Promise.all([0, 2, 3, SEED_MAX].map((seed) => made(20_001, seed)));
    const texts = [first, ...others].map((file) => numbersOf(file).join());
    expect(new Set(texts).size).toBe(5);
  });

  it.each([1, 9_999, 10_000, 10_001, 300_000])(
    'of size %i has that many distinct numbers of 010',
    async (size) => {
      const numbers = numbersOf(await made(size, 7));
      expect(numbers).toHaveLength(size);
      expect(new Set(numbers).size).toBe(size);
      expect(numbers.filter((number) => !/^010[2-9]\d{7}$/.test(number))).toEqual([]);
    },
  );

  it('is accepted completely, into two lists', async () => {
    await made(20_000, 3);
    const home = { ...SUSPENDED, authority: 'sample' };
    const path = catalogue('samples/lists.json', {
      lists: [home, { ...home, name: 'terminated', reason: 'NUMBER_TERMINATED' }],
      inputs: [{ file: '20000-3.csv.gz' }],
    });
    const counts = [0, 0];
    const [report] = await collect(readCatalogue(path), {
      now: Date.UTC(2026, 10, 24) / 1000,
      onEntry: ({ list }) => counts[list]!++,
      onReject: (reject) => expect.fail(reject.message),
      onProgress: () => undefined,
    });
    expect(report).toMatchObject({ rows: 20_000, accepted: 20_000, rejected: 0, expired: 0 });
    expect(counts[0]! / 20_000).toBeCloseTo(0.7, 1);
  });

  it('leaves no partial file if it cannot be written', async () => {
    const failed = sample({ size: 10, seed: 1, out: FOLDER });
    await expect(failed).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
    expect(readdirSync(pathOf('..')).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });

  it.each([
    [{ size: 0, seed: 1 }, '--size must be a whole number from 1 to 40000000'],
    [{ size: SAMPLE_SIZE_MAX + 1, seed: 1 }, '--size'],
    [{ size: 1.5, seed: 1 }, '--size'],
    [{ size: 1, seed: SEED_MAX + 1 }, '--seed must be a whole number from 0 to 4294967295'],
  ])('rejects the settings %j', async (settings, message) => {
    const failure = await failureOf(() => sample({ ...settings, out: pathOf('none.csv.gz') }));
    expect(failure.message).toContain(message);
    expect(failure.exitCode).toBe(2);
  });

  it('is written by the command, which prints its path', async () => {
    const out = pathOf('by-command.csv.gz');
    const args = ['sample', '--size', '1_000', '--seed', '5', '--out', out];
    expect(await numgate(...args)).toEqual({ code: 0, out: `1,000 numbers in ${out}\n`, errors: '' });
    expect(JSON.parse((await numgate(...args, '--json')).out)).toEqual({ size: 1_000, seed: 5, out });
    expect(numbersOf(readFileSync(out))).toEqual(numbersOf(await made(1_000, 5)));
    expect(await numgate('sample', '--size', '0')).toMatchObject({ code: 2, out: '' });
  });
});
