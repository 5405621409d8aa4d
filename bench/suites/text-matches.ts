/**
 * What fingerprints match: no text that only resembles an enrolled one in the words that everybody uses, and most edited
 * copies of an enrolled text.
 */
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/table.ts';

export function textMatches(_options: BenchOptions): Row[] {
  return [];
}
