/**
 * The one function all of this is for: may a text or a call pass?
 * Pure: addresses, a snapshot and a client's wishes in, an answer out. It never waits and never
 * guesses: what is not loaded makes the answer `indeterminate`, never `allow`.
 *
 * Precedence: emergency called number > live unblock > allow exact > allow range > live block > block
 * exact > block range > rules. Where any live entry decides, also one that takes others back, lists into
 * which a release has folded live entries say nothing: they are of an earlier day.
 * Cost of a number on no list: two reads of the live layer, one permutation, then a probe a list; nothing
 * allocated but the answer.
 */
import type { Client } from './clients.ts';
import { type Hit, hit, listHit, liveHit, RANK } from './hit.ts';
import { type LiveEntry, SUBJECT_BIT, sourceKey } from './live/entry.ts';
import type { LiveLayer } from './live/live-layer.ts';
import { headOf, tailOf, toE164 } from './numbers/number.ts';
import { type Address, isValidNumber } from './numbers/parse.ts';
import { isEmergency, isEmergencyNumber } from './numbers/plan.ts';
import { senderRule } from './numbers/sender-rules.ts';
import { FOLDED_LIST_PREFIX, type ListInfo } from './release/manifest.ts';
import type { Release } from './release/release.ts';
import type { ListKeys } from './set/keys.ts';
import { NOT_LISTED } from './set/number-set.ts';
import { sourceFingerprint } from './set/source-table.ts';
import { testAnswer } from './test-numbers.ts';
import type { Reason, Subject, Verdict } from './verdict.ts';
import { strength } from './verdict.ts';

export const CHANNELS = ['sms', 'voice'] as const;
export type Channel = (typeof CHANNELS)[number];

/** An address that can be judged. */
export type Party = Exclude<Address, { kind: 'invalid' }>;

export interface Question {
  readonly from: Party | null;
  readonly to: Party | null;
  readonly channel: Channel;
}

/** What one request is answered from, pinned when it starts. */
export interface Snapshot {
  /** Null when no release was ever loaded. */
  readonly release: Release | null;
  /** What was changed since the release. */
  readonly live: LiveLayer;
  /** Of LIST_KEY: sources are looked up by them, also where there is no release. */
  readonly keys: ListKeys;
  readonly seq: number;
  /** When the head was last known to be current, in ms since 1970. */
  readonly asOf: number;
  /** Now, in ms since 1970. */
  readonly now: number;
}

/** What of a client bears on a verdict. */
export type Wishes = Pick<Client, 'failPolicy' | 'maxStaleSeconds' | 'mode' | 'shortCodes'>;

export interface Answer {
  readonly verdict: Verdict;
  /** The subject that decided; null if nothing was found. */
  readonly subject: Subject | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Every hit, the deciding one first. */
  readonly reasons: readonly Reason[];
  /** What to do on `indeterminate`, by the client's own policy. */
  readonly action?: 'open' | 'closed';
  /** In `label` or `shadow` mode: what the verdict would have been. */
  readonly unenforced?: Verdict;
}

const NO_REASONS: readonly Reason[] = [];

export function screen(question: Question, snapshot: Snapshot, wishes: Wishes): Answer {
  const hits: Hit[] = [];
  if (question.to !== null) judge('to', question.to, question.channel, snapshot, wishes, hits);
  if (question.from !== null) judge('from', question.from, question.channel, snapshot, wishes, hits);
  const from = written(question.from);
  const to = written(question.to);
  if (hits.length === 0) return { verdict: 'allow', subject: null, from, to, reasons: NO_REASONS };
  const emergency = hits.find(({ rank }) => rank === RANK.emergency);
  const effective = emergency === undefined ? hits : [emergency];
  const deciding = decide(effective);
  const rest = hits.filter((hit) => hit !== deciding).sort(byPrecedence);
  const reasons = [deciding, ...rest].map(({ reason }) => reason);
  const verdict = deciding.verdict;
  const base = { subject: deciding.reason.subject, from, to, reasons };
  if (verdict === 'indeterminate') return { verdict, ...base, action: wishes.failPolicy };
  const enforced = soften(verdict, wishes.mode);
  return enforced === verdict ? { verdict, ...base } : { verdict: enforced, ...base, unenforced: verdict };
}

/** Whether an emergency number is called, also as gateways write it: +82119, 02-119. */
function callsEmergency(party: Party): boolean {
  if (party.kind === 'number') return isEmergencyNumber(party.n);
  return party.kind === 'shortCode' && isEmergency(party.code);
}

/** An address as it is answered: E.164, short code, or the source's own text. */
function written(party: Party | null): string | null {
  if (party === null) return null;
  if (party.kind === 'number') return toE164(party.n);
  return party.kind === 'shortCode' ? party.code : party.text;
}

function byPrecedence(a: Hit, b: Hit): number {
  return strength(b.verdict) - strength(a.verdict) || a.rank - b.rank;
}

/**
 * Each subject's verdict is its strongest hit, unless one overrides the weaker places; the request's
 * verdict is the strongest of its subjects.
 */
function decide(hits: readonly Hit[]): Hit {
  let deciding: Hit | null = null;
  for (const subject of ['to', 'from'] as const) {
    const own = hits.filter(({ reason }) => reason.subject === subject).sort(byPrecedence);
    const first = own.toSorted((a, b) => a.rank - b.rank)[0];
    const stale = own.find(({ rank }) => rank === RANK.stale);
    const overrides = first !== undefined && first.rank <= RANK.unavailable;
    const fromLists = overrides && first.rank >= RANK.liveUnblock;
    // An allow entry of data that is too old may have been taken back since.
    const decided = fromLists && stale !== undefined ? stale : overrides ? first : own[0];
    if (
      decided !== undefined &&
      (deciding === null || strength(decided.verdict) > strength(deciding.verdict))
    ) {
      deciding = decided;
    }
  }
  return deciding!;
}

