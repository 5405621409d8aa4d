/**
 * Looks up one subject in the live layer and the lists: the party itself and its ingress.
 * Stale or missing data is a finding of its own. If any live entry decides, even a `clear`, lists of folded
 * entries are skipped, because they are older.
 */

import { fingerprintKey, type LiveEntry, type LiveKey, numberKey, SUBJECT_BIT } from '../live/entry.ts';
import { prefixOf, suffixOf } from '../numbers/number.ts';
import type { Release, SubjectList } from '../release/release.ts';
import type { Ingress, Sender } from '../request.ts';
import { NOT_LISTED } from '../set/number-set.ts';
import { fingerprintsOf, type Source, type SourceFingerprints, smscSources } from '../sources/source.ts';
import type { Match, Subject } from '../verdict.ts';
import { type Aspect, type Finding, finding, listFinding, liveFinding, PRECEDENCE } from './finding.ts';
import type { ClientSettings, Snapshot } from './snapshot.ts';

/**
 * Without a release, no allow list is in force, so a live block or a rule still decides. The first release may
 * bring a block list, so the verdict is never `allow`.
 */
const WITHOUT_RELEASE = PRECEDENCE.incomplete;

/** The part of a snapshot that look-ups in the live layer and the lists need. */
export type ListedSnapshot = Pick<Snapshot, 'release' | 'live' | 'keys' | 'now'>;

/** The look-up of one subject while it runs. */
interface LookUpState {
  readonly subject: Subject;
  readonly snapshot: ListedSnapshot;
  /** Seconds since 1970. */
  readonly seconds: number;
  readonly findings: Finding[];
  /** Whether a live entry was found. */
  live: boolean;
}

/** @param ingress null unless the subject is a sender at a gateway */
export function lookUp(
  subject: Subject,
  party: Sender,
  ingress: Ingress | null,
  snapshot: Snapshot,
  { maxStaleSeconds }: ClientSettings,
  findings: Finding[],
): void {
  const { release, asOf, now } = snapshot;
  const state: LookUpState = { subject, snapshot, seconds: Math.floor(now / 1000), findings, live: false };
  if (party.kind === 'number') lookUpNumber(party.n, state);
  if (party.kind === 'source')
    lookUpSources([{ kind: 'senderId', name: party.text }], 'party', 'source', state);
  if (ingress !== null) lookUpIngress(ingress, state);
  else if (party.kind === 'shortCode' || party.kind === 'localNumber') return;
  // Without a release, a live entry and a policy, no data can be stale.
  const hasData = release !== null || state.live || ingress !== null;
  if (hasData && now - asOf > maxStaleSeconds * 1000) {
    findings.push(finding(PRECEDENCE.stale, 'indeterminate', subject, 'LIST_STALE', 'data'));
  }
}

/** Looks up one number or source in the live layer and the lists, and nowhere else. */
export function lookUpListed(
  subject: Subject,
  listed: number | Source,
  snapshot: ListedSnapshot,
  findings: Finding[],
): void {
  const seconds = Math.floor(snapshot.now / 1000);
  const state: LookUpState = { subject, snapshot, seconds, findings, live: false };
  if (typeof listed === 'number') lookUpNumber(listed, state);
  else lookUpSources([listed], 'party', 'source', state);
}

/** Looks up each property of the ingress as its own aspect. */
function lookUpIngress({ operator, trunk, smsc }: Ingress, state: LookUpState): void {
  if (operator !== null) lookUpSources([{ kind: 'operator', name: operator }], 'operator', 'operator', state);
  if (trunk !== null) lookUpSources([{ kind: 'trunk', name: trunk }], 'trunk', 'trunk', state);
  if (smsc !== null) lookUpSources(smscSources(smsc), 'smsc', 'smsc', state);
}

/**
 * Records that a value needed for this look-up is not loaded.
 * @param lists lists that may have an entry in the value; entries of a shadow list decide nothing
 */
function markMissing(aspect: Aspect, lists: readonly SubjectList[], state: LookUpState): void {
  const effects = new Set(lists.map(({ info }) => info.effect));
  effects.delete('shadow');
  if (effects.size > 0)
    addUnavailable(effects.has('allow') ? PRECEDENCE.unavailable : PRECEDENCE.incomplete, aspect, state);
}

function addUnavailable(precedence: number, aspect: Aspect, { subject, findings }: LookUpState): void {
  findings.push(finding(precedence, 'indeterminate', subject, 'LIST_UNAVAILABLE', 'data', null, aspect));
}

