/** `numgate text train`: trains a model on labelled texts, chooses its thresholds, and evaluates it on held-out texts. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { MODEL_BITS_MAX, MODEL_BITS_MIN } from '../../shared/limits/text.ts';
import { FOLDS_MAX, FOLDS_MIN } from '../../shared/limits/text-training.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { CommandFailure, unwrap } from '../failure.ts';
import { unfinishedFolder } from '../temporary.ts';
import { print, type Report } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { shellWord } from '../terminal/shell-word.ts';
import type { Comparison } from '../text/comparison.ts';
import { writeModelFolder } from '../text/model-folder.ts';
import { formatComparison, formatTraining } from '../text/report.ts';
import { SPLITS, type SplitBy } from '../text/split.ts';
import { TARGET_DEFAULTS } from '../text/thresholds.ts';
import { type Trained, type TrainSettings, train } from '../text/train.ts';
import { writeTrainedOn } from '../text/trained-on.ts';
import { examples, wholeNumber } from './options.ts';
import {
  addTextInputOptions,
  compareWith,
  otherModels,
  readTexts,
  type TextInputOptions,
} from './text-inputs.ts';

/** A model of 2^17 buckets has 128 KiB. */
const BITS = 17;
const FOLDS = 5;
const HELD_OUT = 0.2;
/** Both parts of a split need texts. */
const HELD_OUT_MAX = 0.5;
const RATE_MAX = 0.2;

interface TrainOptions extends TextInputOptions {
  readonly out?: string;
  readonly name: string;
  readonly bits: number;
  readonly seed: number;
  readonly folds: number;
  readonly heldOut: number;
  readonly split: SplitBy;
  readonly reviewRate: number;
  readonly suspiciousRate: number;
}

export function addTextTrain(text: Command): void {
  const command = text
    .command('train')
    .description('train a model on labelled texts, choose its thresholds, and evaluate it')
    .argument('<file...>', 'texts with labels: .csv with a header, or .ndjson')
    .option('--out <folder>', 'new folder for the model and its report (required)')
    .addOption(
      new Option('--name <name>', 'name of the model, as responses show it')
        .argParser(nameOf)
        .default(`model-${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`),
    )
    .option(
      '--bits <n>',
      `number of buckets as a power of two, ${MODEL_BITS_MIN} to ${MODEL_BITS_MAX}; 17 makes a model of 128 KiB`,
      between(MODEL_BITS_MIN, MODEL_BITS_MAX),
      BITS,
    )
    .option('--seed <n>', 'the same seed and texts give the same model', between(0, 2 ** 32 - 1), 1)
    .option('--folds <n>', 'folds of the cross-validation', between(FOLDS_MIN, FOLDS_MAX), FOLDS)
    .option(
      '--held-out <share>',
      'share of the texts that is held out for the evaluation',
      shareUpTo(HELD_OUT_MAX),
      HELD_OUT,
    )
    .addOption(
      new Option(
        '--split <how>',
        'how texts are held out: the latest texts (if texts have dates), or by hash',
      )
        .choices(SPLITS)
        .default('time'),
    )
    .option(
      '--review-rate <share>',
      'share of the legitimate texts of each domain that may be in "review" or above',
      shareUpTo(RATE_MAX),
      TARGET_DEFAULTS.review,
    )
    .option(
      '--suspicious-rate <share>',
      'share of the legitimate texts of each domain that may be "suspicious"',
      shareUpTo(RATE_MAX),
      TARGET_DEFAULTS.suspicious,
    );
  addTextInputOptions(command)
    .addHelpText(
      'after',
      `
Columns or fields: "text", "label" (spam or legitimate), and, if known, "date" (RFC 3339), "domain" of legitimate text, such
as delivery or reviews, and "campaign". Near-duplicates and texts of one campaign are used either to learn or to evaluate,
never for both. The texts stay on this machine, but the report contains pieces of them.`,
    )
    .addHelpText(
      'after',
      examples('text train texts.csv --out models/may', 'text train spam.csv other.ndjson --out models/may'),
    )
    .action(async (files: string[], options: TrainOptions) => {
      const out = newFolder(options.out);
      const { reviewRate: review, suspiciousRate: suspicious } = options;
      if (suspicious > review)
        throw new CommandFailure('--suspicious-rate must not be above --review-rate', 2);
      const others = await otherModels(options);
      const texts = await readTexts(files, options);
      const settings: TrainSettings = {
        ...options,
        ...{ splitBy: options.split, targets: { review, suspicious } },
      };
      const progress = startProgress('training');
      const trained = unwrap(
        await train(texts, settings, (step, share) => progress.update(share, step)).finally(() =>
          progress.stop(),
        ),
      );
      const comparisons = compareWith(others, trained.model, trained.testTexts);
      const report = reportOf(trained, comparisons);
      writeModel(out, trained, settings, report);
      print(
        `${report[0]}\nwritten to ${out}; next: npx numgate text build --model ${shellWord(out)}\n` +
          '  with --keep-hosts, the build keeps the host lists of the text release in force\n',
        report[1],
      );
    });
}

function reportOf(trained: Trained, comparisons: readonly Comparison[]): Report {
  const { model, trainTexts, testTexts, ...found } = trained;
  return [
    formatTraining(trained) + comparisons.map(formatComparison).join(''),
    { model: model.facts, learnt: trainTexts.length, evaluated: testTexts.length, ...found, comparisons },
  ];
}

/** Writes a temporary folder, and renames it, so that a command that dies leaves no folder with this name. */
function writeModel(out: string, trained: Trained, settings: TrainSettings, [text, report]: Report): void {
  mkdirSync(dirname(out), { recursive: true });
  const unfinished = unfinishedFolder(dirname(out));
  const remove = (): void => rmSync(unfinished, { recursive: true, force: true });
  process.once('exit', remove);
  const { seed, folds, heldOut, splitBy, targets } = settings;
  writeModelFolder(unfinished, trained.model, { training: { seed, folds, heldOut, splitBy, targets } });
  writeTrainedOn(unfinished, trained.trainTexts);
  writeFileSync(join(unfinished, 'report.txt'), text);
  writeFileSync(join(unfinished, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  // An empty folder with this name is replaced.
  renameSync(unfinished, out);
  process.off('exit', remove);
}

function newFolder(path: string | undefined): string {
  if (path === undefined) throw new CommandFailure("required option '--out <folder>' not specified", 2);
  const out = resolve(path);
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new CommandFailure(`${path} already exists: name a new folder with --out, or remove it`);
  return out;
}

function nameOf(text: string): string {
  if (!NAME_PATTERN.test(text))
    throw new InvalidArgumentError('must have only lower case letters, digits and dashes, at most 63');
  return text;
}

function between(low: number, high: number) {
  return (text: string): number => {
    const value = wholeNumber(text);
    if (value < low || value > high)
      throw new InvalidArgumentError(`must be a whole number from ${low} to ${high}`);
    return value;
  };
}

function shareUpTo(most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/\d/.test(text) || !(value > 0 && value <= most))
      throw new InvalidArgumentError(`must be a share above 0, at most ${most}`);
    return value;
  };
}
