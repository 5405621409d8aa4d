/**
 * One line of a benchmark: a figure, what it is held against in the same run, and what it must reach.
 */
import Table from 'cli-table3';

export interface Row {
  readonly name: string;
  readonly figure: number;
  readonly unit: string;
  /** What it is compared with, measured or computed in the same run. */
  readonly peer: string;
  /** figure / peer, or null where there is no peer. */
  readonly ratio: number | null;
  /** What the ratio (or the figure, where there is none) may be at most; null where nothing is promised. */
  readonly reach: number | null;
  readonly pass: boolean;
}

/** @param reach bound of the ratio, or of the figure if there is no ratio */
export function row(
  name: string,
  figure: number,
  unit: string,
  peer: string,
  ratio: number | null,
  reach: number | null,
): Row {
  return { name, figure, unit, peer, ratio, reach, pass: reach === null || (ratio ?? figure) <= reach };
}

/** Three significant digits, without exponent. */
function short(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

export function tableOf(rows: readonly Row[]): string {
  const table = new Table({
    head: ['what', 'figure', 'unit', 'against', 'ratio', 'reach', ''],
    colAligns: ['left', 'right', 'left', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { name, figure, unit, peer, ratio, reach, pass } of rows) {
    const verdict = reach === null ? '' : pass ? 'pass' : 'FAIL';
    const bound = reach === null ? '' : `≤ ${short(reach)}`;
    table.push([name, short(figure), unit, peer, ratio === null ? '' : short(ratio), bound, verdict]);
  }
  return table.toString();
}
