/**
 * A feed on the loopback, signed, chained and encrypted with the shared modules that the service uses. Tests alter its
 * responses.
 */
import { toBase64Url } from '../../../shared/bytes.ts';
import { cloudEventOf, type FeedCloudEvent, feedData } from '../../../shared/feed/cloud-event.ts';
import { type FeedCursor, formatCursor, parseCursor } from '../../../shared/feed/cursor.ts';
import { digestOf, digestOfStatement } from '../../../shared/feed/digest.ts';
import type { FeedEntry, FeedEvent, FeedSubject, PartyEntry } from '../../../shared/feed/entry.ts';
import { encryptorOf } from '../../../shared/feed/jwe.ts';
import { snapshotHead } from '../../../shared/feed/snapshot.ts';
import { formatEpoch, formatFeedCheckpoint } from '../../../shared/feed/statement.ts';
import { type NoteSigner, newSignerKey, openSigner } from '../../../shared/signed-note.ts';
import { fakeService, problem, type Reply } from './fake-service.ts';

const FEED = '0123456789abcdef';
const AT = '2026-11-27T01:02:03.004Z';
/** Events in one response. */
export const PAGE = 4;
const PIECE = 3;

interface Kept {
  readonly event: FeedEvent;
  readonly subject: FeedSubject;
  readonly previous: string;
}

export const BLOCK: PartyEntry = {
  number: '+821020000001',
  source: null,
  subject: 'from',
  effect: 'block',
  code: 'SENDER_REPORTED',
  authority: 'kisa',
  list: 'live',
  rule: null,
  stage: null,
  until: null,
};

export class FakeFeed {
  readonly id: string;
  readonly events: Kept[] = [];
  readonly current = new Map<string, { entry: FeedEntry; position: number }>();
  readonly signer: NoteSigner;
  /** Age of its checkpoints' signatures, in ms. */
  signedAgoMs = 0;
  /** Position of the first kept event. */
  first = 1;
  secret = crypto.getRandomValues(new Uint8Array(32));
  kid = 'reader#1';
  isEncrypted = true;
  url = '';
  /** Changes a page before it is sent. */
  tamper: (page: FeedCloudEvent[], path: string) => unknown = (page) => page;
  /** Replaces a reply; undefined leaves it unchanged. */
  replace: (path: string) => Reply | null | undefined | Promise<never> = () => undefined;
  readonly #statements: string[] = [];
  #digest = '';

  constructor(signer: NoteSigner, id: string) {
    this.signer = signer;
    this.id = id;
  }

  static async start(id = FEED): Promise<FakeFeed> {
    const feed = new FakeFeed((await openSigner((await newSignerKey('feed.test'))!))!, id);
    await feed.openEpoch();
    feed.url = (await fakeService(({ path }) => feed.reply(path))).url;
    return feed;
  }

  get position(): number {
    return this.events.length;
  }

  get epoch(): number {
    return this.#statements.length;
  }

  get cursor(): string {
    return formatCursor({ feed: this.id, epoch: this.epoch, position: this.position });
  }

  get jwk(): object {
    return { kty: 'oct', k: toBase64Url(this.secret), kid: this.kid, alg: 'dir', enc: 'A256GCM' };
  }

  async openEpoch(): Promise<void> {
    const text = formatEpoch({
      ...{ feed: this.id, epoch: this.epoch + 1, first: this.position + 1, at: AT },
      previous: this.position === 0 ? null : this.#digest,
    });
    this.#statements.push(await this.signer.sign(text));
    this.#digest = digestOfStatement(text);
  }

  /** @returns the reference of the entry */
  append(entry: FeedEntry): string {
    const reference = referenceOf(entry);
    this.#push(reference, entry, entry.subject);
    this.current.set(reference, { entry, position: this.position });
    return reference;
  }

  remove(reference: string): void {
    const { subject } = this.current.get(reference)!.entry;
    this.current.delete(reference);
    this.#push(reference, null, subject);
  }

