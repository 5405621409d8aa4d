/**
 * What is current, as this isolate knows it. Requests are answered from memory; the head is asked for
 * in the background, at most every HEAD_FRESH_MS. A new release is loaded whole before it replaces the
 * old one, and a head that is damaged, unsigned or older than ours is refused: the last good one serves.
 */
import { HEAD_FRESH_MS, HEAD_STALE_MS, KV_MUTABLE_TTL_SECONDS } from '../shared/limits.ts';
import { type HeadDocument, parseHead } from '../shared/release/head.ts';
import { HEAD_KEY } from '../shared/release/kv-keys.ts';
import { openManifest } from '../shared/release/manifest.ts';
import { Release } from '../shared/release/release.ts';
import type { Snapshot } from '../shared/screen.ts';
import type { Env, Secrets } from './env.ts';
import { warn } from './log.ts';
import { ensureAll } from './shards.ts';
import { SingleFlight, Unavailable } from './single-flight.ts';

interface Current {
  readonly release: Release;
  readonly seq: number;
  /** The signed text: the same text is the same release. */
  readonly signed: string;
}

export class HeadReader {
  #current: Current | null = null;
  /** When the head was last seen to be current, in ms since 1970. */
  #asOf = 0;
  readonly #flight = new SingleFlight();

  /** The head to answer one request from. Waits only when there is none, or it is too old. */
  async snapshot(env: Env, secrets: Secrets, ctx: ExecutionContext): Promise<Snapshot> {
    const load = (): Promise<void> => this.#refresh(env, secrets, ctx);
    const age = Date.now() - this.#asOf;
    if (this.#current === null || age > HEAD_STALE_MS) {
      const before = this.#asOf;
      await this.#flight.wait(load, () => this.#asOf > before, ctx).catch(() => undefined);
    } else if (age > HEAD_FRESH_MS) {
      this.#flight.refresh(load, ctx);
    }
    const now = Date.now();
    const { release = null, seq = 0 } = this.#current ?? {};
    return { release, seq, asOf: this.#asOf, now };
  }

  async #refresh(env: Env, secrets: Secrets, ctx: ExecutionContext): Promise<void> {
    const text = await env.LISTS.get(HEAD_KEY, { type: 'text', cacheTtl: KV_MUTABLE_TTL_SECONDS });
    if (text === null) throw new Unavailable('no head in KV');
    const head = parseHead(text);
    if (head === null) throw refused('HEAD_INVALID', 'the head in KV is not one');
    const current = this.#current;
    if (current !== null && head.seq < current.seq)
      throw refused('HEAD_OLDER', `seq ${head.seq} is behind ${current.seq}`);
    if (current !== null && head.manifest.signed === current.signed) {
      this.#current = { ...current, seq: head.seq };
    } else {
      await this.#replace(head, env, secrets, ctx);
    }
    this.#asOf = Date.now();
  }

  async #replace(head: HeadDocument, env: Env, secrets: Secrets, ctx: ExecutionContext): Promise<void> {
    const opened = await openManifest(head.manifest, secrets.publicKeys, secrets.keys.keyId);
    if (!opened.ok) throw refused(opened.code, opened.message);
    const release = new Release(opened.value, secrets.keys);
    const next: Current = { release, seq: head.seq, signed: head.manifest.signed };
    if (this.#current === null) {
      // Nothing to serve meanwhile: answer from single shards at once, and have the rest follow.
      this.#current = next;
      ctx.waitUntil(ensureAll(release, env.LISTS, ctx));
      return;
    }
    release.adopt(this.#current.release);
    if (!(await ensureAll(release, env.LISTS, ctx)))
      throw refused('RELEASE_INCOMPLETE', opened.value.release);
    this.#current = next;
  }
}

function refused(code: string, message: string): Unavailable {
  warn('headRefused', { code, message });
  return new Unavailable(message);
}
