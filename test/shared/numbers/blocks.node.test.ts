/** The whole ranges in `data/kr-unallocated.csv`: none of them may count as in use. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { countWholeBlocks, isTooWide } from '../../../shared/numbers/blocks.ts';

const rows = readFileSync(new URL('../../../data/kr-unallocated.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(',')[0]!);

it.each(rows)('%s is not in use', (row) => {
  const [from, to] = row.split('..').map(Number);
  expect(countWholeBlocks(from!, to!)).toBe(0);
  expect(isTooWide(from!, to!)).toBe(false);
});

it('has rows', () => {
  expect(rows.length).toBeGreaterThan(50);
});
