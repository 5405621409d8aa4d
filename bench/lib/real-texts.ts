/**
 * The texts that ship with numgate (`data/README.md` has their origin and licences): Korean comments and film reviews, and
 * the English set of text messages. None of the Korean ones is spam.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../cli/paths.ts';

export interface LabelledText {
  readonly isSpam: boolean;
  readonly text: string;
}

function linesOf(name: string): string[] {
  return readFileSync(join(PROJECT, 'data', 'text', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** 10,000 comments: of the test set, then of the validation set. */
export function koreanComments(): string[] {
  return ['kote-test.tsv', 'kote-val.tsv'].flatMap(linesOf).map((line) => line.split('\t')[1]!);
}

/** 54,411 reviews of films. */
export function koreanReviews(): string[] {
  return linesOf('nsmc-reviews.txt');
}

/** 5,574 text messages in English. */
export function englishMessages(): LabelledText[] {
  return linesOf('uci-sms-spam.tsv').map((line) => {
    const tab = line.indexOf('\t');
    return { isSpam: line.slice(0, tab) === 'spam', text: line.slice(tab + 1) };
  });
}
