/** Compares two models on the same texts: which spam each finds at a false-positive rate, and at its own thresholds. */
import { TextModel } from '../../shared/text/model.ts';
import type { Interval } from '../../shared/wilson.ts';
import {
  type Bands,
  bandsOf,
  limitFor,
  RATES,
  type ScoredTexts,
  type Share,
  scoresByDomain,
  shareOf,
} from './evaluation.ts';
import type { LabelledText } from './labelled-text.ts';
import type { TrainedModel } from './model-folder.ts';
import { isSupported, pairedDifference } from './proportion.ts';
import { scoreTexts } from './train.ts';

export interface RecallDifference {
  readonly rate: number;
  readonly recall: Share;
  readonly other: Share;
  /** Difference of the recalls, with its 95 % interval. Above 0, the first model finds more. */
  readonly difference: Interval & { readonly difference: number };
}

export interface Comparison {
  /** Name of the other model. */
  readonly name: string;
  /** Number of texts that were left out, because the other model learnt from them; null if its texts are unknown. */
  readonly leftOut: number | null;
  /** Recalls at the threshold of the worst domain, without rates that a domain is too small for. */
  readonly recalls: readonly RecallDifference[];
  /** Bands of the other model, at its own thresholds. */
  readonly bands: Bands;
}

/** @param texts that neither model was trained on */
export function compareModels(
  model: TrainedModel,
  other: TrainedModel,
  texts: readonly LabelledText[],
  leftOut: number | null,
): Comparison {
  const [ours, theirs] = [model, other].map(({ bytes }) => scoreTexts(new TextModel(bytes), texts)) as [
    ScoredTexts,
    ScoredTexts,
  ];
  return {
    ...{ name: other.facts.name, leftOut, recalls: differencesAt(ours, theirs) },
    bands: bandsOf(theirs, other.facts.thresholds),
  };
}

/** @param second scores of the same texts */
export function differencesAt(first: ScoredTexts, second: ScoredTexts): RecallDifference[] {
  const domains = scoresByDomain(first);
  const supported = RATES.filter((rate) =>
    [...domains.values()].every((scores) => isSupported(rate, scores.length)),
  );
  return supported.map((rate) => {
    const [ours, theirs] = [first, second].map((scored) => foundAt(scored, rate)) as [boolean[], boolean[]];
    const countOf = (found: (at: number) => boolean): number => ours.filter((_, at) => found(at)).length;
    const onlyOurs = countOf((at) => ours[at]! && !theirs[at]!);
    const onlyTheirs = countOf((at) => !ours[at]! && theirs[at]!);
    return {
      rate,
      recall: shareOf(
        countOf((at) => ours[at]!),
        ours.length,
      ),
      other: shareOf(
        countOf((at) => theirs[at]!),
        ours.length,
      ),
      difference: pairedDifference(onlyOurs, onlyTheirs, ours.length),
    };
  });
}

/** For each spam text, in order, whether its score is above the limit of every domain. */
function foundAt(scored: ScoredTexts, rate: number): boolean[] {
  const limit = Math.max(...[...scoresByDomain(scored).values()].map((scores) => limitFor(scores, rate)));
  return Array.from(
    scored.scores.filter((_, at) => scored.isSpam[at] === 1),
    (score) => score > limit,
  );
}
