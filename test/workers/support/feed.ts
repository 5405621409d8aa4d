/** The real store of the feed, called over RPC, the result of its log, and the edge's decisions at the same time. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import { PublishedCredentials } from '../../../shared/credentials/published.ts';
import { parseCursor } from '../../../shared/feed/cursor.ts';
import { digestOf, digestOfStatement } from '../../../shared/feed/digest.ts';
import { type FeedEntry, type FeedEvent, isPartyEntry, type PartyEntry } from '../../../shared/feed/entry.ts';
import { parseEpoch } from '../../../shared/feed/statement.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import { parseListed } from '../../../shared/numbers/parse.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import { releaseKey } from '../../../shared/release/kv-keys.ts';
import { blobsOf, FOLDED_LIST_PREFIX, type Manifest } from '../../../shared/release/manifest.ts';
import { Release } from '../../../shared/release/release.ts';
import { screen } from '../../../shared/screening/screen.ts';
import { RegistrationOverlay } from '../../../shared/senders/registration-overlay.ts';
import type { ListKeys } from '../../../shared/set/keys.ts';
import { notesIn } from '../../../shared/signed-note.ts';
import { NO_TEXT } from '../../../shared/text/published.ts';
import type { Subject } from '../../../shared/verdict.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { FeedStore } from '../../../workers/feed/feed-store.ts';
import { FEED_NAME, type FeedPage, type KeptEvent } from '../../../workers/storage/feed-port.ts';
import { clientSettings } from '../../shared/support/screen-world.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { coordinator, readHead } from './coordinator.ts';

type Stub = {
  [Name in keyof FeedStore]: FeedStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function feedStub(): DurableObjectStub {
  return (env as unknown as ControlEnv).FEED.getByName(FEED_NAME) as unknown as DurableObjectStub;
}

export function feed(): Stub {
  return feedStub() as unknown as Stub;
}

/** Waits until the feed has nothing left to do now. */
export async function drained(): Promise<void> {
  for (let isDone = false; !isDone; )
    isDone = await runInDurableObject(feedStub(), async (instance, { storage }) => {
      await storage.deleteAlarm();
      await (instance as unknown as FeedStore).alarm();
      return ((await storage.getAlarm()) ?? Number.POSITIVE_INFINITY) > Date.now();
    });
  const { pending } = await feed().status();
  expect(pending).toBe(0);
}

/** Runs the feed once, whether or not it succeeds. */
export async function ran(): Promise<void> {
  await runInDurableObject(feedStub(), (instance) => (instance as unknown as FeedStore).alarm());
}

/** Runs work without notifying the feed of its changes. */
export async function unheard<Value>(work: () => Promise<Value>): Promise<Value> {
  const { FEED } = env as unknown as ControlEnv;
  const watched = vi.spyOn(FEED, 'getByName').mockReturnValue({ poke: async () => undefined } as never);
  try {
    return await work();
  } finally {
    watched.mockRestore();
  }
}

export async function pageAfter(cursor: string | null): Promise<FeedPage> {
  const page = await feed().read(cursor, 0);
  if (!page.ok) throw new Error(page.code);
  return page.value;
}

/** All events after a cursor, with a consumer's checks of the chain. @param cursor null for the beginning */
export async function eventsAfter(cursor: string | null): Promise<KeptEvent[]> {
  const events: KeptEvent[] = [];
  let position = cursor === null ? 0 : parseCursor(cursor)!.position;
  let digest: string | null = null;
  for (let next = cursor; ; ) {
    const page = await pageAfter(next);
    const [first] = page.events;
    if (first === undefined) return events;
    const isNewEpoch = events.length > 0 && events.at(-1)!.epoch !== page.epoch;
    if (digest !== null) expect(page.previous).toBe(isNewEpoch ? await startOf(page.epoch, digest) : digest);
    digest = page.previous;
    for (const event of page.events) {
      expect([event.position, event.epoch]).toEqual([++position, page.epoch]);
      digest = digestOf(digest, event);
      expect(event.digest).toBe(digest);
    }
    events.push(...page.events);
    next = page.next;
  }
}

/** The digest that the first event of an epoch follows, from the epoch's statement. */
export async function startOf(epoch: number, previous: string | null): Promise<string> {
  const found = await feed().epoch(epoch);
  if (!found.ok || found.value === null) throw new Error(`no epoch ${epoch}`);
  const [{ note } = { note: null }] = notesIn(found.value);
  expect(parseEpoch(note!.text)).toMatchObject({ epoch, previous });
  return digestOfStatement(note!.text);
}

export type Entries = ReadonlyMap<string, FeedEntry>;

