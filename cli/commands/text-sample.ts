/**
 * `numgate text sample`: writes the texts that ship with numgate as a training file. Their only spam is English, from 2002 to
 * 2011, because no Korean set is licensed for this. The file is for trying the commands. It makes no model for Korean traffic.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { CommandFailure } from '../failure.ts';
import { TEXT_DATA } from '../paths.ts';
import { count } from '../terminal/figures.ts';
import { print } from '../terminal/output.ts';
import { examples, positiveNumber } from './options.ts';

interface SampleOptions {
  readonly out: string;
  readonly limit?: number;
}

interface SampleRow {
  readonly text: string;
  readonly label: 'spam' | 'legitimate';
  readonly domain: string;
}

export function addTextSample(text: Command): void {
  text
    .command('sample')
    .description('write the included texts as a training file: English spam, Korean comments and reviews')
    .option('--limit <rows>', 'maximum number of rows from each set, spread over the set', positiveNumber)
    .option('--out <file>', 'new CSV to write', 'build/text/sample.csv')
    .addHelpText('after', examples('text sample --limit 2000'))
    .action(({ out, limit }: SampleOptions) => {
      if (existsSync(out))
        throw new CommandFailure(`${out} already exists: name a new file with --out, or remove it`);
      const rows = sampleRows(limit);
      mkdirSync(dirname(out), { recursive: true });
      writeFileSync(`${out}.new`, csvOf(rows));
      renameSync(`${out}.new`, out);
      const spam = rows.filter(({ label }) => label === 'spam').length;
      const texts = `${count(spam)} spam and ${count(rows.length - spam)} legitimate texts in ${out}`;
      print(`${texts}\n  the spam is English: train on texts of your own before you use a model\n`, {
        ...{ out, spam, legitimate: rows.length - spam },
      });
    });
}

/** @param limit maximum rows of each set; all by default */
export function sampleRows(limit = Number.POSITIVE_INFINITY): SampleRow[] {
  const messages = linesOf('uci-sms-spam.tsv').map((line): SampleRow => {
    const tab = line.indexOf('\t');
    const label = line.slice(0, tab) === 'spam' ? 'spam' : 'legitimate';
    return { text: line.slice(tab + 1), label, domain: 'english-messages' };
  });
  const comments = ['kote-test.tsv', 'kote-val.tsv'].flatMap(linesOf).map(
    (line): SampleRow => ({
      ...{ text: line.split('\t')[1]!, label: 'legitimate', domain: 'korean-comments' },
    }),
  );
  const reviews = linesOf('nsmc-reviews.txt').map(
    (text): SampleRow => ({
      ...{ text, label: 'legitimate', domain: 'korean-reviews' },
    }),
  );
  return [messages, comments, reviews].flatMap((rows) => spread(rows, limit));
}

function spread<Row>(rows: readonly Row[], limit: number): Row[] {
  if (rows.length <= limit) return [...rows];
  return Array.from({ length: limit }, (_, index) => rows[Math.floor((index * rows.length) / limit)]!);
}

function linesOf(name: string): string[] {
  return readFileSync(join(TEXT_DATA, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function csvOf(rows: readonly SampleRow[]): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = rows.map(({ text, label, domain }) => `${quote(text)},${label},${domain}\n`);
  return `text,label,domain\n${lines.join('')}`;
}
