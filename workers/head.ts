/**
 * What is current, as this isolate knows it: release, live layer and clients, from one head. Requests are
 * answered from memory; the head is asked for in the background. What a head names is loaded before it
 * replaces what serves, and a head that is damaged, foreign or older than ours is refused.
 *
 * An urgent unblock does not wait for a large release: where only the new release cannot be had, the
 * rest of the head is taken with the release that serves.
 */

import { fromBase64, sha256Hex } from '../shared/bytes.ts';
import { type Client, openDirectory } from '../shared/clients.ts';
import { HEAD_FRESH_MS, HEAD_WAIT_MS, KV_IMMUTABLE_TTL_SECONDS } from '../shared/limits.ts';
import { LiveLayer } from '../shared/live/live-layer.ts';
import { Segment } from '../shared/live/segment.ts';
import { HeadPoll, inShare, isNewer } from '../shared/propagation.ts';
import type { Head, HeadDocument, NamedRelease, NamedValue } from '../shared/release/head.ts';
import { releaseKey } from '../shared/release/kv-keys.ts';
import { openManifest } from '../shared/release/manifest.ts';
import { Release } from '../shared/release/release.ts';
import { parseSignedText, type SignedText } from '../shared/release/signed.ts';
import type { Snapshot } from '../shared/screen.ts';
import { LayoutError } from '../shared/set/number-set.ts';
import { unseal } from '../shared/set/seal.ts';
import { fingerprint } from '../shared/set/xxhash.ts';
import type { Env } from './env.ts';
import { type Asker, authorityOf, HeadSources, Refused } from './head-sources.ts';
import { warn } from './log.ts';
import { ensureAll } from './shards.ts';
import { SingleFlight } from './single-flight.ts';

/** A release in memory, and the signature of its manifest: the same signature is the same release. */
interface Loaded {
  readonly release: Release;
  readonly signature: string;
}

/** Everything that one head says; replaced as a whole. */
interface Current {
  readonly seq: number;
  readonly document: HeadDocument;
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly loaded: Loaded | null;
  readonly live: LiveLayer;
  readonly segments: ReadonlyMap<string, Segment>;
  readonly clients: ReadonlyMap<string, Client>;
  readonly clientsKey: string | null;
  /** Whether the release is the one that the head names for this data centre. */
  readonly whole: boolean;
}

/** What a request is answered from, pinned when it starts. */
export interface Pinned {
  readonly snapshot: Snapshot;
  /** Null while no head was ever read. */
  readonly clients: ReadonlyMap<string, Client> | null;
}

const NO_CLIENTS: ReadonlyMap<string, Client> = new Map();

export class HeadReader {
  #current: Current | null = null;
  /** The next release, while it is being loaded: what has come of it is kept from one try to the next. */
  #pending: Loaded | null = null;
  readonly #poll = new HeadPoll(Math.random);
  readonly #flight = new SingleFlight();
  readonly #sources = new HeadSources();

  /**
   * The head to answer one request from. Waits only when there is none, or it is too old.
   * @param waitMs age from which it is
   */
  async pin(asker: Asker, waitMs = HEAD_WAIT_MS): Promise<Pinned> {
    const now = Date.now();
    const due = this.#poll.due(now, waitMs);
    if (due === 'background') {
      this.#poll.began(now);
      this.#flight.refresh(() => this.#refresh(asker, { waits: false, freshMs: HEAD_FRESH_MS }), asker.ctx);
    } else if (due === 'wait') await this.#wait(asker, HEAD_FRESH_MS);
    return this.#pinned(asker);
  }

  /** The head as it is now, but for `freshMs`. Where it cannot be had in time, the one in memory. */
  async look(asker: Asker, freshMs: number): Promise<Pinned> {
    if (Date.now() - this.#poll.seenAt > freshMs) await this.#wait(asker, freshMs);
    return this.#pinned(asker);
  }

  async #wait(asker: Asker, freshMs: number): Promise<void> {
    const before = this.#poll.seenAt;
    this.#poll.began(Date.now());
    const load = (): Promise<void> => this.#refresh(asker, { waits: true, freshMs });
    try {
      await this.#flight.wait(load, () => this.#poll.seenAt > before, asker.ctx);
    } catch {
      this.#poll.waitedInVain(Date.now());
    }
  }