/** The snapshot, by reference. @param limit of a page */
export async function snapshotOf(
  limit = 1_000,
): Promise<{ entries: Map<string, FeedEntry>; cursor: string }> {
  const entries = new Map<string, FeedEntry>();
  let cursor: string | null = null;
  for (let after: number | null = 0; after !== null; ) {
    const page = await feed().snapshot(after, limit);
    if (!page.ok) throw new Error(page.code);
    const { feed: id, epoch, position, next } = page.value;
    cursor ??= `${id}.${epoch}.${position}`;
    for (const { reference, entry } of page.value.entries) entries.set(reference, entry);
    after = next;
  }
  return { entries, cursor: cursor! };
}

/** Applies events to entries. */
export function replayed(from: Entries, events: readonly FeedEvent[]): Map<string, FeedEntry> {
  const entries = new Map(from);
  for (const { reference, entry } of events) {
    if (entry === null) entries.delete(reference);
    else entries.set(reference, entry);
  }
  return entries;
}

/** The entry, which must be of a number or sender ID. */
export function partyOf(entry: FeedEntry | null): PartyEntry | null {
  if (entry !== null && !isPartyEntry(entry)) throw new Error('the entry is not about a party');
  return entry;
}

/** An entry in short form, without its authority and list. */
export function short(entry: FeedEntry | null | undefined): string {
  if (entry == null) return 'none';
  if (entry.subject === 'host') return `host ${entry.host} ${entry.list} ${entry.effect} ${entry.authority}`;
  if (entry.subject === 'campaign') return `campaign ${entry.fingerprint.slice(0, 4)} ${entry.until}`;
  const { number, source, subject, effect, code, until, rule, stage } = entry;
  return [subject, number ?? source, effect, code, rule, stage, until]
    .filter((word) => word !== null)
    .join(' ');
}

/** The followed parties: those with an entry in the feed or a row in the live layer. */
export function followed(): Promise<{ party: string; subject: Subject; source: string | null }[]> {
  return runInDurableObject(feedStub(), (_: unknown, { storage }: DurableObjectState) =>
    storage.sql
      .exec<{ party: string; subject: Subject; source: string | null }>(
        'SELECT party, subject, source FROM parties',
      )
      .toArray(),
  );
}

const releases = new Map<string, Release>();

/** A release with all its values, read from KV. */
async function wholeRelease(name: string, keys: ListKeys): Promise<Release> {
  const known = releases.get(name);
  if (known !== undefined) return known;
  const bytes = await coordinator().value(releaseKey(name));
  const { signed } = JSON.parse(new TextDecoder().decode(bytes!)) as { signed: string };
  const manifest = JSON.parse(signed) as Manifest;
  const release = new Release(manifest, keys);
  for (const blob of blobsOf(manifest)) {
    const value = await env.LISTS.get(blob.key, 'arrayBuffer');
    const installed = await release.install(blob, new Uint8Array(value!));
    if (!installed.ok) throw new Error(installed.message);
  }
  releases.set(name, release);
  return release;
}

/** The edge's decision, in the form that `short` gives an entry, and the list. */
export interface Screened {
  readonly words: string;
  readonly list: string | null;
}

/** The result of `screen` with the head that readers get, and with all values. */
export async function screenedBy(
  parties: readonly { readonly party: string; readonly subject: Subject; readonly source?: string | null }[],
  keys = testKeys,
): Promise<Screened[]> {
  const read = await readHead();
  const current = read?.head.current ?? null;
  const snapshot = {
    release: current === null ? null : await wholeRelease(current.release, keys),
    ...{
      live: read?.live ?? LiveLayer.EMPTY,
      registrations: RegistrationOverlay.EMPTY,
      organisations: new Map(),
    },
    ...{ credentials: PublishedCredentials.NONE, tokens: new Map(), passports: new Map() },
    ...{ text: NO_TEXT, texts: new Map() },
    ...{ policy: STANDARD_POLICY, keys, seq: 1, asOf: Date.now(), now: Date.now() },
  };
  const settings = clientSettings({ senderRules: 'none' });
  return parties.map(({ party, subject, source = null }) => {
    const parsed = parseListed(source ?? party);
    if (parsed.kind === 'ambiguous' || parsed.kind === 'invalid') throw new Error('the party is not clear');
    const request = {
      ...{ from: null, to: null, channel: 'sms' as const, ingress: null, identity: null, otherReadings: [] },
      [subject]: parsed,
    };
    const { reasons } = screen(request as never, snapshot, settings);
    const found = reasons.find(({ effect, match }) => match !== 'data' && effect !== 'shadow');
    if (found === undefined) return { words: 'none', list: null };
    const { effect, code, rule = null, stage = null, until, list } = found;
    const words = [subject, source ?? party, effect, effect === 'allow' ? null : code, rule, stage, until];
    return { words: words.filter((word) => word !== null).join(' '), list };
  });
}

/** Whether the live layer decides, or a list that was made from it. */
export function isLive(list: string | null): boolean {
  return list !== null && (list === 'live' || list.startsWith(FOLDED_LIST_PREFIX));
}