function soften(verdict: Verdict, mode: Wishes['mode']): Verdict {
  if (mode === 'label' && verdict === 'block') return 'label';
  return mode === 'shadow' && (verdict === 'block' || verdict === 'label') ? 'allow' : verdict;
}

function judge(
  subject: Subject,
  party: Party,
  channel: Channel,
  snapshot: Snapshot,
  wishes: Wishes,
  hits: Hit[],
): void {
  if (party.kind === 'number') {
    const test = testAnswer(party.n);
    if (test !== null) {
      hits.push(hit(RANK.test, test.verdict, subject, test.code, 'test'));
      return;
    }
    if (!isValidNumber(party.n)) {
      hits.push(hit(RANK.rule, 'block', subject, 'NUMBER_FORMAT_INVALID', 'rule', 'numbering-plan'));
    }
  }
  if (subject === 'to' && callsEmergency(party)) {
    hits.push(hit(RANK.emergency, 'allow', subject, 'EMERGENCY_NEVER_BLOCKED', 'rule', 'emergency'));
  }
  if (subject === 'from' && channel === 'sms' && party.kind !== 'source') {
    const rule = senderRule(party, wishes.shortCodes);
    if (rule !== null) hits.push(hit(RANK.rule, 'block', subject, 'SENDER_FORMAT_RULE', 'rule', rule));
  }
  if (party.kind !== 'shortCode') lookUp(subject, party, snapshot, wishes, hits);
}

/** An address that is looked up. */
type Listed = Exclude<Party, { kind: 'shortCode' }>;

/** Ask the live layer and the lists. Old or missing data is a hit of its own. */
function lookUp(
  subject: Subject,
  party: Listed,
  snapshot: Snapshot,
  { maxStaleSeconds }: Wishes,
  hits: Hit[],
): void {
  const { release, asOf, now } = snapshot;
  const seconds = Math.floor(now / 1000);
  const entry = liveEntry(subject, party, snapshot, seconds);
  if (entry !== null && entry.op !== 'clear') {
    hits.push(liveHit(subject, party.kind === 'number' ? 'exact' : 'source', entry));
  }
  // Without a release and an entry there is nothing that could be old.
  if (now - asOf > maxStaleSeconds * 1000 && (release !== null || entry !== null)) {
    hits.push(hit(RANK.stale, 'indeterminate', subject, 'LIST_STALE', 'data'));
  }
  const complete =
    release !== null &&
    (party.kind === 'number'
      ? lookUpNumber(subject, party.n, release, entry !== null, seconds, hits)
      : lookUpSource(subject, party.text, release, entry !== null, seconds, hits));
  if (!complete) hits.push(hit(RANK.unavailable, 'indeterminate', subject, 'LIST_UNAVAILABLE', 'data'));
}

/** The live entry that decides for an address; without a release nothing is folded in. */
function liveEntry(
  subject: Subject,
  party: Listed,
  { release, live, keys }: Snapshot,
  now: number,
): LiveEntry | null {
  const foldedSeq = release === null ? 0 : release.manifest.foldedSeq;
  const bit = SUBJECT_BIT[subject];
  if (party.kind === 'number') {
    return live.find('number', headOf(party.n), tailOf(party.n), bit, foldedSeq, now);
  }
  const { kind, high, low } = sourceKey(party.text, keys.sourceSeed);
  return live.find(kind, high, low, bit, foldedSeq, now);
}

/**
 * @param superseded whether lists of folded live entries say nothing
 * @returns whether all that could list the number was loaded
 */
function lookUpNumber(
  subject: Subject,
  n: number,
  release: Release,
  superseded: boolean,
  now: number,
  hits: Hit[],
): boolean {
  const { lists } = release.manifest;
  const head = headOf(n);
  const permutedTail = release.keys.permutation.permute(tailOf(n));
  const index = release.shardIndexOf(head, permutedTail);
  const shard = release.shard(index);
  const part = shard?.partOf(head, permutedTail) ?? null;
  const { ranges } = release;
  for (let list = 0; list < lists.length; list++) {
    const info = lists[list]!;
    if (!speaks(info, subject, superseded)) continue;
    const exact = part === null ? NOT_LISTED : part.until(list, head, permutedTail, now);
    if (exact !== NOT_LISTED) hits.push(listHit(subject, info, 'exact', exact));
    const range = ranges === null ? NOT_LISTED : ranges.until(list, n, now);
    if (range !== NOT_LISTED) hits.push(listHit(subject, info, 'range', range));
  }
  return (index < 0 || shard !== null) && (release.manifest.ranges === null || ranges !== null);
}

function lookUpSource(
  subject: Subject,
  text: string,
  { manifest, sources, keys }: Release,
  superseded: boolean,
  now: number,
  hits: Hit[],
): boolean {
  if (sources === null) return manifest.sources === null;
  const fingerprint = sourceFingerprint(text, keys.sourceSeed);
  manifest.lists.forEach((info, list) => {
    if (!speaks(info, subject, superseded)) return;
    const until = sources.until(list, fingerprint, now);
    if (until !== NOT_LISTED) hits.push(listHit(subject, info, 'source', until));
  });
  return true;
}

/** Whether a list has a say on a subject. */
function speaks({ name, subjects }: ListInfo, subject: Subject, superseded: boolean): boolean {
  return subjects.includes(subject) && !(superseded && name.startsWith(FOLDED_LIST_PREFIX));
}
