/**
 * The head as this isolate knows it: release, live layer, clients and policy. Requests are answered from
 * memory, and the head is polled in the background. Everything that a head names is loaded before that head
 * becomes current. A head that is damaged, foreign or older than the current one is refused.
 *
 * An urgent unblock does not wait for a large release: if only the new release cannot be loaded, the rest of
 * the head is adopted with the release that is already in use. This is safe because the live layer holds
 * every entry that a release in use may not have folded in. `asOf` does not advance meanwhile, because the
 * lists do not.
 */

import type { Client, Directory, ScreenedOrganisation } from '../../../shared/clients.ts';
import { PublishedCredentials } from '../../../shared/credentials/published.ts';
import { CanaryNumbers } from '../../../shared/enumeration/canary-numbers.ts';
import { HEAD_FRESH_MS, HEAD_WAIT_MS } from '../../../shared/limits/edge.ts';
import { ISOLATE_SHARD_BYTES_MAX } from '../../../shared/limits/lists.ts';
import { LiveLayer } from '../../../shared/live/live-layer.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import { HeadPoll, isNewer } from '../../../shared/propagation.ts';
import type { Head, HeadDocument, NamedRelease } from '../../../shared/release/head.ts';
import { blobsOf, openManifest } from '../../../shared/release/manifest.ts';
import { Release } from '../../../shared/release/release.ts';
import { ShardMemory } from '../../../shared/release/shard-memory.ts';
import type { Snapshot } from '../../../shared/screening/snapshot.ts';
import { RegistrationOverlay } from '../../../shared/senders/registration-overlay.ts';
import { NO_TEXT } from '../../../shared/text/published.ts';
import { warn } from '../../log.ts';
import { SingleFlight } from '../../storage/single-flight.ts';
import { servesCanary } from './canary-share.ts';
import { CredentialShards } from './credential-shards.ts';
import { HeadSources, type LoadContext, type OpenedHead, ValueRefused } from './head-sources.ts';
import { HeadValues, readManifest, registrationOverlay, unsealedSegment } from './head-values.ts';
import { verifyAllValues } from './shards.ts';
import { TextReader } from './text-reader.ts';

/** A release in memory. Releases with the same manifest signature are the same release. */
interface Loaded {
  readonly release: Release;
  readonly signature: string;
}

/** The head in use, with everything that it names. Replaced as a whole. */
interface Current extends OpenedHead {
  /** The release to answer from. */
  readonly loaded: Loaded | null;
  /** Whether `loaded` is the release that the head names for this data centre. */
  readonly servesNamedRelease: boolean;
  readonly live: LiveLayer;
  readonly registrations: RegistrationOverlay;
  readonly credentials: PublishedCredentials;
  readonly directory: Directory;
}

/** The head as pinned for one request. */
export interface PinnedHead {
  readonly snapshot: Snapshot;
  /** Null until a head has been read. */
  readonly clients: ReadonlyMap<string, Client> | null;
  /** The release that the head names, while it is still loading and another one is in use. */
  readonly pending: Release | null;
  readonly canaries: CanaryNumbers;
}

const NO_NUMBERS: readonly number[] = [];
const NO_TOKENS: Snapshot['tokens'] = new Map();
const NO_PASSPORTS: Snapshot['passports'] = new Map();
const NO_TEXTS: Snapshot['texts'] = new Map();
const NO_ORGANISATIONS: ReadonlyMap<string, ScreenedOrganisation> = new Map();

