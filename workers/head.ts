/**
 * What is current, as this isolate knows it: release, live layer and clients, from one head. Requests are
 * answered from memory; the head is asked for in the background. What a head names is loaded before it
 * replaces what serves, and a head that is damaged, foreign or older than ours is refused.
 *
 * An urgent unblock does not wait for a large release: where only the new release cannot be had, the rest
 * of the head is taken with the release that serves. That is right, since the live layer holds every entry
 * that a release which may serve has not folded in; `asOf` stands still meanwhile, since the lists do.
 */
import type { Client } from '../shared/clients.ts';
import { HEAD_FRESH_MS, HEAD_WAIT_MS, ISOLATE_SHARD_BYTES_MAX } from '../shared/limits.ts';
import { LiveLayer } from '../shared/live/live-layer.ts';
import { STANDARD_POLICY } from '../shared/policy/policy.ts';
import { HeadPoll, inShare, isNewer } from '../shared/propagation.ts';
import type { Head, HeadDocument, NamedRelease } from '../shared/release/head.ts';
import { openManifest } from '../shared/release/manifest.ts';
import { Release } from '../shared/release/release.ts';
import { ShardMemory } from '../shared/release/shard-memory.ts';
import { fingerprint } from '../shared/set/xxhash.ts';
import type { Snapshot } from '../shared/snapshot.ts';
import { type Asker, HeadSources, Refused, type SealedHead } from './head-sources.ts';
import { HeadValues, readManifest, tailOf } from './head-values.ts';
import { warn } from './log.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { verifyAll } from './shards.ts';
import { SingleFlight } from './single-flight.ts';

/** A release in memory, and the signature of its manifest: the same signature is the same release. */
interface Loaded {
  readonly release: Release;
  readonly signature: string;
}

/** The release to answer from. */
interface Chosen {
  readonly loaded: Loaded | null;
  /** Whether it is the one that the head means for this data centre. */
  readonly whole: boolean;
}

/** Everything that one head says; replaced as a whole. */
interface Current extends SealedHead, Chosen {
  readonly seq: number;
  readonly live: LiveLayer;
  readonly clients: ReadonlyMap<string, Client>;
}

/** What a request is answered from, pinned when it starts. */
export interface Pinned {
  readonly snapshot: Snapshot;
  /** Null while no head was ever read. */
  readonly clients: ReadonlyMap<string, Client> | null;
  /** The release that the head names, where it is not there whole yet and another one serves. */
  readonly pending: Release | null;
}

export class HeadReader {
  #current: Current | null = null;
  /** The next release, while it is being loaded: what has come of it is kept from one try to the next. */
  #pending: Loaded | null = null;
  readonly #shards: ShardMemory;
  readonly #values = new HeadValues();
  readonly #poll = new HeadPoll(Math.random);
  readonly #flight = new SingleFlight();
  readonly #sources = new HeadSources();

  /** @param shardBytesMax of all releases that are in memory */
  constructor(shardBytesMax = ISOLATE_SHARD_BYTES_MAX) {
    this.#shards = new ShardMemory(shardBytesMax);
  }

  /**
   * The head to answer one request from: at once, unless there is none, or it is too old.
   * @param waitMs age from which it is
   */
  pin(asker: Asker, waitMs = HEAD_WAIT_MS): MaybePromise<Pinned> {
    const now = Date.now();
    const due = this.#poll.due(now, waitMs);
    if (due === 'background') {
      this.#poll.began(now);
      this.#flight.refresh(() => this.#refresh(asker, { waits: false, freshMs: HEAD_FRESH_MS }), asker.ctx);
    }
    if (due !== 'wait') return this.#pinned(asker);
    const before = this.#poll.seenAt;
    const done = (): boolean => this.#poll.seenAt > before;
    return this.#wait(asker, HEAD_FRESH_MS, done).then(() => this.#pinned(asker));
  }

  /** The head as it is now, but for `freshMs`. Where it cannot be had in time, the one in memory. */
  async look(asker: Asker, freshMs: number): Promise<Pinned> {
    const isFresh = (): boolean => Date.now() - this.#poll.seenAt <= freshMs;
    // A poll that is under way, and is joined, may find an older copy good enough.
    if (!isFresh()) await this.#wait(asker, freshMs, isFresh);
    return this.#pinned(asker);
  }

