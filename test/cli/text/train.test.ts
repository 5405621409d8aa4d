/** `numgate text train` and `evaluate` on real texts, their bad inputs, and what is left if they are interrupted. */

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { sampleRows } from '../../../cli/commands/text-sample.ts';
import { readModelFolder } from '../../../cli/text/model-folder.ts';
import { csvLine } from '../../../shared/csv.ts';
import { TRAINING_LABEL_MIN } from '../../../shared/limits/text-training.ts';
import { TextModel } from '../../../shared/text/model.ts';
import { readText } from '../../../shared/text/text.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { numgate, start } from '../support/command.ts';
import { FOLDER, write } from '../support/workspace.ts';

type Row = ReturnType<typeof sampleRows>[number] & { readonly date?: string };

/** Rates that some hundred texts of a domain can show, and a small model. */
const OPTIONS = ['--bits', '14', '--folds', '3', '--review-rate', '0.05', '--suspicious-rate', '0.02'];
/** Processor time after which a command is training, in ticks of a hundredth of a second: it has loaded long before. */
const TRAINING_TICKS = 200;

function file(name: string, rows: readonly Row[]): string {
  const lines = rows.map(({ text, label, domain, date = '' }) => `${csvLine([text, label, domain, date])}\n`);
  return write(name, `text,label,domain,date\n${lines.join('')}`);
}

const everyRow = sampleRows();
const rows: readonly Row[] = everyRow.filter(
  ({ domain }, index) =>
    domain !== 'korean-reviews' && index % (domain === 'english-messages' ? 4 : 12) === 0,
);
let texts: string;
let model: string;

interface TrainReport {
  readonly model: { readonly thresholds: { readonly review: number; readonly suspicious: number } };
  readonly evaluation: {
    readonly spam: { readonly texts: number; readonly review: number; readonly suspicious: number };
    readonly recalls: readonly { readonly rate: number; readonly recall: object | null }[];
  };
  readonly learnt: number;
  readonly evaluated: number;
  readonly groups: number;
  readonly features: readonly { readonly name: string; readonly weight: number; readonly texts: number }[];
}

async function json<Value>(...args: readonly string[]): Promise<Value> {
  const { code, out, errors } = await numgate(...args, '--json');
  expect([code, errors]).toEqual([0, '']);
  return JSON.parse(out) as Value;
}

let report: TrainReport;

beforeAll(async () => {
  texts = file('texts.csv', rows);
  model = join(FOLDER, 'models', 'first');
  report = await json<TrainReport>('text', 'train', texts, '--out', model, '--name', 'first', ...OPTIONS);
});

