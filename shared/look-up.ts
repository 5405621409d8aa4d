/**
 * Asks the live layer and the lists about one subject: its address, and what is known of the way it came.
 * Old or missing data is a hit of its own. Where any live entry decides, also one that takes others back,
 * lists into which a release has folded live entries say nothing: they are of an earlier day.
 */
import { type About, type Hit, hit, listHit, liveHit, RANK } from './hit.ts';
import { fingerprintKey, type LiveEntry, type LiveKey, numberKey, SUBJECT_BIT } from './live/entry.ts';
import { headOf, tailOf } from './numbers/number.ts';
import type { Ingress, Sender } from './question.ts';
import type { Release, SpeakingList } from './release/release.ts';
import { NOT_LISTED } from './set/number-set.ts';
import type { Snapshot, Wishes } from './snapshot.ts';
import { fingerprintsOf, type Source, type SourceFingerprints, smscSources } from './sources/source.ts';
import type { Match, Subject } from './verdict.ts';

/** One subject that is looked up. */
interface Search {
  readonly subject: Subject;
  readonly snapshot: Snapshot;
  /** Seconds since 1970. */
  readonly seconds: number;
  readonly hits: Hit[];
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
  const { release, asOf, now } = snapshot;
  const search: Search = { subject, snapshot, seconds: Math.floor(now / 1000), hits, live: false };
  if (party.kind === 'number') lookUpNumber(party.n, search);
  if (party.kind === 'source')
    lookUpSources([{ kind: 'senderId', name: party.text }], 'address', 'source', search);
  if (ingress !== null) lookUpWay(ingress, search);
  else if (party.kind === 'shortCode' || party.kind === 'localNumber') return;
  // Without a release, an entry and a policy there is nothing that could be old.
  const hasData = release !== null || search.live || ingress !== null;
  if (hasData && now - asOf > maxStaleSeconds * 1000) {
    hits.push(hit(RANK.stale, 'indeterminate', subject, 'LIST_STALE', 'data'));
  }
}

/** Each thing that is known of the way a call or text came is judged by itself. */
function lookUpWay({ operator, trunk, smsc }: Ingress, search: Search): void {
  if (operator !== null)
    lookUpSources([{ kind: 'operator', name: operator }], 'operator', 'operator', search);
  if (trunk !== null) lookUpSources([{ kind: 'trunk', name: trunk }], 'trunk', 'trunk', search);
  if (smsc !== null) lookUpSources(smscSources(smsc), 'smsc', 'smsc', search);
}

/**
 * Records that a value which this look-up needs is not loaded.
 * @param lists those that may have an entry in it; an entry of a list on trial decides nothing
 */
function missing(about: About, lists: readonly SpeakingList[], search: Search): void {
  const effects = new Set(lists.map(({ info }) => info.effect));
  effects.delete('shadow');
  if (effects.size > 0) unavailable(effects.has('allow') ? RANK.unavailable : RANK.incomplete, about, search);
}

/**
 * No release is in force, so no allow list is either: a live block and a rule decide. A block list is still
 * to come, so nothing is `allow`.
 */
function withoutRelease(about: About, search: Search): void {
  unavailable(RANK.incomplete, about, search);
}

function unavailable(rank: number, about: About, { subject, hits }: Search): void {
  hits.push(hit(rank, 'indeterminate', subject, 'LIST_UNAVAILABLE', 'data', null, about));
}

