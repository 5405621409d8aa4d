/**
 * The texts that ship with numgate: Korean comments and film reviews, and an English set of text messages. `data/README.md` has
 * their origin and licences. None of the Korean texts is spam.
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

/** 10,000 comments: first those of the test set, then those of the validation set. */
export function koreanComments(): string[] {
  return ['kote-test.tsv', 'kote-val.tsv'].flatMap(linesOf).map((line) => line.split('\t')[1]!);
}

/** 54,411 film reviews. */
export function koreanReviews(): string[] {
  return linesOf('nsmc-reviews.txt');
}

/** 5,574 English text messages. */
export function englishMessages(): LabelledText[] {
  return linesOf('uci-sms-spam.tsv').map((line) => {
    const tab = line.indexOf('\t');
    return { isSpam: line.slice(0, tab) === 'spam', text: line.slice(tab + 1) };
  });
}
