/**
 * Plans the lists for the entries of a feed: one for each effect, code, authority, rule with its stage, and set of subjects. An
 * entry that is the same for both subjects is in one list for both, so that a release stores its number once.
 */
import { createHash } from 'node:crypto';
import { PULLED_LISTS_MAX } from '../../shared/limits/feed-pull.ts';
import { NAME_PATTERN } from '../../shared/schemas.ts';
import { AGAINST_CODES, type BlockStage, type Effect, SUBJECTS, type Subject } from '../../shared/verdict.ts';
import { CommandFailure } from '../failure.ts';
import type { CatalogueList } from '../import/catalogue.ts';
import type { EntryKind, FeedEntries, KeptEntry } from './entries.ts';

export interface ListSettings {
  /** First part of the names of all lists. */
  readonly prefix: string;
  /** Maximum number of lists. */
  readonly listsMax: number;
  /** Whether unblocked numbers become an allow list. */
  readonly unblocks: boolean;
  /** Authority of all lists; null keeps that of each entry. */
  readonly authority: string | null;
}

export const LIST_DEFAULTS: ListSettings = {
  ...{ prefix: 'feed', listsMax: PULLED_LISTS_MAX, unblocks: true, authority: null },
};

/** A list, and the slots of its entries in the order of their numbers. */
export interface PlannedList {
  readonly list: CatalogueList;
  readonly slots: readonly number[];
}

export interface ListPlan {
  readonly lists: readonly PlannedList[];
  /** Codes that this version does not know, with the number of entries that are left out. */
  readonly unknownCodes: Readonly<Record<string, number>>;
}

/** The properties of a list, without its subjects. */
interface Mark {
  readonly effect: Effect;
  readonly reason: string;
  readonly authority: string;
  readonly rule: string | null;
  readonly stage: BlockStage | null;
}

interface Group {
  readonly mark: Mark;
  readonly subjects: readonly Subject[];
  readonly slots: readonly number[];
}

/** @throws CommandFailure if the entries need too many lists */
export function planLists(entries: FeedEntries, settings: ListSettings): ListPlan {
  const groups = new Map<string, Group & { readonly slots: number[] }>();
  const unknownCodes: Record<string, number> = {};
  const add = (mark: Mark, subjects: readonly Subject[], slot: number): void => {
    const key = keyOf(mark, subjects);
    const group = groups.get(key) ?? { mark, subjects, slots: [] };
    groups.set(key, group);
    group.slots.push(slot);
  };
  const slots = entries.sorted();
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index]!;
    const entry = entries.at(slot);
    const { effect, code, subject } = entry.kind;
    if (effect === 'allow' && !settings.unblocks) continue;
    if (effect !== 'allow' && !AGAINST_CODES.some((known) => known === code)) {
      unknownCodes[code ?? ''] = (unknownCodes[code ?? ''] ?? 0) + 1;
      continue;
    }
    const mark = markOf(entry.kind, settings);
    const next = index + 1 < slots.length ? entries.at(slots[index + 1]!) : null;
    if (next !== null && isSameForBoth(entry, next, settings)) {
      add(mark, ['from', 'to'], slot);
      index++;
    } else add(mark, [subject], slot);
  }
  const joined = joinRules(splitSubjects([...groups.values()], settings.listsMax), settings.listsMax);
  if (joined.length > settings.listsMax) {
    throw new CommandFailure(
      `the feed needs ${joined.length} lists (one for each effect, code, authority and subject), more than ` +
        `${settings.listsMax}: allow more with --lists-max, or use --authority <name> to list all entries under one authority`,
    );
  }
  const lists = joined.map((group) => ({ list: listOf(group, settings.prefix), slots: group.slots }));
  return { lists: lists.sort((a, b) => (a.list.name < b.list.name ? -1 : 1)), unknownCodes };
}

