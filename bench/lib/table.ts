/** The table of a benchmark: each row is a measurement, its baseline from the same run, and its target. */
import Table from 'cli-table3';

export interface Row {
  readonly measurement: string;
  readonly figure: number;
  readonly unit: string;
  /** The baseline, measured or computed in the same run. Empty if there is none. */
  readonly baseline: string;
  /** figure / baseline, or null if there is no baseline to divide by. */
  readonly ratio: number | null;
  /** The target in words: of the ratio, or of the figure if there is no ratio. Null if there is no target. */
  readonly target: string | null;
  readonly pass: boolean;
}

/** @param target of the ratio, or of the figure if there is no ratio; a number is an upper bound */
export function row(
  measurement: string,
  figure: number,
  unit: string,
  baseline = '',
  ratio: number | null = null,
  target: number | { readonly atLeast: number } | null = null,
): Row {
  const base = { measurement, figure, unit, baseline, ratio };
  if (target === null) return { ...base, target, pass: true };
  const value = ratio ?? figure;
  return typeof target === 'number'
    ? { ...base, target: `≤ ${short(target)}`, pass: value <= target }
    : { ...base, target: `≥ ${short(target.atLeast)}`, pass: value >= target.atLeast };
}

/** Three significant digits, without an exponent. */
export function short(value: number): string {
  return value >= 1000 ? withCommas(Math.round(value)) : String(Number(value.toPrecision(3)));
}

export function withCommas(value: number): string {
  return value.toLocaleString('en');
}

export const COLUMNS = ['measurement', 'figure', 'unit', 'baseline', 'ratio', 'target', ''] as const;

/** The cells of a row, in column order. */
export function cellsOf({ measurement, figure, unit, baseline, ratio, target, pass }: Row): string[] {
  const result = target === null ? '' : pass ? 'pass' : 'FAIL';
  return [
    measurement,
    short(figure),
    unit,
    baseline,
    ratio === null ? '' : short(ratio),
    target ?? '',
    result,
  ];
}

export function formatTable(rows: readonly Row[]): string {
  const table = new Table({
    head: [...COLUMNS],
    colAligns: ['left', 'right', 'left', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const each of rows) table.push(cellsOf(each));
  return table.toString();
}