describe('text train', () => {
  it('makes a model that finds most of the spam that it did not learn from', () => {
    const { spam } = report.evaluation;
    expect(spam.texts).toBeGreaterThan(20);
    expect(spam.suspicious / spam.texts).toBeGreaterThan(0.75);
    expect(report.learnt + report.evaluated).toBeLessThanOrEqual(rows.length);
    expect(report.evaluated / report.learnt).toBeCloseTo(0.25, 1);
  });

  it('reports the counts that the model itself gives, and thresholds that it reads', () => {
    const { facts, bytes } = readModelFolder(model);
    const scorer = new TextModel(bytes);
    const suspicious = (isSpam: boolean): number =>
      new Set(
        rows
          .filter(({ label }) => (label === 'spam') === isSpam)
          .map(({ text }) => text)
          .filter((text) => scorer.score(readText(text)).score >= facts.thresholds.suspicious),
      ).size;
    // On all texts, it finds at least what it found in the part that was held out.
    expect(suspicious(true)).toBeGreaterThanOrEqual(facts.spam.suspicious);
    const held = facts.domains.reduce((sum, each) => sum + each.suspicious, 0);
    expect(suspicious(false)).toBeGreaterThanOrEqual(held);
    expect(facts.thresholds).toEqual(report.model.thresholds);
    expect(facts.domains.map(({ domain }) => domain)).toEqual(['english-messages', 'korean-comments']);
  });

  it('gives the same bytes for the same texts and seed, and others for another seed', async () => {
    const [again, other] = [join(FOLDER, 'models', 'again'), join(FOLDER, 'models', 'other')];
    await json('text', 'train', texts, '--out', again, '--name', 'first', ...OPTIONS);
    await json('text', 'train', texts, '--out', other, '--name', 'first', '--seed', '2', ...OPTIONS);
    const content = (folder: string) =>
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]);
    expect(content(again)).toEqual(content(model));
    expect(readFileSync(join(other, 'model.bin')).equals(readFileSync(join(model, 'model.bin')))).toBe(false);
  });

  it('names its strongest features by pieces of several training texts', () => {
    const [first] = report.features;
    expect(first!.weight).toBeGreaterThan(0);
    expect(report.features.at(-1)!.weight).toBeLessThan(0);
    for (const { name, texts } of report.features) {
      expect(texts).toBeGreaterThanOrEqual(3);
      expect(name.length).toBeGreaterThanOrEqual(3);
    }
  });

  it('shows no rate that the texts cannot show', () => {
    const shown = report.evaluation.recalls.filter(({ recall }) => recall !== null);
    expect(shown.map(({ rate }) => rate)).not.toContain(0.0001);
    expect(readFileSync(join(model, 'report.txt'), 'utf8')).toMatch(
      /0\.01 %.*not shown: .* can show no rate below/,
    );
  });

  it('trains on what came first and evaluates what came later, if texts have dates', async () => {
    // In March, April and May, in the order of the file.
    const dated = rows.map((row, index) => ({
      ...row,
      date: `2026-0${3 + Math.floor((3 * index) / rows.length)}-${String(1 + (index % 28)).padStart(2, '0')}`,
    }));
    // The order of the file is by domain; dates are not.
    const spread = dated.map((row, index) => ({ ...row, date: dated[(index * 37) % dated.length]!.date }));
    const out = join(FOLDER, 'models', 'dated');
    const { cut, evaluation } = await json<{ cut: string; evaluation: { months: { month: string }[] } }>(
      ...['text', 'train', file('dated.csv', spread), '--out', out, '--held-out', '0.5', ...OPTIONS],
    );
    expect(cut).toMatch(/^2026-0[45]-/);
    expect(evaluation.months.map(({ month }) => month)).toContain('2026-05');
    expect(evaluation.months.map(({ month }) => month)).not.toContain('2026-03');
    const { trained } = readModelFolder(out).facts;
    expect(trained.from!.slice(0, 7)).toBe('2026-02');
    expect(readFileSync(join(out, 'report.txt'), 'utf8')).toContain('drift: suspicious texts by month');
  });
});

describe('text evaluate', () => {
  it('leaves out what the model learnt from', async () => {
    const { evaluated, leftOut } = await json<{ evaluated: number; leftOut: number }>(
      'text',
      'evaluate',
      model,
      texts,
    );
    expect(leftOut).toBeGreaterThanOrEqual(report.learnt);
    // Near-duplicates are estimated by then.
    expect(evaluated).toBeGreaterThan(0.95 * report.evaluated);
    expect(evaluated + leftOut).toBe(report.learnt + report.evaluated);
  });

  it('finds in other texts what train found, and compares with another model on the same texts', async () => {
    const other = join(FOLDER, 'models', 'against');
    await json('text', 'train', texts, '--out', other, '--name', 'other', '--seed', '3', ...OPTIONS);
    const { spam, comparisons } = await json<{
      spam: TrainReport['evaluation']['spam'];
      comparisons: { name: string; leftOut: number; recalls: { rate: number; recall: { of: number } }[] }[];
    }>('text', 'evaluate', model, texts, '--against', other);
    expect(spam.texts).toBeLessThanOrEqual(report.evaluation.spam.texts);
    expect(spam.suspicious / spam.texts).toBeCloseTo(
      report.evaluation.spam.suspicious / report.evaluation.spam.texts,
      1,
    );
    const [comparison] = comparisons;
    expect(comparison!.name).toBe('other');
    expect(comparison!.leftOut).toBeGreaterThan(0);
    for (const { recall } of comparison!.recalls) expect(recall.of).toBeLessThan(spam.texts);
  });

  it('cross-validates on the texts alone', async () => {
    const { recalls } = await json<{
      recalls: { domain: string | null; rate: number; recall: { found: number; of: number } | null }[];
    }>(...['text', 'evaluate', model, texts, '--folds', '2']);
    const english = recalls.find(({ domain, rate }) => domain === 'english-messages' && rate === 0.01);
    expect(english!.recall!.found / english!.recall!.of).toBeGreaterThan(0.7);
  });

  it('prints tables for people', async () => {
    const { code, out } = await numgate('text', 'evaluate', model, texts);
    expect(code).toBe(0);
    expect(out).toContain('model first: 16 KiB');
    expect(out).toMatch(/legitimate: korean-comments/);
    expect(out).toContain('every domain');
  });
});