  #push(reference: string, entry: FeedEntry | null, subject: FeedSubject): void {
    const digested = { position: this.position + 1, epoch: this.epoch, reference, at: AT, entry };
    const previous = this.#digest;
    this.#digest = digestOf(previous, digested);
    this.events.push({ event: { ...digested, digest: this.#digest }, subject, previous });
  }

  checkpoint(): Promise<string> {
    const { id: feed, epoch, position } = this;
    const at = new Date(Date.now() - this.signedAgoMs).toISOString();
    return this.signer.sign(formatFeedCheckpoint({ feed, epoch, position, digest: this.#digest, at }));
  }

  statement(epoch: number): string {
    return this.#statements[epoch - 1]!;
  }

  /** The events after a position, up to the end of their page. */
  async page(after: number): Promise<FeedCloudEvent[]> {
    const kept = this.events.slice(after, after + PAGE);
    const { epoch } = kept[0]?.event ?? { epoch: this.epoch };
    const encrypt = await encryptorOf(this.secret, this.kid);
    return Promise.all(
      kept
        .filter(({ event }) => event.epoch === epoch)
        .map(async ({ event, subject, previous }) => {
          const data = feedData(event, subject, previous);
          const sent = this.isEncrypted ? await encrypt(JSON.stringify(data)) : data;
          return cloudEventOf(data, this.id, event.digest, sent);
        }),
    );
  }

  async snapshot(): Promise<string> {
    const point = { cursor: this.cursor, digest: this.#digest };
    const lines = [
      snapshotHead(point),
      ...[...this.current].map(([reference, { entry, position }]) => ({ reference, position, ...entry })),
    ].map((line) => `${JSON.stringify(line)}\n`);
    if (!this.isEncrypted) return lines.join('');
    const encrypt = await encryptorOf(this.secret, this.kid);
    const pieces = Array.from({ length: Math.ceil(lines.length / PIECE) }, (_, piece) =>
      lines.slice(piece * PIECE, (piece + 1) * PIECE).join(''),
    );
    const sent = pieces.map(async (text, piece) => {
      const header = { snapshot: { ...point, piece, isLast: piece === pieces.length - 1 } };
      return `${JSON.stringify({ data: await encrypt(text, header) })}\n`;
    });
    return (await Promise.all(sent)).join('');
  }

  /** As in the service: whether the position is in the epoch or just before its first event. */
  #isPlace({ epoch, position }: FeedCursor): boolean {
    const epochAt = (at: number): number => this.events[at - 1]?.event.epoch ?? this.epoch;
    return epoch === epochAt(Math.max(1, position)) || epoch === epochAt(position + 1);
  }

  async reply(path: string): Promise<Reply | null> {
    const replaced = await this.replace(path);
    if (replaced !== undefined) return replaced;
    const { pathname, searchParams } = new URL(path, 'http://feed.test');
    if (pathname === '/v1/feed/checkpoint') return { body: await this.checkpoint() };
    if (pathname === '/v1/feed/snapshot') return { body: await this.snapshot() };
    const epoch = /^\/v1\/feed\/epochs\/(\d+)$/.exec(pathname);
    if (epoch !== null) return { body: this.statement(Number(epoch[1])) };
    const after = parseCursor(searchParams.get('lastEventId') ?? '')!;
    if (after.feed !== this.id) return problem(400, 'CURSOR_FOREIGN');
    if (after.position > this.position) return problem(400, 'CURSOR_AHEAD');
    if (!this.#isPlace(after)) return problem(400, 'CURSOR_FOREIGN');
    if (after.position + 1 < this.first)
      return problem(410, 'CURSOR_GONE', { snapshot: '/v1/feed/snapshot' });
    return { body: await this.tamper(await this.page(after.position), path) };
  }
}

function referenceOf(entry: FeedEntry): string {
  if (entry.subject === 'campaign') return `c-${entry.fingerprint.slice(0, 20).replaceAll(/\W/g, '-')}`;
  const name = entry.subject === 'host' ? `${entry.list} ${entry.host}` : (entry.number ?? entry.source);
  return Buffer.from(`${name}|${entry.subject}`).toString('base64url');
}
