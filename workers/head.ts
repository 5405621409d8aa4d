/**
 * What is current, as this isolate knows it. Requests are answered from memory; the head is asked for
 * in the background, at most every HEAD_FRESH_MS. A new release is loaded whole before it replaces the
 * old one, and a head that is damaged, unsigned or older than ours is refused: the last good one serves.
 */
import { HEAD_STALE_MS, KV_MUTABLE_TTL_SECONDS } from '../shared/limits.ts';
import { type Head, openHead } from '../shared/release/head.ts';
import { HEAD_KEY } from '../shared/release/kv-keys.ts';
import { openManifest } from '../shared/release/manifest.ts';
import { Release } from '../shared/release/release.ts';
import type { SignedText } from '../shared/release/signed.ts';
import type { Snapshot } from '../shared/screen.ts';
import type { Env, Secrets } from './env.ts';
import { warn } from './log.ts';
import { Poll } from './poll.ts';
import { ensureAll } from './shards.ts';
import { Unavailable } from './single-flight.ts';

interface Current {
  readonly release: Release;
  readonly seq: number;
  /** The signed text: the same text is the same release. */
  readonly signed: string;
}

export class HeadReader {
  #current: Current | null = null;
  /** The next release, while it is being loaded: what has come of it is kept from one try to the next. */
  #pending: Pick<Current, 'release' | 'signed'> | null = null;
  /** The head in KV that is current here, as it was read: unchanged text needs no second look. */
  #seen: string | null = null;
  readonly #poll = new Poll();

  /**
   * The head to answer one request from. Waits only when there is none, or it is too old.
   * @param staleMs age that is too old
   */
  async snapshot(
    env: Env,
    secrets: Secrets,
    ctx: ExecutionContext,
    staleMs = HEAD_STALE_MS,
  ): Promise<Snapshot> {
    await this.#poll.keep(() => this.#refresh(env, secrets, ctx), ctx, staleMs);
    const { release = null, seq = 0 } = this.#current ?? {};
    return { release, seq, asOf: this.#poll.asOf, now: Date.now() };
  }

  async #refresh(env: Env, secrets: Secrets, ctx: ExecutionContext): Promise<void> {
    const text = await env.LISTS.get(HEAD_KEY, { type: 'text', cacheTtl: KV_MUTABLE_TTL_SECONDS });
    if (text === null) throw new Unavailable('no head in KV');
    if (text !== this.#seen) {
      const opened = await openHead(text, secrets.publicKeys);
      if (!opened.ok) throw refused(opened.code, opened.message);
      await this.#adopt(opened.value, env, secrets, ctx);
      this.#seen = text;
    }
  }

  /** Make this head current, once its release is loaded whole. */
  async #adopt(head: Head, env: Env, secrets: Secrets, ctx: ExecutionContext): Promise<void> {
    this.#refuseOlder(head);
    const release = await this.#releaseOf(head.manifest, secrets);
    const next: Current = { release, seq: head.seq, signed: head.manifest.signed };
    if (this.#current !== null) {
      release.adopt(this.#current.release);
      if (!(await ensureAll(release, env.LISTS, ctx)))
        throw refused('RELEASE_INCOMPLETE', release.manifest.release);
      // A later head may have overtaken this one while it was loaded.
      this.#refuseOlder(head);
    }
    // Where there was nothing to serve, single shards answer at once, and the routes have the rest follow.
    this.#current = next;
    this.#pending = null;
  }

  /** What is older than ours is refused, and so is another state under the same `seq`. */
  #refuseOlder({ seq, manifest }: Head): void {
    const current = this.#current;
    if (current === null || seq > current.seq) return;
    if (seq < current.seq) throw refused('HEAD_OLDER', `seq ${seq} is behind ${current.seq}`);
    if (manifest.signed !== current.signed) throw refused('HEAD_AMBIGUOUS', `seq ${seq} names two states`);
  }

  /** The release of a manifest: the current one, or the one that is being loaded, or a new one. */
  async #releaseOf(manifest: SignedText, secrets: Secrets): Promise<Release> {
    for (const known of [this.#current, this.#pending]) {
      if (known?.signed === manifest.signed) return known.release;
    }
    const opened = await openManifest(manifest, secrets.publicKeys, secrets.keys.keyId);
    if (!opened.ok) throw refused(opened.code, opened.message);
    const release = new Release(opened.value, secrets.keys);
    this.#pending = { release, signed: manifest.signed };
    return release;
  }
}

function refused(code: string, message: string): Unavailable {
  warn('headRefused', { code, message });
  return new Unavailable(message);
}
