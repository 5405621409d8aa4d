/**
 * Asks the live layer and the lists about one subject: its address, and what is known of the way it came.
 * Old or missing data is a hit of its own. Where any live entry decides, also one that takes others back,
 * lists into which a release has folded live entries say nothing: they are of an earlier day.
 */
import { type About, type Hit, hit, listHit, liveHit, RANK } from './hit.ts';
import { type LiveEntry, type LiveKey, numberKey, printKey, SUBJECT_BIT } from './live/entry.ts';
import { headOf, tailOf } from './numbers/number.ts';
import type { Ingress, Party, Sender } from './question.ts';
import { FOLDED_LIST_PREFIX, type ListInfo } from './release/manifest.ts';
import { NOT_LISTED } from './set/number-set.ts';
import type { Snapshot, Wishes } from './snapshot.ts';
import {
  formFor,
  printsOf,
  type Source,
  type SourceKind,
  type SourcePrints,
  smscSources,
} from './sources/source.ts';
import type { Match, Subject } from './verdict.ts';

/** One subject that is looked up. */
interface Search {
  readonly subject: Subject;
  readonly snapshot: Snapshot;
  /** Seconds since 1970. */
  readonly seconds: number;
  readonly hits: Hit[];
  /** Whether all that could list the subject was loaded. */
  complete: boolean;
  /** Whether a live entry was found. */
  live: boolean;
}

/** @param ingress null where the subject is not a sender at a gateway */
export function lookUp(
  subject: Subject,
  party: Sender,
  ingress: Ingress | null,
  snapshot: Snapshot,
  { maxStaleSeconds }: Wishes,
  hits: Hit[],
): void {
  const sources = ingress === null ? NO_SOURCES : sourcesOf(ingress);
  const isListed = party.kind === 'number' || party.kind === 'source';
  if (!isListed && sources.length === 0) return;
  const { release, asOf, now } = snapshot;
  const seconds = Math.floor(now / 1000);
  const search: Search = { subject, snapshot, seconds, hits, complete: release !== null, live: false };
  if (party.kind === 'number') lookUpNumber(party, search);
  if (party.kind === 'source')
    lookUpSource({ kind: 'senderId', name: party.text }, 'address', 'source', search);
  for (const source of sources) lookUpSource(source, source.kind, source.kind, search);
  // Without a release and an entry there is nothing that could be old.
  if (now - asOf > maxStaleSeconds * 1000 && (release !== null || search.live)) {
    hits.push(hit(RANK.stale, 'indeterminate', subject, 'LIST_STALE', 'data'));
  }
  if (!search.complete)
    hits.push(hit(RANK.unavailable, 'indeterminate', subject, 'LIST_UNAVAILABLE', 'data'));
}

/** A source of the way a call or text came: each kind is a thing of its own to be judged. */
type WaySource = Source<Exclude<SourceKind, 'senderId'>>;
const NO_SOURCES: readonly WaySource[] = [];

function sourcesOf({ operator, trunk, smsc }: Ingress): readonly WaySource[] {
  if (operator === null && trunk === null && smsc === null) return NO_SOURCES;
  return [
    ...(operator === null ? [] : [{ kind: 'operator', name: operator } as const]),
    ...(trunk === null ? [] : [{ kind: 'trunk', name: trunk } as const]),
    ...(smsc === null ? [] : smscSources(smsc)),
  ];
}

function lookUpNumber({ n }: Extract<Party, { kind: 'number' }>, search: Search): void {
  const { snapshot, subject, seconds, hits } = search;
  const { release } = snapshot;
  const entry = liveEntry(numberKey(n), search);
  if (entry !== null) tell(entry, 'address', 'exact', search);
  if (release === null) return;
  const { lists } = release.manifest;
  const head = headOf(n);
  const permutedTail = release.keys.permutation.permute(tailOf(n));
  const index = release.shardIndexOf(head, permutedTail);
  const shard = release.shard(index);
  const part = shard?.partOf(head, permutedTail) ?? null;
  const { ranges } = release;
  for (let list = 0; list < lists.length; list++) {
    const info = lists[list]!;
    if (!speaks(info, subject, entry !== null)) continue;
    const exact = part === null ? NOT_LISTED : part.until(list, head, permutedTail, seconds);
    if (exact !== NOT_LISTED) hits.push(listHit(subject, info, 'exact', exact));
    const range = ranges === null ? NOT_LISTED : ranges.until(list, n, seconds);
    if (range !== NOT_LISTED) hits.push(listHit(subject, info, 'range', range));
  }
  search.complete &&= (index < 0 || shard !== null) && (release.manifest.ranges === null || ranges !== null);
}

function lookUpSource(source: Source, about: About, match: Match, search: Search): void {
  const { snapshot, subject, seconds, hits } = search;
  const { release, keys } = snapshot;
  const prints = printsOf(source, keys.sourceSeed);
  const entry = liveSourceEntry(prints, search);
  if (entry !== null) tell(entry, about, match, search);
  if (release === null) return;
  const { manifest, sources } = release;
  search.complete &&= manifest.sources === null || sources !== null;
  if (sources === null) return;
  for (let list = 0; list < manifest.lists.length; list++) {
    const info = manifest.lists[list]!;
    if (!speaks(info, subject, entry !== null)) continue;
    const until = sources.until(list, formFor(prints, info.effect), seconds);
    if (until !== NOT_LISTED) hits.push(listHit(subject, info, match, until, about));
  }
}

function tell(entry: LiveEntry, about: About, match: Match, { subject, hits }: Search): void {
  if (entry.op !== 'clear') hits.push(liveHit(subject, match, entry, about));
}

/** The live entry that decides for a key; without a release nothing is folded in. */
function liveEntry({ kind, high, low }: LiveKey, search: Search): LiveEntry | null {
  const { release, live } = search.snapshot;
  const foldedSeq = release === null ? 0 : release.manifest.foldedSeq;
  const entry = live.find(kind, high, low, SUBJECT_BIT[search.subject], foldedSeq, search.seconds);
  search.live ||= entry !== null;
  return entry;
}

/** Of what was said of a source and of what looks like it, the newest; a look-alike is never let through. */
function liveSourceEntry({ exact, alike }: SourcePrints, search: Search): LiveEntry | null {
  const entry = liveEntry(printKey(alike), search);
  if (exact === alike) return entry;
  const own = liveEntry(printKey(exact), search);
  if (entry === null || (own !== null && own.seq > entry.seq)) return own;
  return entry.op === 'unblock' ? { ...entry, op: 'clear', code: null } : entry;
}

/** Whether a list has a say on a subject. @param superseded whether a live entry decides */
function speaks({ name, subjects }: ListInfo, subject: Subject, superseded: boolean): boolean {
  return subjects.includes(subject) && !(superseded && name.startsWith(FOLDED_LIST_PREFIX));
}
