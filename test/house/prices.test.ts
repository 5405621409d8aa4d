/**
 * The price of a billion verdicts in docs/operations.md, recomputed from the price list. Only the CPU time of
 * a verdict is measured, and every other figure of the table follows from it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cellsOf } from '../../bench/lib/table.ts';
import { priceRows, REQUEST_TYPES } from '../../bench/suites/price.ts';
import { usageCostRows } from '../../bench/suites/usage.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const page = read('docs/operations.md');

/** The cells of the table that a bench has printed, without the header row. */
function tableOf(bench: string): string[][] {
  const [, block] = page.split(`npm run bench -- ${bench}\n\`\`\`\n\`\`\`text\n`);
  const lines = block!.slice(0, block!.indexOf('```')).split('\n');
  const rows = lines.filter((line) => line.startsWith('│')).slice(1);
  return rows.map((line) =>
    line
      .split('│')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the price of a billion verdicts in docs/operations.md', () => {
  it('follows from the price list and the measured CPU time', () => {
    const table = tableOf('price');
    const recomputed = Object.entries(REQUEST_TYPES).flatMap(([type, perRequest]) => {
      const [, cpuUs] = table.find(([name, , unit]) => name!.endsWith(`, ${type}`) && unit === 'µs CPU')!;
      return priceRows(type, perRequest, Number(cpuUs));
    });
    expect(table).toEqual(recomputed.map(cellsOf));
  });

  it('has the cost of counting, which follows from the price list and the bounds', () => {
    const counts = tableOf('access').filter(([name]) => name!.startsWith('counts of'));
    expect(counts).toEqual(usageCostRows().map(cellsOf));
  });

  it('names the cost of propagation and of pushes as their tables have it', () => {
    const isolates = '100,000 isolates';
    const month = tableOf('propagation').find(([name]) => name === `${isolates}, healthy: cost per month`)!;
    expect(page).toContain(`$${month[1]} a month until changes are visible in ${isolates}`);
    const [, pushes] = /^\| \*\*512 KiB\*\*(?: \| [^|]*){4} \| \*\*([\d.]+)\*\* \|/m.exec(
      read('docs/performance.md'),
    )!;
    expect(page).toMatch(new RegExp(`\\$${pushes}\\s+for a push every day`));
  });
});
