/**
 * Recall on English text messages (UCI), cross-validated over groups of near-duplicates, against fastText and bogofilter on the
 * same folds. Also measures the recall that obfuscating the detected spam costs.
 */
import { corpusOf, distinctTexts } from '../../cli/text/corpus.ts';
import { fitWeights, spamOf } from '../../cli/text/fit.ts';
import { NO_DOMAIN } from '../../cli/text/labelled-text.ts';
import { LEARN_DEFAULTS } from '../../cli/text/learn.ts';
import { smallestRate } from '../../cli/text/proportion.ts';
import { marginOf, type QuantisedWeights } from '../../cli/text/quantise.ts';
import { foldsOf } from '../../cli/text/split.ts';
import { featuresOf } from '../../shared/text/features.ts';
import { readText } from '../../shared/text/text.ts';
import { OBFUSCATIONS, type Obfuscation, obfuscate } from '../lib/obfuscated-texts.ts';
import type { BenchOptions } from '../lib/options.ts';
import { recallAt, recallDifference } from '../lib/paired-bootstrap.ts';
import { randomFrom } from '../lib/random-lists.ts';
import { englishMessages } from '../lib/real-texts.ts';
import { type Row, row, withCommas } from '../lib/table.ts';
import { bogofilterScores, type FoldedTexts, fastTextScores, type PeerScores } from '../lib/text-peers.ts';

/** 2^17 weights of one byte each. */
const BITS = 17;
const KIB = 128;
const FOLDS = 10;
const FOLDS_SMALL = 3;
/** With `--small`, every n-th text is used. */
const STEP_SMALL = 4;
const LOSS_MAX = 2;

export async function textEnglish({ seed, small }: BenchOptions): Promise<Row[]> {
  const { messages, folded, models, groups, ours } = await crossValidated(seed, small);
  const peers = [fastTextScores(folded, KIB), bogofilterScores(folded)].filter((peer) => peer !== null);
  const legitimate = folded.isSpam.filter((isSpam) => isSpam === 0).length;
  const lowest = smallestRate(legitimate);
  const what = `${withCommas(messages.length - legitimate)} spam, ${withCommas(legitimate)} legitimate, ${folded.folds} folds`;
  const rates: readonly (readonly [string, number])[] = [
    ['1 %', 0.01],
    [`${(100 * lowest).toFixed(3)} %, the lowest that they show`, lowest],
  ];
  return [
    ...rates.map(([name, rate]) =>
      compare(`text: English, recall at ${name} (${what})`, { ours, peers, rate, folded, groups, seed }),
    ),
    ...obfuscated(folded, ours, models, seed),
  ];
}

async function crossValidated(seed: number, small: boolean) {
  const given = englishMessages()
    .filter((_, index) => !small || index % STEP_SMALL === 0)
    .map((message) => ({ ...message, at: null, domain: NO_DOMAIN, campaign: null }));
  const { texts: messages } = distinctTexts(given);
  const corpus = await corpusOf(messages, BITS);
  const folds = small ? FOLDS_SMALL : FOLDS;
  const indices = Uint32Array.from(messages.keys());
  const foldOf = foldsOf(corpus, indices, folds, seed);
  const isSpam = spamOf(corpus);
  const folded: FoldedTexts = { texts: messages.map(({ text }) => text), isSpam, foldOf, folds };
  const models: QuantisedWeights[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const learnt = indices.filter((index) => foldOf[index] !== fold);
    models.push(await fitWeights(corpus, isSpam, learnt, { ...LEARN_DEFAULTS, bits: BITS, seed }));
  }
  const ours = Float64Array.from(indices, (at) => marginOf(models[foldOf[at]!]!, corpus.vectors.row(at)));
  return { messages, folded, models, groups: corpus.groups, ours };
}

interface Comparison {
  readonly ours: Float64Array;
  readonly peers: readonly PeerScores[];
  readonly rate: number;
  readonly folded: FoldedTexts;
  readonly groups: Uint32Array;
  readonly seed: number;
}

/** Recall of numgate's model, as a ratio to that of the best peer. */
function compare(measurement: string, { ours, peers, rate, folded, groups, seed }: Comparison): Row {
  const { isSpam } = folded;
  const each = new Float64Array(isSpam.length).fill(1);
  const recall = recallAt({ scores: ours, isSpam }, rate, each);
  const theirs = peers.map(({ name, scores, kib }) => {
    const found = recallAt({ scores, isSpam }, rate, each);
    const [low, high] = recallDifference({ scores: ours, isSpam }, { scores, isSpam }, rate, groups, seed);
    const size = Number.isNaN(kib) ? '' : `, ${Math.ceil(kib)} KiB`;
    return {
      found,
      text: `${name}${size} ${percent(found)} %, difference ${percent(low)} to ${percent(high)} points`,
    };
  });
  const best = Math.max(...theirs.map(({ found }) => found));
  return row(
    measurement,
    100 * recall,
    `% with ${KIB} KiB`,
    theirs.map(({ text }) => text).join('; '),
    theirs.length === 0 ? null : recall / best,
    theirs.length === 0 ? null : { atLeast: 1 },
  );
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

/** Of the spam that is found at 1 %, the share whose variants are missed. English has no variant in Korean jamo. */
function obfuscated(
  folded: FoldedTexts,
  ours: Float64Array,
  models: readonly QuantisedWeights[],
  seed: number,
): Row[] {
  const { texts, isSpam, foldOf } = folded;
  const legitimate = ours.filter((_, at) => isSpam[at] === 0).sort();
  const limit = legitimate[legitimate.length - 1 - Math.floor(0.01 * legitimate.length)]!;
  const found = [...texts.keys()].filter((at) => isSpam[at] === 1 && ours[at]! > limit);
  return OBFUSCATIONS.filter((kind) => kind !== 'jamo').map((kind: Obfuscation) => {
    const random = randomFrom(seed);
    const lost = found.filter((at) => {
      const variant = readText(obfuscate(texts[at]!, kind, random));
      return marginOf(models[foldOf[at]!]!, featuresOf(variant, BITS).buckets) <= limit;
    });
    return row(
      `text: English, recall lost to ${kind}`,
      (100 * lost.length) / found.length,
      '%',
      `${withCommas(found.length)} spam found at 1 %`,
      null,
      LOSS_MAX,
    );
  });
}
