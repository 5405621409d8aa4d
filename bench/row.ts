/** One line of a benchmark: a figure, its baseline from the same run, and its target. */
import Table from 'cli-table3';

export interface Row {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  /** The baseline, measured or computed in the same run. */
  readonly peer: string;
  /** figure / peer, or null if there is no peer. */
  readonly ratio: number | null;
  /** The target in words, for the ratio or, if there is none, for the figure. Null if there is no target. */
  readonly reach: string | null;
  readonly pass: boolean;
}

/** A lower bound. */
export interface AtLeast {
  readonly atLeast: number;
}

export function atLeast(bound: number): AtLeast {
  return { atLeast: bound };
}

/** @param reach target of the ratio, or of the figure if there is no ratio; a number is an upper bound */
export function row(
  name: string,
  figure: number,
  unit: string,
  peer: string,
  ratio: number | null,
  reach: number | AtLeast | null,
): Row {
  const base = { name, figure, unit, peer, ratio };
  if (reach === null) return { ...base, reach, pass: true };
  const reached = ratio ?? figure;
  return typeof reach === 'number'
    ? { ...base, reach: `≤ ${short(reach)}`, pass: reached <= reach }
    : { ...base, reach: `≥ ${short(reach.atLeast)}`, pass: reached >= reach.atLeast };
}

/** Three significant digits, without exponent. */
export function short(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

export const COLUMNS = ['what', 'figure', 'unit', 'against', 'ratio', 'reach', ''] as const;

/** The cells of a row, in column order. */
export function cellsOf({ name, figure, unit, peer, ratio, reach, pass }: Row): string[] {
  const verdict = reach === null ? '' : pass ? 'pass' : 'FAIL';
  return [name, short(figure), unit, peer, ratio === null ? '' : short(ratio), reach ?? '', verdict];
}

export function tableOf(rows: readonly Row[]): string {
  const table = new Table({
    head: [...COLUMNS],
    colAligns: ['left', 'right', 'left', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const each of rows) table.push(cellsOf(each));
  return table.toString();
}
