/** `numgate text train` and `evaluate` on real texts. */
import '../support/workspace.ts';

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readModelFolder } from '../../../cli/text/model-folder.ts';
import { TextModel } from '../../../shared/text/model.ts';
import { readText } from '../../../shared/text/text.ts';
import { numgate } from '../support/command.ts';
import { file, OPTIONS, rows } from '../support/training.ts';
import { FOLDER } from '../support/workspace.ts';

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
    // Over all texts, the model finds at least as many as it found in the held-out part.
    expect(suspicious(true)).toBeGreaterThanOrEqual(facts.spam.suspicious);
    const held = facts.domains.reduce((sum, each) => sum + each.suspicious, 0);
    expect(suspicious(false)).toBeGreaterThanOrEqual(held);
    expect(facts.thresholds).toEqual(report.model.thresholds);
    expect(facts.domains.map(({ domain }) => domain)).toEqual(['english-messages', 'korean-comments']);
  });

  it('gives the same bytes for the same texts and seed, and others for another seed', async () => {
    const [again, other] = [join(FOLDER, 'models', 'again'), join(FOLDER, 'models', 'other')];
    await json('text', 'train', texts, '--out', again, '--name', 'first', ...OPTIONS);
    await json('text', 'train', texts, '--out', other, '--name', 'other', '--seed', '2', ...OPTIONS);
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
      /0\.01 %.*not shown: .* cannot show a rate below/,
    );
  });

  it('trains on what came first and evaluates what came later, if texts have dates', async () => {
    // Dates in March, April and May, in file order.
    const dated = rows.map((row, index) => ({
      ...row,
      date: `2026-0${3 + Math.floor((3 * index) / rows.length)}-${String(1 + (index % 28)).padStart(2, '0')}`,
    }));
    // The file is ordered by domain, so spread the dates over all domains.
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

  it('never replaces a folder', async () => {
    const { code, errors } = await numgate('text', 'train', texts, '--out', model, ...OPTIONS);
    expect(code).toBe(1);
    expect(errors).toContain('name a new folder with --out, or remove it');
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
    // Near-duplicates are only estimated.
    expect(evaluated).toBeGreaterThan(0.95 * report.evaluated);
    expect(evaluated + leftOut).toBe(report.learnt + report.evaluated);
  });

  it('finds in other texts what train found, and compares with another model on the same texts', async () => {
    const other = join(FOLDER, 'models', 'other');
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
