/**
 * Splits texts by groups of near-duplicates: a part that is kept to evaluate, and folds of a cross-validation. Splits by time
 * where texts have dates, because a model must find the spam of tomorrow. Otherwise, splits by hashes from a seed.
 */
import { type Failure, fail, ok, type Result } from '../../shared/result.ts';
import type { Corpus } from './corpus.ts';
import { mixed } from './random.ts';

export const SPLITS = ['time', 'hash'] as const;
export type SplitBy = (typeof SPLITS)[number];

export interface Split {
  /** Indices of texts. */
  readonly train: Uint32Array;
  readonly test: Uint32Array;
  /** Groups from this time on are tested, in seconds since 1970; null if none was split by time. */
  readonly cut: number | null;
}

/** A group of near-duplicates. */
interface Group {
  /** Indices of texts, ascending. */
  readonly members: readonly number[];
  /** Earliest date of its texts, in seconds since 1970; null if no text has a date. */
  readonly at: number | null;
  /** Label, and domain of legitimate text: each part of a split gets its share of every stratum. */
  readonly stratum: string;
}

/** Groups in an order that the seed determines. @param indices of the texts of whole groups */
function groupsOf({ texts, groups, hashes }: Corpus, indices: Iterable<number>, seed: number): Group[] {
  const members = new Map<number, number[]>();
  for (const index of indices) {
    const group = members.get(groups[index]!);
    if (group === undefined) members.set(groups[index]!, [index]);
    else group.push(index);
  }
  const hashOf = (index: number): number => mixed(hashes[index]!, seed);
  // By hash, regardless of the order of the input. Texts with the same letters have the same hash.
  const inOrder = (a: number, b: number): number =>
    hashOf(a) - hashOf(b) || (texts[a]!.text < texts[b]!.text ? -1 : 1);
  return [...members.values()]
    .map((each) => ({
      each,
      first: each.reduce((least, index) => (inOrder(index, least) < 0 ? index : least)),
    }))
    .sort((a, b) => inOrder(a.first, b.first))
    .map(({ each, first }) => {
      const dates = each.map((index) => texts[index]!.at).filter((at) => at !== null);
      const { isSpam, domain } = texts[first]!;
      return {
        members: each,
        at: dates.length === 0 ? null : Math.min(...dates),
        stratum: isSpam ? 'spam' : `legitimate ${domain}`,
      };
    });
}

/** Keeps about this share of the texts to evaluate. @param share 0 to 1 */
export function splitOff(
  corpus: Corpus,
  share: number,
  by: SplitBy,
  seed: number,
): Result<Split, Failure<'ONE_LABEL'>> {
  const groups = groupsOf(corpus, corpus.texts.keys(), seed);
  const dated = by === 'time' ? groups.filter(({ at }) => at !== null) : [];
  const cut = cutOf(dated, share);
  const isTested = new Set([
    ...dated.filter(({ at }) => cut !== null && at! >= cut),
    ...shareOf(by === 'time' ? groups.filter(({ at }) => at === null) : groups, share),
  ]);
  const part = (tested: boolean): Uint32Array =>
    Uint32Array.from(
      groups.filter((group) => isTested.has(group) === tested).flatMap(({ members }) => members),
    ).sort();
  const split = { train: part(false), test: part(true), cut };
  for (const indices of [split.train, split.test]) {
    const spam = indices.reduce((sum, index) => sum + Number(corpus.texts[index]!.isSpam), 0);
    if (spam === 0 || spam === indices.length)
      return fail(
        'ONE_LABEL',
        cut === null
          ? 'one part of the split has only one label: add texts'
          : 'by date, one part of the split has only one label: spam and legitimate texts are from different times. ' +
              'Add texts, or split by hash: --split hash',
      );
  }
  return ok(split);
}

/** The time from which on texts make up at least this share of all dated texts. Null without dated texts. */
function cutOf(dated: readonly Group[], share: number): number | null {
  const byTime = dated.toSorted((a, b) => a.at! - b.at!);
  let left = share * dated.reduce((sum, { members }) => sum + members.length, 0);
  for (let at = byTime.length - 1; at >= 0; at--) {
    left -= byTime[at]!.members.length;
    if (left <= 0) return byTime[at]!.at;
  }
  return null;
}

/** Groups with this share of the texts of every stratum, as far as whole groups fit. */
function shareOf(groups: readonly Group[], share: number): Group[] {
  return [...strataOf(groups).values()].flatMap((stratum) => {
    let left = Math.ceil(share * stratum.reduce((sum, { members }) => sum + members.length, 0));
    return stratum.filter(({ members }) => {
      if (members.length > left) return false;
      left -= members.length;
      return true;
    });
  });
}

/**
 * Deals whole groups to folds, each stratum evenly, the largest groups first.
 * @returns the fold of each text, and `folds` for texts that are not among the indices
 */
export function foldsOf(corpus: Corpus, indices: Iterable<number>, folds: number, seed: number): Uint8Array {
  const foldOf = new Uint8Array(corpus.texts.length).fill(folds);
  const groups = groupsOf(corpus, indices, seed);
  for (const stratum of strataOf(groups).values()) {
    const sizes = new Array<number>(folds).fill(0);
    for (const { members } of stratum.toSorted((a, b) => b.members.length - a.members.length)) {
      const fold = sizes.indexOf(Math.min(...sizes));
      sizes[fold]! += members.length;
      for (const index of members) foldOf[index] = fold;
    }
  }
  return foldOf;
}

/**
 * Checks that the texts outside of each fold have both labels. Otherwise, a model has nothing to learn.
 * @param foldOf as foldsOf returns it
 */
export function checkFolds(
  { texts }: Corpus,
  indices: Uint32Array,
  foldOf: Uint8Array,
): Result<null, Failure<'GROUPS_TOO_FEW'>> {
  for (const [label, wanted] of [
    ['spam', true],
    ['legitimate', false],
  ] as const) {
    const folds = new Set(
      indices.filter((index) => texts[index]!.isSpam === wanted).map((index) => foldOf[index]!),
    );
    if (folds.size < 2)
      return fail(
        'GROUPS_TOO_FEW',
        `all texts with the label "${label}" that are left to learn from are near-duplicates of each other, or of one campaign: ` +
          'add other texts',
      );
  }
  return ok(null);
}

function strataOf(groups: readonly Group[]): Map<string, Group[]> {
  return Map.groupBy(groups, ({ stratum }) => stratum);
}