export class HeadReader {
  #current: Current | null = null;
  /** The next release while it loads. Values that were loaded are kept between attempts. */
  #pending: Loaded | null = null;
  /** The canary numbers as a set, and the list of the head that the set was made from. */
  #canaryNumbers = { of: NO_NUMBERS, set: CanaryNumbers.NONE };
  readonly #shards: ShardMemory;
  readonly credentialShards = new CredentialShards(() => this.#reserve());
  readonly text = new TextReader(() => this.#reserve());
  readonly #values = new HeadValues();
  readonly #poll = new HeadPoll(Math.random);
  readonly #flight = new SingleFlight();
  readonly #sources = new HeadSources();

  /** @param shardBytesMax limit for all releases in memory together */
  constructor(shardBytesMax = ISOLATE_SHARD_BYTES_MAX) {
    this.#shards = new ShardMemory(shardBytesMax);
  }

  /**
   * The head for one request. Waits only if there is none, or no poll has succeeded for some time.
   * @param waitMs time since the last successful poll after which the request waits for one
   */
  async pin(loadContext: LoadContext, waitMs = HEAD_WAIT_MS): Promise<PinnedHead> {
    return this.pinInMemory(loadContext, waitMs) ?? this.#pinNext(loadContext);
  }

  /** Like `pin`, but null if the request must wait. */
  pinInMemory(loadContext: LoadContext, waitMs = HEAD_WAIT_MS): PinnedHead | null {
    const now = Date.now();
    const due = this.#poll.due(now, waitMs);
    if (due === 'background') {
      this.#poll.began(now);
      this.#flight.refresh(() => this.#refresh(loadContext, false, HEAD_FRESH_MS), loadContext.ctx);
    }
    return due === 'wait' ? null : this.#pinned(loadContext);
  }

  /** The head after the next poll, or the one in memory if the poll fails. */
  async #pinNext(loadContext: LoadContext): Promise<PinnedHead> {
    const before = this.#poll.seenAt;
    await this.#wait(loadContext, HEAD_FRESH_MS, () => this.#poll.seenAt > before);
    return this.#pinned(loadContext);
  }

  /** The head, at most `freshMs` old. Returns the one in memory if no newer one arrives in time. */
  async pinFresh(loadContext: LoadContext, freshMs: number): Promise<PinnedHead> {
    const isFresh = (): boolean => Date.now() - this.#poll.seenAt <= freshMs;
    // A poll that is already under way may accept an older copy.
    if (!isFresh()) await this.#wait(loadContext, freshMs, isFresh);
    return this.#pinned(loadContext);
  }

  /** @param done whether the load that this request joined was sufficient */
  async #wait(loadContext: LoadContext, freshMs: number, done: () => boolean): Promise<void> {
    this.#poll.began(Date.now());
    const load = (): Promise<void> => this.#refresh(loadContext, true, freshMs);
    try {
      await this.#flight.wait(load, done, loadContext.ctx);
    } catch {
      this.#poll.pollFailed(Date.now());
    }
  }

  #pinned({ secrets }: LoadContext): PinnedHead {
    const { loaded = null, live = LiveLayer.EMPTY, seq = 0, directory = null } = this.#current ?? {};
    const release = loaded?.release ?? null;
    const policy = this.#current?.document.head.policy ?? STANDARD_POLICY;
    const keys = this.#current?.keys ?? secrets.keys.writer;
    const { registrations = RegistrationOverlay.EMPTY } = this.#current ?? {};
    const { credentials = PublishedCredentials.NONE } = this.#current ?? {};
    const times = { asOf: this.#poll.asOf, now: Date.now() };
    const organisations = directory?.organisations ?? NO_ORGANISATIONS;
    const snapshot = {
      ...{ release, live, registrations, organisations, credentials, policy, keys, seq, ...times },
      tokens: NO_TOKENS,
      passports: NO_PASSPORTS,
      ...{ text: NO_TEXT, texts: NO_TEXTS },
    };
    const clients = directory?.clients ?? null;
    return { snapshot, clients, pending: this.#pending?.release ?? null, canaries: this.#canaries() };
  }

  #canaries(): CanaryNumbers {
    const { canaries = NO_NUMBERS } = this.#current?.document.head ?? {};
    if (canaries !== this.#canaryNumbers.of) {
      this.#canaryNumbers = { of: canaries, set: new CanaryNumbers(canaries) };
    }
    return this.#canaryNumbers.set;
  }