describe('bad texts for training', () => {
  const out = (): string => join(FOLDER, 'models', 'never');
  const spam = rows.filter(({ label }) => label === 'spam');
  const legitimate = rows.filter(({ label }) => label === 'legitimate');

  async function refusal(given: readonly Row[], ...options: readonly string[]): Promise<string> {
    const { code, errors } = await numgate(
      'text',
      'train',
      file('bad.csv', given),
      '--out',
      out(),
      ...options,
    );
    expect(code).toBe(1);
    expect(existsSync(out())).toBe(false);
    return errors;
  }

  it('without one of the labels are refused', async () => {
    expect(await refusal(spam)).toMatch(
      /no text has the label "legitimate": a model needs both\. Add a file/,
    );
    expect(await refusal(legitimate)).toMatch(/no text has the label "spam"/);
  });

  it('that are too few are refused', async () => {
    const few = await refusal([...spam.slice(0, 10), ...legitimate]);
    expect(few).toContain(
      `only 10 distinct texts with the label "spam", and ${TRAINING_LABEL_MIN} are needed`,
    );
  });

  it('of one domain are refused, with the reason and the option that accepts it', async () => {
    const english = rows.filter(({ domain }) => domain === 'english-messages');
    const message = await refusal(english, ...OPTIONS);
    expect(message).toMatch(/all legitimate texts are of the domain "english-messages".*--one-domain/s);
    const accepted = join(FOLDER, 'models', 'one-domain');
    const args = ['text', 'train', file('one.csv', english), '--out', accepted, '--one-domain', ...OPTIONS];
    expect((await numgate(...args)).code).toBe(0);
  });

  it('of a domain that supports no threshold are refused, and the rate that it supports is named', async () => {
    const message = await refusal(rows, '--folds', '2', '--bits', '14');
    expect(message).toMatch(/domain "[a-z-]+" has [\d,]+ texts.*3\/n.*--suspicious-rate 0\.00\d/s);
  });

  it('are refused before anything is read, if the options are wrong', async () => {
    const usage = async (...options: readonly string[]): Promise<string> => {
      const { code, errors } = await numgate('text', 'train', texts, ...options);
      expect(code).toBe(2);
      return errors;
    };
    expect(await usage()).toContain("required option '--out <folder>' not specified");
    expect(await usage('--out', out(), '--suspicious-rate', '0.1')).toContain(
      'must not be above --review-rate',
    );
    expect(await usage('--out', out(), '--labels', 'ham=good')).toContain('ham=legitimate,1=spam');
    expect(await usage('--out', out(), '--bits', '19')).toContain('must be a whole number from 12 to 18');
    expect(await usage('--out', out(), '--held-out', '0.9')).toContain(
      'must be a share above 0, at most 0.5',
    );
    expect(await usage('--out', out(), '--name', 'My model')).toContain('only lower case letters');
  });

  it('never replace a folder', async () => {
    const { code, errors } = await numgate('text', 'train', texts, '--out', model, ...OPTIONS);
    expect(code).toBe(1);
    expect(errors).toContain('name a new folder with --out, or remove it');
  });
});

describe('an interrupted training', () => {
  const isLinux = existsSync('/proc/self/stat');

  it.runIf(isLinux)('leaves no folder after Ctrl-C', async () => {
    const folder = join(FOLDER, 'interrupted');
    mkdirSync(folder);
    const many = file(
      'many.csv',
      everyRow.filter((_, index) => index % 5 === 0),
    );
    const { child, result } = start(['text', 'train', many, '--out', join(folder, 'model')]);
    await vi.waitFor(() => expect(ticksOf(child.pid!)).toBeGreaterThan(TRAINING_TICKS), HANG_MS);
    child.kill('SIGINT');
    const { code, out } = await result;
    expect([code, out]).toEqual([130, '']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.runIf(isLinux)('leaves a whole folder or none if it is killed while it writes', async () => {
    const folder = join(FOLDER, 'killed');
    mkdirSync(folder);
    const out = join(folder, 'model');
    const { child, result } = start(['text', 'train', texts, '--out', out, ...OPTIONS]);
    await vi.waitFor(
      () => expect(readdirSync(folder).length + Number(child.exitCode !== null)).toBeGreaterThan(0),
      {
        ...{ timeout: HANG_MS, interval: 1 },
      },
    );
    child.kill('SIGKILL');
    await result;
    if (existsSync(out)) expect(readModelFolder(out).facts.bits).toBe(14);
    // What it left does not stop the next one.
    const { code } = await numgate('text', 'train', texts, '--out', `${out}-2`, ...OPTIONS);
    expect(code).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

/** Processor time of a process, in hundredths of a second (proc(5), fields 14 and 15). */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