  #pinned({ secrets }: Asker): Pinned {
    const { loaded = null, live = LiveLayer.EMPTY, seq = 0, clients = null } = this.#current ?? {};
    const release = loaded?.release ?? null;
    const snapshot = { release, live, keys: secrets.keys, seq, asOf: this.#poll.asOf, now: Date.now() };
    return { snapshot, clients };
  }

  async #refresh(asker: Asker, { waits, freshMs }: { waits: boolean; freshMs: number }): Promise<void> {
    const current = this.#current;
    const held = current === null ? null : { ...current, asOf: this.#poll.asOf };
    const got = await this.#sources.get(asker, { held, waits, freshMs }).catch((error: unknown) => {
      this.#poll.waitedInVain(Date.now());
      throw error;
    });
    if (got === null) {
      this.#poll.comeBack(Date.now());
      return;
    }
    if (got.next !== null) await this.#adopt(got.next.document, got.next.sealed, asker);
    // What is not whole is taken up again, though its `seq` is current.
    else if (current?.whole === false) await this.#adopt(current.document, current.sealed, asker);
    this.#poll.confirmed(got.asOf, got.seenAt);
  }

  /** Make this head current, once all that it names is there. */
  async #adopt(document: HeadDocument, sealed: Uint8Array<ArrayBuffer>, asker: Asker): Promise<void> {
    const { head, manifests } = document;
    if (this.#isKnown(head)) return;
    const earlier = this.#current;
    // Side by side: a cold isolate waits for one read of KV here, and for one more for its number.
    const [segments, clients, { loaded, whole }] = await Promise.all([
      readSegments(head, earlier, asker),
      clientsOf(head, earlier, asker),
      this.#releaseFor(head, manifests, asker),
    ]);
    const live = LiveLayer.of([...segments.values()], tailOf(head), earlier?.live);
    const clientsKey = head.clients?.key ?? null;
    // A later head may have overtaken this one while it was loaded.
    if (this.#isKnown(head)) return;
    this.#current = { seq: head.seq, document, sealed, loaded, live, segments, clients, clientsKey, whole };
    if (whole) this.#pending = null;
  }

  /** @returns whether there is nothing new in it @throws where it would take us back */
  #isKnown({ seq }: Head): boolean {
    const current = this.#current;
    if (current === null || isNewer(seq, current.seq)) return false;
    if (seq < current.seq) throw new Refused('HEAD_OLDER', `seq ${seq} is behind ${current.seq}`);
    return current.whole;
  }

  /** The release to answer from: the one that is named, or the one that serves where that is not to be had. */
  async #releaseFor(
    head: Head,
    manifests: readonly SignedText[],
    asker: Asker,
  ): Promise<Pick<Current, 'loaded' | 'whole'>> {
    const serving = this.#current?.loaded ?? null;
    const named = chosen(head, asker.dataCentre);
    if (named === null) {
      if (serving !== null) warn('headRefused', { code: 'HEAD_EMPTY', message: 'it names no release' });
      return { loaded: serving, whole: true };
    }
    if (serving !== null && serving.signature === named.signature) return { loaded: serving, whole: true };
    try {
      const loaded = await this.#load(named, manifests, asker);
      if (serving === null) return { loaded, whole: true };
      loaded.release.adopt(serving.release);
      if (await ensureAll(loaded.release, asker.env.LISTS, asker.ctx)) return { loaded, whole: true };
      warn('headRefused', { code: 'RELEASE_INCOMPLETE', message: named.release });
    } catch (error) {
      if (serving === null) throw error;
    }
    if (serving!.release.manifest.foldedSeq < head.droppedSeq) {
      throw new Refused('RELEASE_TOO_OLD', 'the release that serves lacks live changes that are gone');
    }
    return { loaded: serving, whole: false };
  }

  async #load(named: NamedRelease, manifests: readonly SignedText[], asker: Asker): Promise<Loaded> {
    const { env, secrets } = asker;
    if (this.#pending?.signature === named.signature) return this.#pending;
    const inline = manifests.find(({ signature }) => signature === named.signature);
    const signed = inline ?? (await readManifest(named, env));
    const opened = await openManifest(signed, secrets.publicKeys, secrets.keys.keyId);
    if (!opened.ok) throw new Refused(opened.code, opened.message);
    const loaded = { release: new Release(opened.value, secrets.keys), signature: named.signature };
    this.#pending = loaded;
    return loaded;
  }
}

