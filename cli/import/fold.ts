/**
 * Folds the live layer into lists of a release. For each number or source, the folded lists hold the entry that decides now and
 * the entries that decide later, each with its dates. At any moment they give the same result as the live layer did.
 */
import { createHash } from 'node:crypto';
import type { EntryInfo } from '../../shared/admin/entries.ts';
import type { Dates } from '../../shared/build/list-entries.ts';
import { SYSTEM_AUTHORITY } from '../../shared/organisations.ts';
import { FOLDED_LIST_PREFIX, type ListInfo } from '../../shared/release/manifest.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { type Code, markOf, SUBJECTS, type Subject } from '../../shared/verdict.ts';
import { CommandFailure } from '../failure.ts';

/** A number, or the fingerprint of a source in 16 hex digits. A release stores nothing else of a source. */
export type FoldedWhat =
  | { readonly kind: 'number'; readonly n: number }
  | { readonly kind: 'fingerprint'; readonly hex: string };

export interface FoldedEntry extends Dates {
  readonly what: FoldedWhat;
}

export interface FoldedList
  extends Pick<ListInfo, 'name' | 'reason' | 'effect' | 'subjects' | 'authority' | 'rule' | 'stage'> {
  readonly entries: readonly FoldedEntry[];
}

/** The effect of an entry without its subjects. Null for an entry that clears others. */
type OwnEffect = Pick<FoldedList, 'reason' | 'effect' | 'authority' | 'rule' | 'stage'> | null;

interface Layer extends Dates {
  readonly ownEffect: OwnEffect;
}

/** All entries of one number or source for one subject. */
interface Timeline {
  readonly what: FoldedWhat;
  readonly subject: Subject;
  /** In any order. While an entry is in force, it overrides the older ones. */
  readonly live: (Layer & { readonly seq: number })[];
  /**
   * Entries of the previous release, which do not override each other. They apply whenever no live entry
   * does.
   */
  readonly carried: Layer[];
}

/**
 * @param entries made since the base release
 * @param carried lists that the base release had folded
 * @param now seconds since 1970; entries that expired before are not listed
 */
export function fold(
  entries: readonly EntryInfo[],
  carried: readonly FoldedList[],
  now: number,
): FoldedList[] {
  const timelines = new Map<string, Timeline>();
  const timelineOf = (what: FoldedWhat, subject: Subject): Timeline => {
    const key = `${subject} ${idOf(what)}`;
    const timeline = timelines.get(key) ?? { what, subject, live: [], carried: [] };
    timelines.set(key, timeline);
    return timeline;
  };
  for (const entry of entries) {
    // An undo entry is always the oldest of its number or source. The decision is the same without it.
    if (entry.op === 'undo') continue;
    const what = whatOf(entry);
    const until = entry.until === null ? FOREVER : Math.floor(Date.parse(entry.until) / 1000);
    const layer = { since: 0, until, ownEffect: ownEffectOf(entry), seq: entry.seq };
    for (const subject of SUBJECTS)
      if (entry.subjects.includes(subject)) timelineOf(what, subject).live.push(layer);
  }
  for (const { subjects, entries: listed, ...ownEffect } of carried) {
    for (const { what, since, until } of listed) {
      for (const subject of subjects) timelineOf(what, subject).carried.push({ since, until, ownEffect });
    }
  }
  return listsOf([...timelines.values()], now);
}

/** Splits a timeline into stretches with one effect each. */
function stretchesOf({ live, carried }: Timeline, now: number): Layer[] {
  const stretches: Layer[] = [];
  let from = now;
  const add = ({ since, until, ownEffect }: Layer): void => {
    const start = Math.max(from, since);
    // A start in the past changes no decision.
    if (ownEffect !== null && start < until)
      stretches.push({ since: start > now ? start : 0, until, ownEffect });
  };
  for (const layer of live.toSorted((a, b) => b.seq - a.seq)) {
    add(layer);
    from = Math.max(from, layer.until);
  }
  for (const layer of carried) add(layer);
  return stretches;
}

