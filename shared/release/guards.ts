/**
 * Guards of pushes. Each compares a release with the current one and reports what it found, with figures.
 * live-guards.ts has the guards of live changes.
 */
import { EMERGENCY_NUMBERS, isEmergencyNumber } from '../numbers/plan.ts';
import { isStricter, type ListChange, type ListDiff } from './diff.ts';
import type { GuardHit, GuardSettings, PushGuard } from './guard-settings.ts';
import { FOLDED_LIST_PREFIX, type Manifest } from './manifest.ts';

/** The settings that guards of pushes read. A plan depends on no other settings. */
export type PushGuardSettings = Pick<GuardSettings, 'addShare' | 'removeShare' | 'protectedNumbers'>;

const SHARE_ENTRIES_MIN = 1_000;

function hit(guard: PushGuard, list: string | null, message: string, figures: GuardHit['figures']): GuardHit {
  return { guard, list, message: list === null ? message : `${list}: ${message}`, figures, override: guard };
}

/** Hits in list order, and for each list in the order of GUARDS. */
export function checkGuards(
  diffs: readonly ListDiff[],
  base: Manifest | null,
  next: Manifest,
  settings: PushGuardSettings,
): GuardHit[] {
  const hits: (GuardHit | null)[] = [olderBase(base, next)];
  for (const diff of diffs) {
    // Every folded entry was added or removed by hand, so any share of them may change.
    if (!diff.change.name.startsWith(FOLDED_LIST_PREFIX)) {
      if (base !== null || diff.change.state !== 'new') hits.push(adds(diff.change, settings));
      hits.push(removes(diff.change, settings), shrunkenList(diff.change));
    }
    hits.push(protectedNumber(diff), wholeBlock(diff), shortPrefix(diff));
  }
  return hits.filter((each) => each !== null);
}

function olderBase(base: Manifest | null, next: Manifest): GuardHit | null {
  const current = base?.release ?? null;
  if (next.base === current) return null;
  const figures = { base: next.base ?? 'none', current: current ?? 'none' };
  const message = `the release was built from ${next.base ?? 'no release'}, but ${current ?? 'none'} is current`;
  return hit('older-base', null, message, figures);
}

/** Entries of every kind, summed over one of their figures. */
function entries(change: ListChange, figure: 'before' | 'after' | 'added' | 'removed'): number {
  const { numbers, dated, ranges, sources } = change;
  return numbers[figure] + dated[figure] + ranges[figure] + sources[figure];
}

/** If a list is new or its terms get stricter, all its entries count as added. */
function adds(change: ListChange, { addShare }: PushGuardSettings): GuardHit | null {
  const { state, terms, termsBefore, name } = change;
  if (state === 'new' && !harms(change)) return null;
  const isWhole = termsBefore !== null && isStricter(termsBefore, terms);
  const [added, before] = [entries(change, isWhole ? 'after' : 'added'), entries(change, 'before')];
  const figures = { added, before, share: addShare };
  const message = `would add ${counted(added)} entries to ${counted(before)}, ${above(addShare)}`;
  return exceeds(added, before, addShare) ? hit('adds', name, message, figures) : null;
}

/** If the terms of a list get milder, all its entries count as removed. */
function removes(change: ListChange, { removeShare }: PushGuardSettings): GuardHit | null {
  const { terms, termsBefore, name } = change;
  const isWhole = termsBefore !== null && isStricter(terms, termsBefore);
  const [removed, before] = [entries(change, isWhole ? 'before' : 'removed'), entries(change, 'before')];
  const figures = { removed, before, share: removeShare };
  const message = `would remove ${counted(removed)} of ${counted(before)} entries, ${above(removeShare)}`;
  return exceeds(removed, before, removeShare) ? hit('removes', name, message, figures) : null;
}

/** Small lists change by large shares, so they count as SHARE_ENTRIES_MIN entries. */
function exceeds(changed: number, before: number, share: number): boolean {
  return changed > share * Math.max(before, SHARE_ENTRIES_MIN);
}

function shrunkenList(change: ListChange): GuardHit | null {
  const [before, after] = [entries(change, 'before'), entries(change, 'after')];
  if (before === 0 || after > 0) return null;
  const how = change.state === 'dropped' ? 'be dropped' : 'become empty';
  const message = `would ${how}, but has ${counted(before)} entries now`;
  return hit('shrunken-list', change.name, message, { before, after });
}

function protectedNumber({ change, watched }: ListDiff): GuardHit | null {
  if (!harms(change) || watched.length === 0) return null;
  const emergency = watched.filter(isEmergencyNumber).length;
  const message = `would list ${counted(watched.length)} protected numbers, ${counted(emergency)} of them emergency numbers`;
  return hit('protected-number', change.name, message, { numbers: watched.length, emergency });
}

function wholeBlock({ change, wholeBlocks }: ListDiff): GuardHit | null {
  if (!harms(change) || wholeBlocks === 0) return null;
  const blocks = `${counted(wholeBlocks)} block${wholeBlocks === 1 ? '' : 's'}`;
  const message = `would list at least 90 % of ${blocks} of 10,000 Korean numbers in use`;
  return hit('whole-block', change.name, message, { blocks: wholeBlocks });
}

/** Applies to allow lists too: a range that is too wide lets too much pass. */
function shortPrefix({ change, wideSpans }: ListDiff): GuardHit | null {
  if (change.terms.effect === 'shadow' || wideSpans === 0) return null;
  const message = `would add ${counted(wideSpans)} ranges that fix fewer than two digits after the country, area or service code`;
  return hit('short-prefix', change.name, message, { ranges: wideSpans });
}

/** Whether the list blocks or labels its members. */
function harms({ state, terms }: ListChange): boolean {
  return state !== 'dropped' && (terms.effect === 'block' || terms.effect === 'label');
}

function above(share: number): string {
  return `more than ${Number((share * 100).toFixed(2))} %`;
}

/** Formatted by hand: the hash of a plan must not depend on the runtime's locale. */
export function counted(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Every number that no list may block or label, in ascending order. */
export function protectedNumbersOf({ protectedNumbers }: Pick<GuardSettings, 'protectedNumbers'>): number[] {
  return [...new Set([...protectedNumbers, ...EMERGENCY_NUMBERS])].sort((a, b) => a - b);
}