/** What this data centre is to answer from. */
function chosen({ current, candidate }: Head, dataCentre: string): NamedRelease | null {
  if (candidate === null) return current;
  const hash = Number(fingerprint(`${candidate.release} ${dataCentre}`, 0n) & 0xffffffffn);
  return inShare(hash, candidate.share) ? candidate : current;
}

/** A value that the head names: from KV, or from the authority while KV does not have it. */
async function read(key: string, env: Env): Promise<Uint8Array<ArrayBuffer>> {
  const inKv = env.LISTS.get(key, { type: 'arrayBuffer', cacheTtl: KV_IMMUTABLE_TTL_SECONDS });
  const bytes = await inKv.catch(() => null);
  if (bytes !== null) return new Uint8Array(bytes);
  const value = await authorityOf(env).value(key);
  if (value === null) throw new Refused('VALUE_MISSING', key);
  return value;
}

/** As `read`; what is in KV under the name and is something else is asked of the authority too. */
async function readNamed({ key, sha256 }: NamedValue, env: Env): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await read(key, env);
  if ((await sha256Hex(bytes)) === sha256) return bytes;
  const value = await authorityOf(env).value(key);
  if (value !== null && (await sha256Hex(value)) === sha256) return value;
  throw new Refused('VALUE_DAMAGED', key);
}

async function readManifest({ release, signature }: NamedRelease, env: Env): Promise<SignedText> {
  const key = releaseKey(release);
  const signed = parseSignedText(new TextDecoder().decode(await read(key, env)));
  if (signed?.signature === signature) return signed;
  const value = await authorityOf(env).value(key);
  const again = value === null ? null : parseSignedText(new TextDecoder().decode(value));
  if (again?.signature === signature) return again;
  throw new Refused('VALUE_DAMAGED', key);
}

/** The sealed segments by key; those in memory are not read again. */
async function readSegments(
  head: Head,
  earlier: Current | null,
  asker: Asker,
): Promise<Map<string, Segment>> {
  const read = head.segments.map(async (named) => {
    const held = earlier?.segments.get(named.key);
    if (held !== undefined) return [named.key, held] as const;
    const content = await unseal(await readNamed(named, asker.env), asker.secrets.keys);
    if (content === null) throw new Refused('VALUE_FOREIGN', named.key);
    return [named.key, segmentOf(content)] as const;
  });
  return new Map(await Promise.all(read));
}

async function clientsOf(
  { clients: named }: Head,
  earlier: Current | null,
  asker: Asker,
): Promise<ReadonlyMap<string, Client>> {
  if (named === null) return NO_CLIENTS;
  if (earlier !== null && earlier.clientsKey === named.key) return earlier.clients;
  const clients = await openDirectory(await readNamed(named, asker.env), asker.secrets.keys);
  if (clients === null) throw new Refused('VALUE_FOREIGN', named.key);
  return clients;
}

function tailOf({ tail }: Head): Segment {
  const bytes = fromBase64(tail);
  if (bytes === null) throw new Refused('HEAD_INVALID', 'the tail is not base64');
  return segmentOf(bytes);
}

function segmentOf(bytes: Uint8Array<ArrayBuffer>): Segment {
  try {
    return new Segment(bytes);
  } catch (error) {
    if (error instanceof LayoutError) throw new Refused('HEAD_INVALID', error.message);
    throw error;
  }
}
