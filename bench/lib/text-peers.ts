/** Other classifiers on the same folds: fastText and bogofilter, in their Debian packages. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../../cli/paths.ts';
import { temporaryFolder } from '../../cli/temporary.ts';
import { skipMissing } from './skip-missing.ts';

/** Texts, and the fold in which each one is tested. */
export interface FoldedTexts {
  readonly texts: readonly string[];
  /** 1 for spam. */
  readonly isSpam: Uint8Array;
  readonly foldOf: Uint8Array;
  readonly folds: number;
}

export interface PeerScores {
  readonly name: string;
  /** The score of each text, by a model trained on the other folds. */
  readonly scores: Float64Array;
  /** Size of the largest model, in KiB. */
  readonly kib: number;
}

/** Absolute, because the first `python3` of the path may be one without the packages of the system. */
const PYTHON = '/usr/bin/python3';
/** Maximum output of a peer, in bytes. */
const OUTPUT_MAX = 1 << 26;

/** @param kib maximum size of a model */
export function fastTextScores(
  { texts, isSpam, foldOf, folds }: FoldedTexts,
  kib: number,
): PeerScores | null {
  if (spawnSync(PYTHON, ['-c', 'import fasttext']).status !== 0) {
    skipMissing('python3-fasttext', 'text: fastText is not installed (apt install python3-fasttext)');
    return null;
  }
  const input = { texts, spam: [...isSpam], fold: [...foldOf], folds, bytes: kib * 1024 };
  const script = join(PROJECT, 'bench', 'peers', 'fasttext-folds.py');
  const { scores, bytes } = JSON.parse(run(PYTHON, [script], JSON.stringify(input))) as {
    scores: number[];
    bytes: number;
  };
  return { name: 'fastText', scores: Float64Array.from(scores), kib: bytes / 1024 };
}

/** The best of the settings tried on these texts. Short words and pairs of words count, and rare words count less. */
const BOGOFILTER = [
  '--min-token-len=1',
  '--multi-token-count=2',
  '--max-multi-token-len=60',
  '-m0.1,0.5,0.4',
];

/** Scores by bogofilter. It keeps every word, so its size is unbounded. */
export function bogofilterScores({ texts, isSpam, foldOf, folds }: FoldedTexts): PeerScores | null {
  if (spawnSync('bogofilter', ['-V']).status !== 0) {
    skipMissing('bogofilter', 'text: bogofilter is not installed (apt install bogofilter)');
    return null;
  }
  const scores = new Float64Array(texts.length);
  for (let fold = 0; fold < folds; fold++) {
    const { path, remove } = temporaryFolder('bogofilter');
    const those = (isChosen: (at: number) => boolean): number[] => [...texts.keys()].filter(isChosen);
    const learn = (flag: string, label: number): void => {
      const learnt = those((at) => foldOf[at] !== fold && isSpam[at] === label);
      run('bogofilter', ['-d', path, '-M', ...BOGOFILTER, flag], mailbox(texts, learnt));
    };
    learn('-s', 1);
    learn('-n', 0);
    const tested = those((at) => foldOf[at] === fold);
    // The exit code is the verdict on the last message.
    const found = run('bogofilter', ['-d', path, '-M', ...BOGOFILTER, '-TT'], mailbox(texts, tested), 2)
      .trim()
      .split('\n');
    if (found.length !== tested.length)
      throw new Error(`bogofilter scored ${found.length} of ${tested.length} texts`);
    for (const [index, at] of tested.entries()) scores[at] = Number(found[index]!.trim().split(/\s+/).at(-1));
    remove();
  }
  return { name: 'bogofilter', scores, kib: Number.NaN };
}

/** Formats texts as the messages of an mbox file. */
function mailbox(texts: readonly string[], indices: readonly number[]): string {
  const message = (text: string): string =>
    `From - Thu Jan  1 00:00:00 1970\nContent-Type: text/plain; charset=utf-8\n\n${text.replaceAll(/^From /gm, '>From ')}\n\n`;
  return indices.map((at) => message(texts[at]!)).join('');
}

/** @param statusMax largest exit code that is not a failure */
function run(command: string, args: readonly string[], input: string, statusMax = 0): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...{ input, encoding: 'utf8', maxBuffer: OUTPUT_MAX },
  });
  if (error !== undefined) throw error;
  if (status === null || status > statusMax) throw new Error(`${command} failed (${status}): ${stderr}`);
  return stdout;
}