function lookUpNumber(n: number, search: Search): void {
  const { snapshot, subject, seconds, hits } = search;
  const { release } = snapshot;
  const entry = liveEntry(numberKey(n), search);
  tell(entry, 'address', 'exact', search);
  if (release === null) {
    withoutRelease('address', search);
    return;
  }
  const head = headOf(n);
  const permutedTail = release.keys.imagesAhead.imageOf(tailOf(n));
  const index = release.shardIndexOf(head, permutedTail);
  const shard = release.shard(index);
  const part = shard?.partOf(head, permutedTail) ?? null;
  const { ranges } = release;
  for (const { list, info, isFolded } of release.speaking[subject]) {
    if (isFolded && entry !== null) continue;
    const exact = part === null ? NOT_LISTED : part.until(list, head, permutedTail, seconds);
    if (exact !== NOT_LISTED) hits.push(listHit(subject, info, 'exact', exact));
    const range = ranges === null ? NOT_LISTED : ranges.until(list, n, seconds);
    if (range !== NOT_LISTED) hits.push(listHit(subject, info, 'range', range));
  }
  const lacksExact = index >= 0 && shard === null;
  const lacksRanges = release.manifest.ranges !== null && ranges === null;
  if (!lacksExact && !lacksRanges) return;
  const lists = release.speaking[subject].filter(({ info, isFolded }) => {
    const isMissing = (lacksExact && info.numbers + info.dated > 0) || (lacksRanges && info.ranges > 0);
    return isMissing && !(isFolded && entry !== null);
  });
  missing('address', lists, search);
}

/** @param sources that are one thing: an SMSC is listed by itself and by each prefix of its global title */
function lookUpSources(sources: readonly Source[], about: About, match: Match, search: Search): void {
  const { release, keys } = search.snapshot;
  let newest: LiveEntry | null = null;
  // Whether a live entry stands for every form: then lists of folded entries say nothing.
  let superseded = true;
  for (const source of sources) {
    const fingerprints = fingerprintsOf(source, keys.sourceSeed);
    const entries = liveEntries(fingerprints, search);
    superseded &&= entries.own !== null;
    const decides = decidingOf(entries);
    if (decides !== null && (newest === null || decides.seq > newest.seq)) newest = decides;
    if (release !== null) lookUpInLists(fingerprints, entries, about, match, release, search);
  }
  tell(newest, about, match, search);
  if (release === null) withoutRelease(about, search);
  else if (release.manifest.sources !== null && release.sources === null) {
    const lists = release.speaking[search.subject].filter(
      ({ info, isFolded }) => info.sources > 0 && !(isFolded && superseded),
    );
    missing(about, lists, search);
  }
}

function lookUpInLists(
  { spelling, skeleton }: SourceFingerprints,
  { own, alike }: SourceEntries,
  about: About,
  match: Match,
  { speaking, sources }: Release,
  { subject, seconds, hits }: Search,
): void {
  if (sources === null) return;
  for (const { list, info, isFolded } of speaking[subject]) {
    // Each form is superseded by what was said of it.
    let until = NOT_LISTED;
    if (!(isFolded && own !== null)) until = sources.until(list, spelling, seconds);
    const asksAlike = info.effect !== 'allow' && skeleton !== spelling;
    if (asksAlike && !(isFolded && (own !== null || alike !== null))) {
      until = Math.max(until, sources.until(list, skeleton, seconds));
    }
    if (until !== NOT_LISTED) hits.push(listHit(subject, info, match, until, about));
  }
}

/** What was said of a source by its spelling, and of what looks like it. */
interface SourceEntries {
  readonly own: LiveEntry | null;
  readonly alike: LiveEntry | null;
}

function liveEntries({ spelling, skeleton }: SourceFingerprints, search: Search): SourceEntries {
  const own = liveEntry(fingerprintKey(spelling), search);
  return { own, alike: skeleton === spelling ? null : liveEntry(fingerprintKey(skeleton), search) };
}

/** What was said of its spelling goes before what was said of a look-alike, which is never let through. */
function decidingOf({ own, alike }: SourceEntries): LiveEntry | null {
  if (own !== null && own.op !== 'clear') return own;
  return alike?.op === 'block' ? alike : null;
}

function tell(entry: LiveEntry | null, about: About, match: Match, { subject, hits }: Search): void {
  if (entry !== null && entry.op !== 'clear') hits.push(liveHit(subject, match, entry, about));
}

/** The live entry that decides for a key; without a release nothing is folded in. */
function liveEntry({ kind, high, low }: LiveKey, search: Search): LiveEntry | null {
  const { release, live } = search.snapshot;
  const foldedSeq = release === null ? 0 : release.manifest.foldedSeq;
  const entry = live.find(kind, high, low, SUBJECT_BIT[search.subject], foldedSeq, search.seconds);
  search.live ||= entry !== null;
  return entry;
}
