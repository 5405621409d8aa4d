/**
 * Batches of rule entries for tests, like those of the desk of the joint response. Also changes by people to the same number,
 * and what readers then find.
 */
import { runInDurableObject } from 'cloudflare:test';
import type { EntryChange } from '../../../shared/admin/entries.ts';
import { numberKey, SUBJECT_BIT } from '../../../shared/live/entry.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import type { RuleEntryChange, RuleEntryResult } from '../../../workers/storage/rule-entries-port.ts';
import { type PlainList, plainList } from '../../shared/support/plain-model.ts';
import {
  ADMIN,
  ALL_GUARDS,
  ALL_LIVE_GUARDS,
  asAdmin,
  coordinator,
  readHead,
  stage,
  stub,
  unwrap,
} from './coordinator.ts';
import { by } from './room.ts';

export const DAY = 86_400_000;
/** The end of the rule entries of a test. */
export const END = Date.UTC(2040, 0, 10);

export function ruleChange(
  op: RuleEntryChange['op'],
  n: number,
  more: Partial<RuleEntryChange> = {},
): RuleEntryChange {
  return {
    ...{ id: 'b1', op, subject: { kind: 'number', n }, rule: 'kr-50@3', stage: 'provisional' },
    ...{ until: END, reason: '50 reporters in 24h', ...more },
  };
}

let last = 0;

/** Sends the changes as the next batch. */
export async function applyRules(
  ...changes: readonly RuleEntryChange[]
): Promise<readonly RuleEntryResult[]> {
  const done = await coordinator().applyRuleEntries(++last, changes);
  return done.results!;
}

/** The results in short form: `ok`, or why the change was refused. */
export function shortResults(results: readonly RuleEntryResult[]): string[] {
  return results.map((result) => ('refused' in result ? result.refused : 'ok'));
}

export const NOW = Date.UTC(2040, 0, 1);
/** The default number of the functions here. */
export const N = 821_030_000_001;

export const make = (op: EntryChange['op'], more: Partial<EntryChange> = {}, actor = ADMIN) =>
  coordinator().changeEntries(by(actor), {
    ...{ op, items: [{ number: toE164(N) }], code: 'SENDER_REPORTED', until: null, reason: 'test' },
    ...{ subjects: ['from', 'to'], overrides: ALL_LIVE_GUARDS, ...more },
  });

export const inHours = (hours: number): string => new Date(NOW + hours * 3_600_000).toISOString();

/** The decision that readers find for the number as sender, with a release that contains the changes up to `foldedSeq`. */
export async function found(foldedSeq = 0, at = NOW, n = N): Promise<string> {
  const { live } = (await readHead())!;
  const { kind, high, low } = numberKey(n);
  const entry = live.find(kind, high, low, SUBJECT_BIT.from, foldedSeq, Math.floor(at / 1000));
  if (entry === null) return 'none';
  return [entry.op, entry.authority, entry.rule, entry.stage].filter(Boolean).join(' ');
}

/** Sets how many live entries the coordinator counts for an authority. */
export async function hold(name: string, entries: number): Promise<void> {
  await runInDurableObject(stub(), (_, { storage }) => {
    storage.sql.exec('INSERT OR REPLACE INTO live_held VALUES (?, ?)', name, entries);
  });
}

export const held = (): Promise<object> =>
  runInDurableObject(stub(), (_, { storage }) =>
    Object.fromEntries(
      storage.sql
        .exec<{ authority: string; entries: number }>('SELECT * FROM live_held')
        .toArray()
        .map(({ authority, entries }) => [authority, entries]),
    ),
  );

/** Makes a release with these lists current. */
export async function promoted(lists: readonly PlainList[], foldedSeq = 0): Promise<void> {
  const base = (await readHead())?.head.current?.release ?? null;
  const release = await stage({ lists, base, foldedSeq });
  const settings = { base, share: 1, overrides: ALL_GUARDS, reason: 'test' };
  unwrap(await coordinator().promote(asAdmin(), release, settings));
}

/** A list like one that a build makes from live entries. */
export function foldedList(authority: string, effect: 'block' | 'allow' = 'block'): PlainList {
  const list = plainList(`live-${effect}-${authority}`, { numbers: [{ n: N, since: 0, until: END / 1000 }] });
  const reason = effect === 'block' ? ('SENDER_REPORTED' as const) : ('ALLOW_OVERRIDE' as const);
  return { ...list, info: { ...list.info, authority, effect, reason } };
}