  /** @param done whether a load that was joined has brought what is needed */
  async #wait(asker: Asker, freshMs: number, done: () => boolean): Promise<void> {
    this.#poll.began(Date.now());
    const load = (): Promise<void> => this.#refresh(asker, { waits: true, freshMs });
    try {
      await this.#flight.wait(load, done, asker.ctx);
    } catch {
      this.#poll.waitedInVain(Date.now());
    }
  }

  #pinned({ secrets }: Asker): Pinned {
    const { loaded = null, live = LiveLayer.EMPTY, seq = 0, clients = null } = this.#current ?? {};
    const release = loaded?.release ?? null;
    const policy = this.#current?.document.head.policy ?? STANDARD_POLICY;
    const { keys } = secrets;
    const snapshot = { release, live, policy, keys, seq, asOf: this.#poll.asOf, now: Date.now() };
    return { snapshot, clients, pending: this.#pending?.release ?? null };
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
    if (got.next !== null) await this.#adopt(got.next, asker);
    // What is not whole is taken up again, though its `seq` is current.
    else if (current?.whole === false) await this.#adopt(current, asker);
    this.#poll.confirmed(servesNamed(this.#current) ? got.asOf : 0, got.seenAt);
    // An old copy is all that there was: the next request need not wait for it again.
    if (Date.now() - got.seenAt > HEAD_WAIT_MS) this.#poll.waitedInVain(Date.now());
  }

  /** Make this head current, once all that it names is there. */
  async #adopt({ document, sealed }: SealedHead, asker: Asker): Promise<void> {
    const { head } = document;
    if (this.#isKnown(head)) return;
    const tail = tailOf(head);
    // Side by side: a cold isolate waits for one read of KV here, and for one more for its number.
    const [segments, clients, chosen] = await Promise.all([
      this.#values.segments(head, asker),
      this.#values.clients(head, asker),
      this.#choose(document, asker),
    ]);
    // A later head may have overtaken this one while it was loaded.
    if (this.#isKnown(head)) return;
    const live = LiveLayer.of(segments, tail, this.#current?.live);
    this.#current = { seq: head.seq, document, sealed, live, clients, ...chosen };
    this.#values.keepOnly(head);
    if (!chosen.whole) return;
    this.#pending = null;
    this.#shards.retireAllBut(chosen.loaded?.release.manifest.shards.map(({ key }) => key) ?? []);
  }

  /** Whether there is nothing new in it for us. */
  #isKnown({ seq }: Head): boolean {
    const current = this.#current;
    return current !== null && !isNewer(seq, current.seq) && (seq < current.seq || current.whole);
  }

  /**
   * The release that is meant for this data centre, or the current one in place of a candidate that is
   * refused; the one that serves until the new one is there whole.
   */
  async #choose(document: HeadDocument, asker: Asker): Promise<Chosen> {
    const { head } = document;
    const serving = this.#current?.loaded ?? null;
    const meant = meantFor(head, asker.dataCentre);
    if (meant === null) {
      if (serving !== null) warn('headRefused', { code: 'HEAD_EMPTY', message: 'it names no release' });
      return { loaded: serving, whole: true };
    }
    const instead = head.current === null || head.current === meant ? [] : [head.current];
    for (const named of [meant, ...instead]) {
      const whole = named === meant;
      if (serving?.signature === named.signature) return { loaded: serving, whole };
      const loaded = await this.#load(named, document, asker);
      if (loaded === null) continue;
      // Nothing serves: what there is of it answers at once, and the rest is loaded as it is needed.
      if (serving === null) return { loaded, whole };
      loaded.release.adopt(serving.release);
      if (await verifyAll(loaded.release, asker)) return { loaded, whole };
      warn('headRefused', { code: 'RELEASE_INCOMPLETE', message: named.release });
      break;
    }
    if (serving !== null && serving.release.manifest.foldedSeq >= head.droppedSeq) {
      return { loaded: serving, whole: false };
    }
    throw new Refused('RELEASE_MISSING', 'there is no release that goes with its live layer');
  }

  /** @returns null where its manifest is refused */
  async #load(
    named: NamedRelease,
    { manifests }: HeadDocument,
    { env, secrets }: Asker,
  ): Promise<Loaded | null> {
    if (this.#pending?.signature === named.signature) return this.#pending;
    try {
      const inline = manifests.find(({ signature }) => signature === named.signature);
      const signed = inline ?? (await readManifest(named, env));
      const opened = await openManifest(signed, secrets.publicKeys, secrets.keys.keyId);
      if (!opened.ok) throw new Refused(opened.code, opened.message);
      this.#pending = {
        release: new Release(opened.value, secrets.keys, this.#shards),
        signature: named.signature,
      };
      return this.#pending;
    } catch (error) {
      if (error instanceof Refused) return null;
      throw error;
    }
  }
}

/** What this data centre is to answer from. */
function meantFor({ current, candidate }: Head, dataCentre: string): NamedRelease | null {
  if (candidate === null) return current;
  const hash = Number(fingerprint(`${candidate.release} ${dataCentre}`, 0n) & 0xffffffffn);
  return inShare(hash, candidate.share) ? candidate : current;
}

/** Whether the head still names the release that serves: then the lists are as new as the head. */
function servesNamed(current: Current | null): boolean {
  if (current === null || current.loaded === null) return true;
  const { signature } = current.loaded;
  const { head } = current.document;
  return head.current?.signature === signature || head.candidate?.signature === signature;
}