function markOf({ effect, code, authority, rule, stage }: EntryKind, settings: ListSettings): Mark {
  const reason = effect === 'allow' ? 'ALLOW_OVERRIDE' : code!;
  const mark = effect === 'allow' || stage === null ? { rule: null, stage: null } : { rule, stage };
  return { effect, reason, authority: settings.authority ?? authority, ...mark };
}

function keyOf({ effect, reason, authority, rule, stage }: Mark, subjects: readonly Subject[]): string {
  return [effect, reason, authority, rule, stage, ...subjects].join(' ');
}

/** Whether two entries are the same number or source, once for each subject. */
function isSameForBoth(a: KeptEntry, b: KeptEntry, settings: ListSettings): boolean {
  return (
    a.number === b.number &&
    a.source === b.source &&
    a.until === b.until &&
    a.kind.subject !== b.kind.subject &&
    keyOf(markOf(a.kind, settings), []) === keyOf(markOf(b.kind, settings), [])
  );
}

/**
 * Moves the entries of lists for both subjects into the lists for one subject, smallest lists first, until all lists fit or no
 * list for both is left. A release then stores the moved numbers twice.
 */
function splitSubjects(groups: readonly Group[], most: number): Group[] {
  const left = new Map(groups.map((group) => [keyOf(group.mark, group.subjects), group]));
  const both = groups
    .filter(
      ({ mark, subjects }) => subjects.length > 1 && SUBJECTS.every((one) => left.has(keyOf(mark, [one]))),
    )
    .sort((a, b) => b.slots.length - a.slots.length || compareKeys(a, b));
  while (left.size > most && both.length > 0) {
    const { mark, subjects, slots } = both.pop()!;
    left.delete(keyOf(mark, subjects));
    for (const one of SUBJECTS) {
      const key = keyOf(mark, [one]);
      const group = left.get(key)!;
      left.set(key, { ...group, slots: [...group.slots, ...slots] });
    }
  }
  return [...left.values()];
}

/** Merges the smallest lists of rules into lists without a rule, until all lists fit or no list has a rule. */
function joinRules(groups: readonly Group[], most: number): Group[] {
  const left = new Map(groups.map((group) => [keyOf(group.mark, group.subjects), group]));
  const ofRules = groups
    .filter(({ mark }) => mark.rule !== null)
    .sort((a, b) => b.slots.length - a.slots.length || compareKeys(a, b));
  while (left.size > most && ofRules.length > 0) {
    const { mark, subjects, slots } = ofRules.pop()!;
    left.delete(keyOf(mark, subjects));
    const unmarked = { ...mark, rule: null, stage: null };
    const key = keyOf(unmarked, subjects);
    left.set(key, { mark: unmarked, subjects, slots: [...(left.get(key)?.slots ?? []), ...slots] });
  }
  return [...left.values()];
}

function compareKeys(a: Group, b: Group): number {
  return keyOf(a.mark, a.subjects) < keyOf(b.mark, b.subjects) ? -1 : 1;
}

function listOf({ mark, subjects }: Group, prefix: string): CatalogueList {
  const { effect, reason, authority, rule, stage } = mark;
  const words = [
    prefix,
    ...(subjects.length === 1 ? subjects : []),
    ...(effect === 'allow' ? ['allow'] : effect === 'block' ? [] : [effect]),
    ...(effect === 'allow' ? [] : [reason.toLowerCase().replaceAll('_', '-')]),
    authority,
    ...(rule === null ? [] : [rule.replace('@', '-'), stage!]),
  ];
  return {
    name: nameOf(words.join('-')),
    reason: reason as CatalogueList['reason'],
    effect,
    subjects: [...subjects],
    authority,
    sources: true,
    ...(rule === null || stage === null ? {} : { rule, stage }),
  };
}

function nameOf(words: string): string {
  if (NAME_PATTERN.test(words)) return words;
  const digest = createHash('sha256').update(words).digest('hex').slice(0, 8);
  return `${words.slice(0, 54)}-${digest}`;
}
