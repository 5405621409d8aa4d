/**
 * `GET /v1/decisions/stream`: blocks and their ends as CrowdSec decisions, for CrowdSec bouncers. A bouncer keeps no cursor, so
 * the store of the feed keeps one for each client. Bouncers cannot decrypt, so only clients without encryption may read.
 *
 * Only blocks become decisions, because a bouncer may not distinguish a label from a block. Blocks of recipients have the scope
 * `recipient`. A bouncer gets them only on request, because many bouncers pass on only the value.
 */
import { utf8 } from '../../shared/bytes.ts';
import { isPartyEntry, type PartyEntry } from '../../shared/feed/entry.ts';
import { FEED_SNAPSHOT_PAGE_MAX } from '../../shared/limits/feed.ts';
import { FEED_DECISION_HOURS } from '../../shared/limits/feed-http.ts';
import type { Handler } from '../http/app.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import {
  type FeedObject,
  type FeedSnapshotPage,
  isPartyEvent,
  type KeptEvent,
} from '../storage/feed-port.ts';
import { forConsumers, limitSnapshots } from './consumers.ts';
import { callFeed } from './pages.ts';

const SCOPES = ['phone', 'sender'] as const;
const RECIPIENT = 'recipient';
const ORIGIN = 'numgate';
/** The parameters that bouncers send. Lists are separated by commas. */
const PARAMETERS = {
  startup: 'flag',
  dedup: 'flag',
  community_pull: 'flag',
  additional_pull: 'flag',
  scopes: 'text',
  origins: 'text',
  scenarios_containing: 'text',
  scenarios_not_containing: 'text',
} as const;

/** Which decisions a bouncer wants. */
type Filter = (entry: PartyEntry) => boolean;

interface Decision {
  readonly id: number;
  readonly origin: typeof ORIGIN;
  readonly type: 'ban';
  readonly scope: string;
  readonly value: string;
  /** In the format of Go: `14340s`. */
  readonly duration: string;
  readonly scenario: string;
}

const readDecisions = forConsumers(async (context) => {
  const { url, reply, client, access, feed } = context;
  const parameters = parametersOf(url, PARAMETERS);
  if (!parameters.ok) return parameters;
  if (access.encryption !== 'none') {
    const remedy = 'give the bouncer a client of its own, with --feed none';
    return problem('PERMISSION_DENIED', `decisions are for clients without encryption: ${remedy}`);
  }
  const { text, flag } = parameters.value;
  const filter = filterOf(text);
  const isStart = flag.startup === true;
  const limited = isStart ? limitSnapshots(context) : null;
  if (limited !== null) return limited;
  // Read the changes before the snapshot, so that the next answer contains whatever changes meanwhile.
  const changes = await callFeed(feed.decisions(client.id, isStart));
  if (!changes.ok) return changes;
  if (!changes.value.isStart) return reply.json(changesOf(changes.value.events, filter));
  const first = await callFeed(feed.snapshot(0, FEED_SNAPSHOT_PAGE_MAX));
  if (!first.ok) return first;
  return reply.stream(allFrom(first.value, feed, filter), 'application/json');
});

/** Bouncers send their key as `X-Api-Key`. */
export const streamDecisions: Handler = (context, params) => {
  const { request } = context;
  const key = request.headers.get('x-api-key');
  if (key === null || request.headers.has('authorization')) return readDecisions(context, params);
  const headers = new Headers(request.headers);
  headers.set('authorization', `Bearer ${key}`);
  return readDecisions({ ...context, request: new Request(request, { headers }) }, params);
};

function filterOf(text: Readonly<Record<string, string>>): Filter {
  const list = (name: string): readonly string[] =>
    (text[name] ?? '').split(',').filter((word) => word !== '');
  const scopes = list('scopes').length > 0 ? list('scopes') : SCOPES;
  const origins = list('origins');
  const containing = list('scenarios_containing');
  const without = list('scenarios_not_containing');
  return (entry) => {
    const scenario = entry.code ?? '';
    return (
      scopes.includes(scopeOf(entry)) &&
      (origins.length === 0 || origins.includes(ORIGIN)) &&
      (containing.length === 0 || containing.some((word) => scenario.includes(word))) &&
      !without.some((word) => scenario.includes(word))
    );
  };
}

function scopeOf({ subject, number }: PartyEntry): string {
  if (subject === 'to') return RECIPIENT;
  return number === null ? 'sender' : 'phone';
}

function changesOf(events: readonly KeptEvent[], filter: Filter): object {
  const added: Decision[] = [];
  const deleted: Decision[] = [];
  // Bouncers act only on numbers and sender IDs.
  for (const { position, entry, before } of events.filter(isPartyEvent)) {
    if (entry?.effect === 'block' && filter(entry)) added.push(decisionOf(entry, position));
    // Delete it even if it was no block just before: it may have been one at the last request of the bouncer.
    const gone = entry?.effect === 'block' && filter(entry) ? null : (before ?? entry);
    if (gone !== null && isInScope(gone, filter)) deleted.push(decisionOf(gone, position));
  }
  return { new: added, deleted };
}

/** Whether the bouncer may have the entry. Also tried without its code, because the entry may have had another one. */
function isInScope(entry: PartyEntry, filter: Filter): boolean {
  return filter({ ...entry, code: null }) || filter(entry);
}

function decisionOf(entry: PartyEntry, position: number): Decision {
  const { number, source, code, until } = entry;
  const seconds =
    until === null
      ? FEED_DECISION_HOURS * 3_600
      : Math.max(1, Math.ceil((Date.parse(until) - Date.now()) / 1_000));
  return {
    ...{ id: position, origin: ORIGIN, type: 'ban', scope: scopeOf(entry) },
    value: number ?? source ?? '',
    duration: `${seconds}s`,
    scenario: code ?? 'NONE',
  };
}

/** Streams all blocks as new decisions, in constant memory. */
function allFrom(first: FeedSnapshotPage, feed: FeedObject, filter: Filter): ReadableStream<Uint8Array> {
  let page: FeedSnapshotPage | null = null;
  let isEmpty = true;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let text = page === null ? '{"new":[' : '';
        if (page === null) page = first;
        else {
          const read = await feed.snapshot(page.next!, FEED_SNAPSHOT_PAGE_MAX);
          if (!read.ok) throw new Error(read.message);
          page = read.value;
        }
        const decisions = page.entries.flatMap(({ entry, position }) =>
          isPartyEntry(entry) && entry.effect === 'block' && filter(entry)
            ? [JSON.stringify(decisionOf(entry, position))]
            : [],
        );
        if (decisions.length > 0) text += `${isEmpty ? '' : ','}${decisions.join(',')}`;
        isEmpty &&= decisions.length === 0;
        const isLast = page.next === null;
        // Never enqueue an empty chunk, or the runtime would not pull again.
        controller.enqueue(utf8(isLast ? `${text}],"deleted":[]}` : `${text}\n`));
        if (isLast) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
