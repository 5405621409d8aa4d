/**
 * Text risk: the cost to read, score and fingerprint a text, false matches and recall of fingerprints, and recall of a model
 * that is trained on English text messages.
 */
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/table.ts';
import { textBundle } from './text-bundle.ts';
import { textCost } from './text-cost.ts';
import { textEdge } from './text-edge.ts';
import { textEnglish } from './text-english.ts';
import { textMatches } from './text-matches.ts';
import { textTraining } from './text-training.ts';

export async function textBench(options: BenchOptions): Promise<Row[]> {
  return [
    ...(await textCost(options)),
    ...(await textMatches(options)),
    ...(await textEnglish(options)),
    ...(await textTraining(options)),
    ...(await textEdge(options)),
    ...(await textBundle()),
  ];
}
