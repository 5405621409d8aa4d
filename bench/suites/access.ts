/** The cost of counting usage, detecting enumeration and auditing, and what they reveal. Each area prints its own rows. */
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
