/**
 * Decides what the feed says about a party. The decision is that of the edge by the live layer and the lists
 * alone, made by the same code (shared/screening/look-up.ts).
 */
import type { PartyEntry } from '../../shared/feed/entry.ts';
import { LiveLayer } from '../../shared/live/live-layer.ts';
import { encodeSegment, Segment } from '../../shared/live/segment.ts';
import { prefixOf, suffixOf } from '../../shared/numbers/number.ts';
import { FOLDED_LIST_PREFIX } from '../../shared/release/manifest.ts';
import type { Release } from '../../shared/release/release.ts';
import { type Finding, PRECEDENCE } from '../../shared/screening/finding.ts';
import { lookUpListed } from '../../shared/screening/look-up.ts';
import { strongestOf } from '../../shared/screening/screen.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { FOREVER } from '../../shared/set/layout.ts';
import { fingerprintsOf, parseSource, type Source } from '../../shared/sources/source.ts';
import type { LivePlaceRow } from '../storage/feed-port.ts';
import type { Party } from './party-rows.ts';
import { entriesOf, isNumber, numberOf } from './place-rows.ts';

/** A party, with the rows of its places that can affect its entry. */
export interface Followed {
  readonly party: Party;
  readonly rows: ReadonlyMap<string, readonly LivePlaceRow[]>;
}

export interface Decided {
  readonly party: Party;
  readonly entry: PartyEntry | null;
  /** Whether rows of the live layer name the party, even if they only let the lists decide. */
  readonly hasRows: boolean;
  /** When the decision may change because of time alone, in seconds since 1970; null for never. */
  readonly due: number | null;
}

/** The rows of all these parties as a live layer. */
export function layerOf(followed: readonly Followed[], keys: ListKeys): LiveLayer {
  const places = new Map(followed.flatMap(({ rows }) => [...rows]));
  const entries = [...places].flatMap(([place, rows]) => entriesOf(place, rows, keys));
  return new LiveLayer([], new Segment(encodeSegment(entries)));
}

/** @param live a layer with the rows of the party, under `keys` @param now seconds since 1970 */
export function decide(
  { party, rows }: Followed,
  release: Release | null,
  live: LiveLayer,
  keys: ListKeys,
  now: number,
): Decided {
  const { subject } = party;
  const listed = listedOf(party);
  const findings: Finding[] = [];
  lookUpListed(subject, listed, { release, live, keys, now: now * 1000 }, findings);
  const found =
    release === null ? findings.filter(({ precedence }) => precedence !== PRECEDENCE.incomplete) : findings;
  const deciding = found.length === 0 ? null : strongestOf(found);
  if (deciding?.verdict === 'indeterminate') throw new Error('a value of the release is not loaded');
  const entry = deciding === null ? null : entryOf(party, deciding);
  const own = [...rows.values()].flat().filter(({ subjects }) => subjects.includes(subject));
  const ends = [
    ...own.map(({ until }) => until),
    entry?.until == null ? FOREVER : Date.parse(entry.until) / 1000,
    release === null ? FOREVER : beginOf(release, party, listed, now),
  ];
  const due = Math.min(...ends);
  return { party, entry, hasRows: own.length > 0, due: due >= FOREVER ? null : due };
}

function listedOf({ party, source }: Party): number | Source {
  if (isNumber(party)) return numberOf(party);
  const parsed = parseSource(source ?? '');
  if (!parsed.ok) throw new Error('a source of the feed has no text');
  return parsed.value;
}

/** The entry for a finding; null for the effects `shadow` and `indeterminate`, which the feed does not share. */
function entryOf({ party, subject, source }: Party, { reason }: Finding): PartyEntry | null {
  const { effect, code, authority, list, until, rule = null, stage = null } = reason;
  if (effect === 'shadow' || effect === 'indeterminate') return null;
  const isLive = list === null || list.startsWith(FOLDED_LIST_PREFIX);
  return {
    ...(isNumber(party) ? { number: party, source: null } : { number: null, source }),
    ...{ subject, effect, code: effect === 'allow' ? null : code, authority: authority ?? '' },
    ...{ list: isLive ? 'live' : list, rule, stage, until },
  };
}

/** When the next entry of a list that is not in force yet begins, in seconds since 1970; FOREVER if there is none. */
function beginOf(release: Release, { subject }: Party, listed: number | Source, now: number): number {
  const { ranges, sources, keys } = release;
  let begin = FOREVER;
  if (typeof listed === 'number') {
    const prefix = prefixOf(listed);
    const image = keys.permutation.permute(suffixOf(listed));
    const part = release.shard(release.shardIndexOf(prefix, image))?.partOf(prefix, image) ?? null;
    const hasDates = part?.mayHaveDates(prefix, image) === true;
    for (const { list } of release.listsBySubject[subject]) {
      if (hasDates) begin = Math.min(begin, part.begins(list, prefix, image, now));
      begin = Math.min(begin, ranges?.begins(list, listed, now) ?? FOREVER);
    }
    return begin;
  }
  const prints = fingerprintsOf(listed, keys.sourceSeed);
  for (const { list, info } of release.listsBySubject[subject]) {
    const forms = info.effect === 'allow' ? [prints.spelling] : [prints.spelling, prints.skeleton];
    for (const print of forms) begin = Math.min(begin, sources?.begins(list, print, now) ?? FOREVER);
  }
  return begin;
}
