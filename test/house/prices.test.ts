/**
 * What a billion verdicts cost in docs/operations.md against the price list and the benches: only the CPU
 * time of a verdict is as it was measured, and everything else in the table follows from it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { billionRows, CPU_UNIT, nameOf, WAYS } from '../../bench/billion.ts';
import { cellsOf } from '../../bench/row.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const page = read('docs/operations.md');

/** Cells of the table that a bench has printed. */
function tableOf(bench: string): string[][] {
  const [, block] = page.split(`npm run bench -- ${bench}\n\`\`\`\n\`\`\`text\n`);
  const lines = block!.slice(0, block!.indexOf('```')).split('\n');
  return lines
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('what a billion verdicts cost', () => {
  const table = tableOf('price').slice(1);

  it.each(Object.entries(WAYS))('follows from the price list: %s', (way, perRequest) => {
    const rows = table.filter(
      ([name]) => name === nameOf(way) || name!.startsWith(`${nameOf(way)}, nothing`),
    );
    const [cpu, ...rest] = rows;
    expect(cpu![2]).toBe(CPU_UNIT);
    expect(rest).toEqual(billionRows(way, perRequest, Number(cpu![1])).map(cellsOf));
  });

  it('has no other rows', () => {
    expect(new Set(table.map(([name]) => name!.replace(', nothing included', '')))).toEqual(
      new Set(Object.keys(WAYS).map(nameOf)),
    );
  });

  it('names the cost of propagation and of pushes as their tables have it', () => {
    const isolates = '100,000 isolates';
    const month = tableOf('propagation').find(([name]) => name === `${isolates}, healthy: cost of a month`)!;
    expect(page).toContain(`$${month[1]} a month until changes are visible in ${isolates}`);
    const [, pushes] = /^\| \*\*512 KiB\*\*(?: \| [^|]*){4} \| \*\*([\d.]+)\*\* \|/m.exec(
      read('docs/performance.md'),
    )!;
    expect(page).toMatch(new RegExp(`\\$${pushes}\\s+for a push every day`));
  });
});