  async #refresh(loadContext: LoadContext, waits: boolean, freshMs: number): Promise<void> {
    const held = this.#current === null ? null : { ...this.#current, asOf: this.#poll.asOf };
    const found = await this.#sources.get(loadContext, held, waits, freshMs).catch((error: unknown) => {
      this.#poll.pollFailed(Date.now());
      throw error;
    });
    if (found === null) {
      this.#poll.retrySoon(Date.now());
      return;
    }
    await this.#adopt(found, loadContext);
    this.#poll.confirmed(listsAreCurrent(this.#current) ? found.asOf : 0, found.fetchedAt);
    // Only an old copy was available: do not make the next request wait for it again.
    if (Date.now() - found.fetchedAt > HEAD_WAIT_MS) this.#poll.pollFailed(Date.now());
  }

  /** Makes this head current once everything it names is loaded. Retries a head whose release is not in use yet. */
  async #adopt(found: OpenedHead, loadContext: LoadContext): Promise<void> {
    const { document } = found;
    const { head } = document;
    if (this.#isKnown(head)) return;
    const unsealed = unsealedSegment(head);
    // Load in parallel, so that a cold isolate waits for one KV read here, and for one more for the number.
    const [segments, changes, credentials, directory, chosen] = await Promise.all([
      this.#values.segments(head, loadContext),
      this.#values.registrationSegments(head, loadContext),
      this.#values.credentials(head, loadContext),
      this.#values.directory(head, loadContext),
      this.#chooseRelease(document, loadContext),
    ]);
    // A later head may have become current during the load.
    if (this.#isKnown(head)) return;
    const live = new LiveLayer(segments, unsealed, this.#current?.live);
    const registrations = registrationOverlay(head, changes, this.#current?.registrations);
    this.#current = {
      ...{ seq: head.seq, document, sealed: found.sealed, asOf: found.asOf, fetchedAt: found.fetchedAt },
      keys: found.keys,
      ...{ live, registrations, credentials, directory, ...chosen },
    };
    const isLate = Date.now() - this.#poll.seenAt > HEAD_WAIT_MS;
    this.text.follow(head.text ?? null, isLate, loadContext);
    this.#reserve();
    this.#values.keepOnly(head);
    if (!chosen.servesNamedRelease) return;
    this.#pending = null;
    const manifest = chosen.loaded?.release.manifest;
    this.#shards.retireAllBut(manifest === undefined ? [] : blobsOf(manifest).map(({ key }) => key));
  }

  /** Reserves memory for everything else that the head names, which leaves less room for shards of the release. */
  #reserve(): void {
    const { registrations, credentials } = this.#current ?? {};
    const listed = (registrations?.bytes ?? 0) + (credentials?.bytes ?? 0);
    this.#shards.reserve(listed + this.credentialShards.bytes + this.text.bytes);
  }

  /** Whether this head contains nothing new. */
  #isKnown({ seq }: Head): boolean {
    const current = this.#current;
    return (
      current !== null && !isNewer(seq, current.seq) && (seq < current.seq || current.servesNamedRelease)
    );
  }

  /**
   * The release that the head names for this data centre. Falls back to the current release if the canary is
   * refused, and keeps the release in use until the new one is complete.
   */
  async #chooseRelease(
    document: HeadDocument,
    loadContext: LoadContext,
  ): Promise<Pick<Current, 'loaded' | 'servesNamedRelease'>> {
    const { head } = document;
    const serving = this.#current?.loaded ?? null;
    const named = releaseFor(head, loadContext.dataCentre);
    if (named === null) {
      if (serving !== null) warn('headRefused', { code: 'HEAD_EMPTY', message: 'the head names no release' });
      return { loaded: serving, servesNamedRelease: true };
    }
    const fallback = head.current === null || head.current === named ? [] : [head.current];
    for (const each of [named, ...fallback]) {
      const servesNamedRelease = each === named;
      if (serving?.signature === each.signature) return { loaded: serving, servesNamedRelease };
      const loaded = await this.#load(each, document, loadContext);
      if (loaded === null) continue;
      // No release is in use: answer from what is loaded, and load the rest on demand.
      if (serving === null) return { loaded, servesNamedRelease };
      loaded.release.adopt(serving.release);
      if (await verifyAllValues(loaded.release, loadContext)) return { loaded, servesNamedRelease };
      warn('headRefused', { code: 'RELEASE_INCOMPLETE', message: each.release });
      break;
    }
    if (serving !== null && serving.release.manifest.foldedSeq >= head.droppedSeq) {
      return { loaded: serving, servesNamedRelease: false };
    }
    throw new ValueRefused('RELEASE_MISSING', 'no loaded release matches its live layer');
  }

  /** @returns null if the manifest is refused */
  async #load(
    named: NamedRelease,
    { manifests }: HeadDocument,
    { env, secrets }: LoadContext,
  ): Promise<Loaded | null> {
    if (this.#pending?.signature === named.signature) return this.#pending;
    try {
      const inline = manifests.find(({ signature }) => signature === named.signature);
      const signed = inline ?? (await readManifest(named, env));
      const opened = await openManifest(signed, secrets.publicKeys, secrets.keys.ids);
      if (!opened.ok) throw new ValueRefused(opened.code, opened.message);
      const keys = secrets.keys.of(opened.value.keyId)!;
      this.#pending = {
        release: new Release(opened.value, keys, this.#shards),
        signature: named.signature,
      };
      return this.#pending;
    } catch (error) {
      if (error instanceof ValueRefused) return null;
      throw error;
    }
  }
}

/** The release that the head names for this data centre. */
function releaseFor({ current, candidate }: Head, dataCentre: string): NamedRelease | null {
  return candidate !== null && servesCanary(candidate, dataCentre) ? candidate : current;
}

/** Whether the head still names the release in use. If so, the lists are as current as the head. */
function listsAreCurrent(current: Current | null): boolean {
  if (current === null || current.loaded === null) return true;
  const { signature } = current.loaded;
  const { head } = current.document;
  return head.current?.signature === signature || head.candidate?.signature === signature;
}