function lookUpNumber(n: number, state: LookUpState): void {
  const { snapshot, subject, seconds, findings } = state;
  const { release } = snapshot;
  const entry = liveEntry(numberKey(n), state);
  addLiveFinding(entry, 'party', 'exact', n, state);
  if (release === null) {
    addUnavailable(WITHOUT_RELEASE, 'party', state);
    return;
  }
  const prefix = prefixOf(n);
  const permutedSuffix = release.keys.preparedImages.imageOf(suffixOf(n));
  const index = release.shardIndexOf(prefix, permutedSuffix);
  const shard = release.shard(index);
  const part = shard?.partOf(prefix, permutedSuffix) ?? null;
  const { ranges } = release;
  const all = release.listsBySubject[subject];
  const undated = release.undatedBySubject[subject];
  const skipsDated =
    undated.length < all.length && part !== null && !part.mayHaveDates(prefix, permutedSuffix);
  const lists = skipsDated ? undated : all;
  for (const { list, info, isFolded } of lists) {
    if (isFolded && entry !== null) continue;
    const exact = part === null ? NOT_LISTED : part.until(list, prefix, permutedSuffix, seconds);
    if (exact !== NOT_LISTED) findings.push(listFinding(subject, info, 'exact', exact, n));
    const range = ranges === null ? NOT_LISTED : ranges.until(list, n, seconds);
    if (range !== NOT_LISTED) findings.push(listFinding(subject, info, 'range', range, n));
  }
  const lacksExact = index >= 0 && shard === null;
  const lacksRanges = release.manifest.ranges !== null && ranges === null;
  if (!lacksExact && !lacksRanges) return;
  const lacking = all.filter(({ info, isFolded }) => {
    const isMissing = (lacksExact && info.numbers + info.dated > 0) || (lacksRanges && info.ranges > 0);
    return isMissing && !(isFolded && entry !== null);
  });
  markMissing('party', lacking, state);
}

/** @param sources forms of one source: an SMSC is listed as a whole and by each prefix of its global title */
function lookUpSources(sources: readonly Source[], aspect: Aspect, match: Match, state: LookUpState): void {
  const { release, keys } = state.snapshot;
  // Operators, trunks and SMSCs have no appeal, because senders do not know them.
  const party = aspect === 'party' ? sources[0]!.name : null;
  let newest: LiveEntry | null = null;
  // Whether every form has a live entry. If so, lists of folded entries are skipped.
  let superseded = true;
  for (const source of sources) {
    const fingerprints = fingerprintsOf(source, keys.sourceSeed);
    const entries = liveEntries(fingerprints, state);
    superseded &&= entries.own !== null;
    const decides = decidingEntry(entries);
    if (decides !== null && (newest === null || decides.seq > newest.seq)) newest = decides;
    if (release === null) continue;
    const listed = release.keys === keys ? fingerprints : fingerprintsOf(source, release.keys.sourceSeed);
    lookUpInLists(listed, entries, aspect, match, party, release, state);
  }
  addLiveFinding(newest, aspect, match, party, state);
  if (release === null) addUnavailable(WITHOUT_RELEASE, aspect, state);
  else if (release.manifest.sources !== null && release.sources === null) {
    const lists = release.listsBySubject[state.subject].filter(
      ({ info, isFolded }) => info.sources > 0 && !(isFolded && superseded),
    );
    markMissing(aspect, lists, state);
  }
}

function lookUpInLists(
  { spelling, skeleton }: SourceFingerprints,
  { own, alike }: SourceEntries,
  aspect: Aspect,
  match: Match,
  party: string | null,
  { listsBySubject, sources }: Release,
  { subject, seconds, findings }: LookUpState,
): void {
  if (sources === null) return;
  for (const { list, info, isFolded } of listsBySubject[subject]) {
    // A live entry for a form supersedes the folded entries of that form.
    let until = NOT_LISTED;
    if (!(isFolded && own !== null)) until = sources.until(list, spelling, seconds);
    const checksSkeleton = info.effect !== 'allow' && skeleton !== spelling;
    if (checksSkeleton && !(isFolded && (own !== null || alike !== null))) {
      until = Math.max(until, sources.until(list, skeleton, seconds));
    }
    if (until !== NOT_LISTED) findings.push(listFinding(subject, info, match, until, party, aspect));
  }
}

/** Live entries for the spelling of a source, and for its skeleton, which matches look-alikes. */
interface SourceEntries {
  readonly own: LiveEntry | null;
  readonly alike: LiveEntry | null;
}

function liveEntries({ spelling, skeleton }: SourceFingerprints, state: LookUpState): SourceEntries {
  const own = liveEntry(fingerprintKey(spelling), state);
  return { own, alike: skeleton === spelling ? null : liveEntry(fingerprintKey(skeleton), state) };
}

/** An entry for the spelling wins over one for the skeleton. An unblock of a look-alike is ignored. */
function decidingEntry({ own, alike }: SourceEntries): LiveEntry | null {
  if (own !== null && own.op !== 'clear') return own;
  return alike?.op === 'block' ? alike : null;
}

function addLiveFinding(
  entry: LiveEntry | null,
  aspect: Aspect,
  match: Match,
  party: number | string | null,
  { subject, findings }: LookUpState,
): void {
  if (entry !== null && entry.op !== 'clear')
    findings.push(liveFinding(subject, match, entry, party, aspect));
}

/** The live entry that decides for a key. Without a release, no entry is folded. */
function liveEntry({ kind, high, low }: LiveKey, state: LookUpState): LiveEntry | null {
  const { release, live } = state.snapshot;
  const foldedSeq = release === null ? 0 : release.manifest.foldedSeq;
  const entry = live.find(kind, high, low, SUBJECT_BIT[state.subject], foldedSeq, state.seconds);
  state.live ||= entry !== null;
  return entry;
}
