/**
 * `numgate text evaluate`: evaluates a model on labelled texts that it did not learn from. With `--folds`, it instead
 * cross-validates new models of the same size on these texts.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { FOLDS_MAX, FOLDS_MIN } from '../../shared/limits/text-training.ts';
import { TextModel } from '../../shared/text/model.ts';
import { unwrap } from '../failure.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import type { Comparison } from '../text/comparison.ts';
import { distinctTexts } from '../text/corpus.ts';
import { bandsOf, monthsOf, recallsAt } from '../text/evaluation.ts';
import type { LabelledText } from '../text/labelled-text.ts';
import { readModelFolder, type TrainedModel } from '../text/model-folder.ts';
import { formatComparison, formatEvaluation, formatModel, formatRecalls } from '../text/report.ts';
import { checkTexts, crossValidateTexts, type Evaluation, scoreTexts } from '../text/train.ts';
import { notTrainedOn } from '../text/trained-on.ts';
import { examples, wholeNumber } from './options.ts';
import {
  addTextInputOptions,
  checkLabels,
  compareWith,
  type OtherModel,
  otherModels,
  readTexts,
  type TextInputOptions,
} from './text-inputs.ts';

interface EvaluateOptions extends TextInputOptions {
  readonly folds?: number;
}

export function addTextEvaluate(text: Command): void {
  const command = text
    .command('evaluate')
    .description('evaluate a model on labelled texts that it did not learn from')
    .argument('<folder>', 'folder that text train wrote')
    .argument('<file...>', 'texts with labels: .csv with a header, or .ndjson')
    .option(
      '--folds <n>',
      'cross-validate instead: train models of the same size on the other folds of these texts',
      foldsOf,
    );
  addTextInputOptions(command)
    .addHelpText(
      'after',
      `
Texts that the model learnt from are left out. Omits rates that need more texts than there are: with no false positive
among n texts, the true rate can still be 3/n.`,
    )
    .addHelpText(
      'after',
      examples('text evaluate models/may june.csv', 'text evaluate models/may june.csv --in-force'),
    )
    .action(async (folder: string, files: string[], options: EvaluateOptions) => {
      const model = readModelFolder(folder);
      const others = await otherModels(options);
      const { texts } = distinctTexts(await readTexts(files, options));
      unwrap(checkTexts(texts, options.oneDomain));
      if (options.folds !== undefined) print(...(await crossValidated(model, texts, options.folds)));
      else print(...evaluated(folder, model, texts, others));
    });
}

function evaluated(
  folder: string,
  model: TrainedModel,
  texts: readonly LabelledText[],
  others: readonly OtherModel[],
): Report {
  const fresh = notTrainedOn(folder, texts);
  checkLabels(fresh, `the model of ${folder} learnt from the others`);
  const scored = scoreTexts(new TextModel(model.bytes), fresh);
  const { thresholds } = model.facts;
  const evaluation: Evaluation = {
    ...bandsOf(scored, thresholds),
    ...{ recalls: recallsAt(scored), months: monthsOf(scored, thresholds) },
  };
  const comparisons = compareWith(others, model, fresh);
  const leftOut = texts.length - fresh.length;
  return [
    formatModel(model.facts) +
      formatLeftOut(fresh, leftOut) +
      formatEvaluation(evaluation) +
      formatAll(comparisons),
    { model: model.facts, evaluated: fresh.length, leftOut, ...evaluation, comparisons },
  ];
}

function formatLeftOut(texts: readonly LabelledText[], leftOut: number): string {
  const without = leftOut === 0 ? '' : `, without ${count(leftOut)} that the model learnt from`;
  return `evaluated on ${counted(texts.length, 'distinct text')}${without}\n\n`;
}

function formatAll(comparisons: readonly Comparison[]): string {
  return comparisons.map(formatComparison).join('');
}

async function crossValidated(
  { facts: { bits } }: TrainedModel,
  texts: readonly LabelledText[],
  folds: number,
): Promise<Report> {
  const progress = startProgress('training');
  const recalls = unwrap(
    await crossValidateTexts(texts, { bits, seed: 1, folds }, (step, share) =>
      progress.update(share, step),
    ).finally(() => progress.stop()),
  );
  return [
    `${counted(texts.length, 'distinct text')}, each scored by a model of ${count(2 ** bits)} buckets that learnt from the other ` +
      `folds of ${folds}\nrecall of spam at false-positive rates\n${formatRecalls(recalls)}`,
    { texts: texts.length, folds, bits, recalls },
  ];
}

function foldsOf(text: string): number {
  const value = wholeNumber(text);
  if (value < FOLDS_MIN || value > FOLDS_MAX)
    throw new InvalidArgumentError(`must be a whole number from ${FOLDS_MIN} to ${FOLDS_MAX}`);
  return value;
}
