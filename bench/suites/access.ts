/**
 * What it costs to know who does what, and what it shows. Each area prints rows of its own.
 */
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/table.ts';
import { enumerationRows } from './enumeration.ts';
import { evidenceRows } from './evidence.ts';
import { usageRows } from './usage.ts';

export async function accessBench(options: BenchOptions): Promise<Row[]> {
  return [
    ...(await usageRows(options)),
    ...(await enumerationRows(options)),
    ...(await evidenceRows(options)),
  ];
}
