/** Who may do what: the figures of counting and of the detection of enumeration. */
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/table.ts';
import { enumerationRows } from './enumeration.ts';

export async function accessBench(options: BenchOptions): Promise<Row[]> {
  return [...(await enumerationRows(options))];
}
