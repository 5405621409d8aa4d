/**
 * Trains a model. A part of the texts, the latest where they have dates, is held out for the evaluation. The model is trained
 * on the others: cross-validation over groups of near-duplicates calibrates the scores and chooses the thresholds, so that
 * neither is chosen on the texts that the evaluation counts.
 */
import { TEXT_DOMAINS_MAX, TRAINING_LABEL_MIN } from '../../shared/limits/text-training.ts';
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import { TextModel } from '../../shared/text/model.ts';
import { readText } from '../../shared/text/text.ts';
import type { ModelFacts } from '../../shared/text/text-manifest.ts';
import { counted } from '../terminal/figures.ts';
import { type Corpus, corpusOf, type DistinctTexts, distinctTexts } from './corpus.ts';
import {
  type Bands,
  bandsOf,
  type MonthBands,
  monthsOf,
  type RecallAtRate,
  recallsAt,
  type ScoredTexts,
} from './evaluation.ts';
import { crossValidate, encodeFitted, fitWeights, probabilityOf, spamOf } from './fit.ts';
import type { LabelledText } from './labelled-text.ts';
import { LEARN_DEFAULTS } from './learn.ts';
import type { TrainedModel } from './model-folder.ts';
import { checkFolds, foldsOf, type SplitBy, splitOff } from './split.ts';
import { checkDomains, chooseThresholds, type TargetRates } from './thresholds.ts';
import { type TopFeature, topFeatures } from './top-features.ts';

export interface TrainSettings {
  readonly name: string;
  readonly bits: number;
  readonly seed: number;
  readonly folds: number;
  /** Share of the texts that is held out for the evaluation. */
  readonly heldOut: number;
  readonly splitBy: SplitBy;
  readonly targets: TargetRates;
  /** Whether legitimate texts of one domain are enough. */
  readonly oneDomain: boolean;
}

export interface Evaluation extends Bands {
  readonly recalls: readonly RecallAtRate[];
  readonly months: readonly MonthBands[];
}

export interface Trained {
  readonly model: TrainedModel;
  readonly evaluation: Evaluation;
  /** Recall in the texts that the model learnt from, pooled over the folds of the cross-validation. */
  readonly crossValidated: readonly RecallAtRate[];
  readonly features: readonly TopFeature[];
  readonly groups: number;
  readonly distinct: Omit<DistinctTexts, 'texts'>;
  /** Texts from this time on are held out, RFC 3339; null if the texts were not split by time. */
  readonly cut: string | null;
  readonly trainTexts: readonly LabelledText[];
  readonly testTexts: readonly LabelledText[];
}

export type TrainProblem =
  | 'ONE_LABEL'
  | 'ONE_DOMAIN'
  | 'DOMAINS_TOO_MANY'
  | 'TEXTS_TOO_FEW'
  | 'GROUPS_TOO_FEW'
  | 'SAMPLE_TOO_SMALL'
  | 'NOT_SEPARABLE';

/** @param onProgress called with the current step, and its share */
export async function train(
  given: readonly LabelledText[],
  settings: TrainSettings,
  onProgress: (step: string, share: number) => void = () => undefined,
): Promise<Result<Trained, Failure<TrainProblem>>> {
  const { name, bits, seed, folds, heldOut, splitBy, targets } = settings;
  const { texts, ...distinct } = distinctTexts(given);
  const checked = checkTexts(texts, settings.oneDomain);
  if (!checked.ok) return checked;
  const corpus = await corpusOf(texts, bits, (share) => onProgress('reading features', share));
  const split = splitOff(corpus, heldOut, splitBy, seed);
  if (!split.ok) return split;
  const { train: learnt, test, cut } = split.value;
  const learning = { ...LEARN_DEFAULTS, bits, seed };
  let fitted = 0;
  const onFold = (): void => onProgress('training', ++fitted / (folds + 1));
  // Check the domains before anything that takes long.
  const sized = checkDomains(domainSizes(corpus, learnt), targets);
  if (!sized.ok) return sized;
  const dealt = foldsOf(corpus, learnt, folds, seed);
  const folded = checkFolds(corpus, learnt, dealt);
  if (!folded.ok) return folded;
  const validated = await crossValidate(corpus, learnt, dealt, learning, onFold);
  const scored = scoredTexts(corpus, learnt, validated.logOdds.map(probabilityOf));
  const thresholds = chooseThresholds(scored, targets);
  if (!thresholds.ok) return thresholds;
  const weights = await fitWeights(corpus, spamOf(corpus), learnt, learning);
  const bytes = encodeFitted({ ...weights, factor: validated.factor, offset: validated.offset }, bits);
  onFold();
  const trainTexts = Array.from(learnt, (index) => texts[index]!);
  const testTexts = Array.from(test, (index) => texts[index]!);
  const tested = scoreTexts(new TextModel(bytes), testTexts);
  const bands = bandsOf(tested, thresholds.value);
  const facts: ModelFacts = {
    ...{ name, bits, thresholds: thresholds.value, trained: trainedFacts(trainTexts) },
    ...{ domains: [...bands.domains], spam: bands.spam },
  };
  return ok({
    model: { facts, bytes },
    evaluation: { ...bands, recalls: recallsAt(tested), months: monthsOf(tested, thresholds.value) },
    crossValidated: recallsAt(scored),
    features: topFeatures(weights.weights, bits, trainTexts),
    groups: new Set(corpus.groups).size,
    distinct,
    cut: cut === null ? null : timeOf(cut),
    ...{ trainTexts, testTexts },
  });
}

