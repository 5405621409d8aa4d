/** Formats the results of a training or an evaluation for people. */
import { MODEL_BITS_MIN } from '../../shared/limits/text.ts';
import type { ModelFacts } from '../../shared/text/text-manifest.ts';
import { count, counted, percent } from '../terminal/figures.ts';
import { formatTable } from '../terminal/table.ts';
import type { Comparison } from './comparison.ts';
import { type BandCounts, type RecallAtRate, type Share, shareOf } from './evaluation.ts';
import { letterNames } from './letter-names.ts';
import { formatThresholds } from './text-report.ts';
import type { TopFeature } from './top-features.ts';
import type { Evaluation, Trained } from './train.ts';

/** Size of the weights of the smallest model, in KiB. */
const KIB_MIN = 2 ** (MODEL_BITS_MIN - 10);

export function formatModel({ name, bits, thresholds, trained }: ModelFacts): string {
  const kib = KIB_MIN * 2 ** (bits - MODEL_BITS_MIN);
  const dates =
    trained.from === null ? '' : `, of ${trained.from.slice(0, 10)} to ${trained.to!.slice(0, 10)}`;
  return (
    `model ${name}: ${count(kib)} KiB, learnt from ${texts(trained.spam, 'spam')} and ` +
    `${texts(trained.legitimate, 'legitimate')}${dates}\n` +
    `thresholds: ${formatThresholds(thresholds)}\n`
  );
}

function texts(many: number, label: string): string {
  return counted(many, `${label} text`);
}

export function formatTraining(trained: Trained): string {
  const { groups, distinct, cut, testTexts, evaluation, crossValidated, features } = trained;
  const { repeats, contradictions } = distinct;
  const kept = cut === null ? 'chosen by hash' : `groups that began at ${cut} or later`;
  return [
    formatModel(trained.model.facts),
    `left out: ${counted(repeats, 'repeat')}, and ${counted(contradictions, 'text')} with both labels\n`,
    `${counted(groups, 'group')} of near-duplicates; each group is used either to learn or to evaluate, never for both\n`,
    `\nevaluated on ${counted(testTexts.length, 'text')} that it did not learn from (${kept})\n`,
    formatEvaluation(evaluation),
    '\nrecall of spam in the cross-validation that chose the thresholds\n',
    formatRecalls(crossValidated),
    '\nfeatures with the largest weights, named after the most frequent feature of their bucket. Names are pieces of training texts\n',
    formatFeatures(features),
  ].join('');
}

export function formatEvaluation({ spam, domains, recalls, months }: Evaluation): string {
  const rows = [
    ['spam', spam.texts, ...bandCells(spam)],
    ...domains.map((domain) => [`legitimate: ${domain.domain}`, domain.texts, ...bandCells(domain)]),
  ];
  const bands = formatTable(['at its thresholds', 'texts#', 'review or suspicious', 'suspicious'], rows);
  return `${bands}\nrecall of spam at false-positive rates\n${formatRecalls(recalls)}${formatMonths(months)}`;
}

function bandCells({ texts, review, suspicious }: BandCounts): [string, string] {
  return [formatShare(shareOf(review, texts)), formatShare(shareOf(suspicious, texts))];
}

/** `12 (1.2 %, 0.7 to 2.1 %)` */
function formatShare({ found, of, low, high }: Share): string {
  if (of === 0) return 'no texts';
  return `${count(found)} (${percent(found / of)}, ${Number((low * 100).toFixed(2))} to ${percent(high)})`;
}

export function formatRecalls(recalls: readonly RecallAtRate[]): string {
  return formatTable(
    ['rate', 'legitimate texts', 'texts#', 'recall, 95 % interval (Wilson)'],
    recalls.map(({ rate, domain, texts, smallestRate, recall }) => [
      ...[percent(rate), domain ?? 'every domain', texts],
      recall === null
        ? `not shown: ${counted(texts, 'text')} cannot show a rate below ${percent(smallestRate)} (3/n)`
        : formatShare(recall),
    ]),
  );
}

/** Formats how the shares move with time. A model that finds less spam each month needs newer texts. */
function formatMonths(months: Evaluation['months']): string {
  if (months.length < 2) return '';
  const rows = months.map(({ month, spam, legitimate }) => [
    ...[month, spam.texts, formatShare(shareOf(spam.suspicious, spam.texts))],
    ...[legitimate.texts, formatShare(shareOf(legitimate.suspicious, legitimate.texts))],
  ]);
  return `\ndrift: suspicious texts by month (Asia/Seoul)\n${formatTable(['month', 'spam#', 'suspicious', 'legitimate#', 'suspicious'], rows)}`;
}

function formatFeatures(features: readonly TopFeature[]): string {
  return formatTable(
    ['weight#', 'feature', 'training texts#'],
    features.map(({ weight, name, texts }) => [weight, letterNames(name), texts]),
  );
}

export function formatComparison({ name, leftOut, recalls, bands }: Comparison): string {
  const differences = formatTable(
    ['rate', 'recall', `recall of ${name}`, 'difference, 95 % interval'],
    recalls.map(({ rate, recall, other, difference: { difference, low, high } }) => [
      ...[percent(rate), formatShare(recall), formatShare(other)],
      `${points(difference)} (${points(low)} to ${points(high)}) points`,
    ]),
  );
  const rows = [
    ['spam', bands.spam.texts, ...bandCells(bands.spam)],
    ...bands.domains.map((each) => [`legitimate: ${each.domain}`, each.texts, ...bandCells(each)]),
  ];
  const without =
    leftOut === null
      ? `, some of which ${name} may have learnt from`
      : `, without ${counted(leftOut, 'text')} that ${name} learnt from`;
  return (
    `\ncompared with ${name} on the same texts${without}\n` +
    (recalls.length === 0 ? 'there are too few texts for any of the rates\n' : differences) +
    formatTable([`${name}, at its thresholds`, 'texts#', 'review or suspicious', 'suspicious'], rows)
  );
}

function points(difference: number): string {
  return `${difference > 0 ? '+' : ''}${Number((100 * difference).toFixed(2))}`;
}
