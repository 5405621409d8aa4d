/**
 * Reads, scores and fingerprints texts. Each call is one turn of one kind of work, and the caller measures its processor time.
 * Each turn parses the texts from JSON, as requests do, so they are flat strings that nothing has read yet.
 */
import { deriveFingerprintKey, FINGERPRINT_VALUES, fingerprintOf } from '../../shared/text/fingerprint.ts';
import { encodeModel, TextModel } from '../../shared/text/model.ts';
import { readText } from '../../shared/text/text.ts';
import { randomFrom } from '../lib/random-lists.ts';
import type { TextLoop } from '../lib/worker-results.ts';
import { serve } from './serve.ts';

const BITS = 18;
const random = randomFrom(20_261_127);
/** The weights are random, because they do not change the cost. */
const model = new TextModel(
  encodeModel(
    { bits: BITS, bias: -2, scale: 0.02 },
    Int8Array.from({ length: 2 ** BITS }, () => (random() % 255) - 127),
  ),
);
const key = await deriveFingerprintKey(Uint8Array.from({ length: 32 }, (_, at) => at));

/** Reused for every text, as at the edge. */
const print = new Uint16Array(FINGERPRINT_VALUES);

/** The results must be used, or the engine could skip the work. */
let used = 0;

const LOOPS: Readonly<Record<TextLoop, (text: string) => number>> = {
  parse: (text) => text.length,
  normalize: (text) => text.normalize('NFKC').length,
  read: (text) => readText(text).letters.length,
  score: (text) => model.score(readText(text)).score,
  scoreAndFingerprint: (text) => {
    const read = readText(text);
    return model.score(read).score + (fingerprintOf(read, key, print)?.[0] ?? 0);
  },
};

/** JSON of the texts, by name. */
const bodies = new Map<string, string>();

export default serve({
  '/texts': (query, body) => {
    bodies.set(query.get('name')!, new TextDecoder().decode(body));
  },
  '/turn': (query) => {
    const texts = JSON.parse(bodies.get(query.get('name')!)!) as string[];
    const run = LOOPS[query.get('loop') as TextLoop];
    const passes = Number(query.get('passes'));
    for (let pass = 0; pass < passes; pass++) for (const text of texts) used += run(text);
    if (Number.isNaN(used)) throw new Error('no number came out');
  },
});