/** The stretches as lists. An effect that holds for both subjects goes to one list for both. */
function listsOf(timelines: readonly Timeline[], now: number): FoldedList[] {
  const merged = new Map<string, Layer & { readonly what: FoldedWhat; readonly subjects: Subject[] }>();
  for (const timeline of timelines) {
    for (const layer of stretchesOf(timeline, now)) {
      const { reason, effect, authority, rule, stage } = layer.ownEffect!;
      const words = [idOf(timeline.what), reason, effect, authority, rule, stage, layer.since, layer.until];
      const key = words.join(' ');
      const known = merged.get(key);
      if (known === undefined)
        merged.set(key, { ...layer, what: timeline.what, subjects: [timeline.subject] });
      else known.subjects.push(timeline.subject);
    }
  }
  const lists = new Map<string, Omit<FoldedList, 'name'> & { readonly entries: FoldedEntry[] }>();
  for (const { ownEffect, subjects: named, what, since, until } of merged.values()) {
    const { reason, effect, authority, ...mark } = ownEffect!;
    const subjects = SUBJECTS.filter((subject) => named.includes(subject));
    const key = [effect, reason, authority, mark.rule, mark.stage, ...subjects].join(' ');
    const list = lists.get(key) ?? { reason, effect, subjects, authority, ...markOf(mark), entries: [] };
    lists.set(key, list);
    list.entries.push({ what, since, until });
  }
  const named = [...lists.values()].map((list) => ({ name: nameOf(list), ...list }));
  return named.sort(byName);
}

/**
 * Joins the smallest lists of rules into lists that name no rule, so that rules alone never need more lists than a release has
 * room for.
 * @param most maximum number of lists of rules, at least 1
 */
export function joinRuleLists(lists: readonly FoldedList[], most: number): FoldedList[] {
  const ofRules = lists.filter(isOfRules);
  if (ofRules.length <= most) return [...lists];
  const named = ofRules.filter(({ rule }) => rule !== undefined);
  const bySize = named.toSorted((a, b) => b.entries.length - a.entries.length || byName(a, b));
  const kept = new Set(bySize.slice(0, most - 1));
  const joined = new Map<string, FoldedList>();
  for (const list of ofRules) {
    if (kept.has(list)) continue;
    const { reason, effect, subjects, authority } = list;
    const name = nameOf({ reason, effect, subjects, authority, entries: [] });
    const entries = [...(joined.get(name)?.entries ?? []), ...list.entries];
    joined.set(name, { name, reason, effect, subjects, authority, entries });
  }
  const others = lists.filter((list) => !isOfRules(list) || kept.has(list));
  return [...others, ...joined.values()].sort(byName);
}

/** Whether a list has blocks of rules. The authority of the service itself has no other entries. */
export function isOfRules({ authority, effect }: Pick<FoldedList, 'authority' | 'effect'>): boolean {
  return authority === SYSTEM_AUTHORITY && effect === 'block';
}

function byName(a: FoldedList, b: FoldedList): number {
  return a.name < b.name ? -1 : 1;
}

/** `live-sender-reported-kisa`, or `live-to-…` if it is for one subject only; then rule and stage, if it has them. */
function nameOf({ effect, reason, subjects, authority, rule, stage }: Omit<FoldedList, 'name'>): string {
  const subject = subjects.length === 1 ? `${subjects[0]}-` : '';
  const what = effect === 'allow' ? 'allow' : reason.toLowerCase().replaceAll('_', '-');
  const mark = rule === undefined ? '' : `-${rule.replace('@', '-')}-${stage}`;
  const name = `${FOLDED_LIST_PREFIX}${subject}${what}-${authority}${mark}`;
  if (NAME_PATTERN.test(name)) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, 54)}-${digest}`;
}

function idOf(what: FoldedWhat): string {
  return what.kind === 'number' ? String(what.n) : what.hex;
}

/** Identifies a source by its fingerprint. Its text is for people and may have been lost. */
function whatOf({ number, fingerprint, seq }: EntryInfo): FoldedWhat {
  if (number !== null) return { kind: 'number', n: Number(number.slice(1)) };
  // A service older than this build returns no fingerprint.
  if (typeof fingerprint === 'string') return { kind: 'fingerprint', hex: fingerprint };
  throw new CommandFailure(
    `the service returned a source without a fingerprint (seq ${seq}): update the service`,
  );
}

export function fingerprintOf(fingerprint: bigint): FoldedWhat {
  return { kind: 'fingerprint', hex: fingerprint.toString(16).padStart(16, '0') };
}

function ownEffectOf({ op, code, authority, ...mark }: EntryInfo): OwnEffect {
  if (op === 'clear') return null;
  if (op === 'unblock') return { reason: 'ALLOW_OVERRIDE', effect: 'allow', authority };
  return { reason: code as Code, effect: 'block', authority, ...markOf(mark) };
}