/** Cross-validation of these texts: the recall of models that each learn from the other folds. */
export async function crossValidateTexts(
  texts: readonly LabelledText[],
  { bits, seed, folds }: Pick<TrainSettings, 'bits' | 'seed' | 'folds'>,
  onProgress: (step: string, share: number) => void = () => undefined,
): Promise<Result<RecallAtRate[], Failure<'GROUPS_TOO_FEW'>>> {
  const corpus = await corpusOf(texts, bits, (share) => onProgress('reading features', share));
  const indices = Uint32Array.from(texts.keys());
  let fitted = 0;
  const onFold = (): void => onProgress('training', ++fitted / folds);
  const dealt = foldsOf(corpus, indices, folds, seed);
  const folded = checkFolds(corpus, indices, dealt);
  if (!folded.ok) return folded;
  const { logOdds } = await crossValidate(corpus, indices, dealt, { ...LEARN_DEFAULTS, bits, seed }, onFold);
  return ok(recallsAt(scoredTexts(corpus, indices, logOdds)));
}

/** Whether the texts can train and evaluate a model at all. */
export function checkTexts(
  texts: readonly LabelledText[],
  oneDomain: boolean,
): Result<null, Failure<'ONE_LABEL' | 'ONE_DOMAIN' | 'DOMAINS_TOO_MANY' | 'TEXTS_TOO_FEW'>> {
  const legitimate = texts.filter(({ isSpam }) => !isSpam);
  const counts = { spam: texts.length - legitimate.length, legitimate: legitimate.length };
  for (const [label, many] of Object.entries(counts)) {
    if (many === 0)
      return fail(
        'ONE_LABEL',
        `no text has the label "${label}": a model needs both labels. Add a file that has such texts`,
      );
    if (many < TRAINING_LABEL_MIN)
      return fail(
        'TEXTS_TOO_FEW',
        `only ${counted(many, 'distinct text')} with the label "${label}", but ${TRAINING_LABEL_MIN} are needed: add texts`,
      );
  }
  const domains = new Set(legitimate.map(({ domain }) => domain));
  if (domains.size > TEXT_DOMAINS_MAX)
    return fail(
      'DOMAINS_TOO_MANY',
      `${domains.size} domains, but at most ${TEXT_DOMAINS_MAX} are allowed: merge some`,
    );
  if (domains.size === 1 && !oneDomain)
    return fail(
      'ONE_DOMAIN',
      `all legitimate texts are of the domain "${[...domains][0]}". A threshold that fits one kind of legitimate text marks ` +
        'other kinds as spam (alerts and delivery notices are not written like reviews), and a single domain cannot show that. ' +
        'Add legitimate texts of other domains, with the column "domain", or accept this with --one-domain',
    );
  return ok(null);
}

/** Number of legitimate texts of each domain. */
function domainSizes({ texts }: Corpus, indices: Uint32Array): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const index of indices) {
    const { isSpam, domain } = texts[index]!;
    if (!isSpam) sizes.set(domain, (sizes.get(domain) ?? 0) + 1);
  }
  return new Map([...sizes].sort());
}

/** Scores texts with the model itself, as an edge would. */
export function scoreTexts(model: TextModel, texts: readonly LabelledText[]): ScoredTexts {
  return scoredOf(
    texts,
    Float64Array.from(texts, ({ text }) => model.score(readText(text)).score),
  );
}

function scoredTexts({ texts }: Corpus, indices: Uint32Array, scores: Float64Array): ScoredTexts {
  return scoredOf(
    Array.from(indices, (index) => texts[index]!),
    scores,
  );
}

function scoredOf(texts: readonly LabelledText[], scores: Float64Array): ScoredTexts {
  return {
    ...{ scores, isSpam: spamOf({ texts }) },
    domains: texts.map(({ domain }) => domain),
    times: texts.map(({ at }) => at),
  };
}

function trainedFacts(texts: readonly LabelledText[]): ModelFacts['trained'] {
  const spam = texts.filter(({ isSpam }) => isSpam).length;
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { at } of texts) {
    if (at === null) continue;
    from = Math.min(from, at);
    to = Math.max(to, at);
  }
  const isDated = from <= to;
  return {
    ...{ spam, legitimate: texts.length - spam },
    ...{ from: isDated ? timeOf(from) : null, to: isDated ? timeOf(to) : null },
  };
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
