/**
 * Fetches the head: from the copy of the data centre, from the coordinator, or from KV while the coordinator
 * does not respond. shared/propagation.ts decides which source to use and when. The result is cached for the
 * other isolates of the data centre.
 */
import {
  CLAIM_RETRY_MS,
  COORDINATOR_BACKGROUND_WAIT_MS,
  COORDINATOR_WAIT_MS,
  KV_MUTABLE_TTL_SECONDS,
} from '../../../shared/limits.ts';
import { afterCache, Breaker } from '../../../shared/propagation.ts';
import { type HeadDocument, openHead } from '../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import type { Env, Secrets } from '../../env.ts';
import { warn } from '../../log.ts';
import { COORDINATOR_NAME, type HeadSource } from '../../storage/coordinator-port.ts';
import { Unavailable, within } from '../../storage/single-flight.ts';
import { type CachedHead, claim, readCopy, writeCopy } from './head-cache.ts';

/**
 * How long a request waits, in ms, before it checks again for the head that another isolate is fetching. With
 * less time than this left, a request does not call the coordinator: the call would time out and count as a
 * failure, and its claim would block the other isolates.
 */
const LOOK_AGAIN_MS = CLAIM_RETRY_MS / 4;

type Sealed = Uint8Array<ArrayBuffer>;

export interface LoadContext {
  readonly env: Env;
  readonly secrets: Secrets;
  readonly ctx: ExecutionContext;
  readonly dataCentre: string;
}

/** A head, and its sealed bytes. */
export interface SealedHead {
  readonly document: HeadDocument;
  readonly sealed: Sealed;
}

/** The head in memory. */
export interface CurrentHead {
  readonly seq: number;
  readonly sealed: Sealed;
  /** When it was last known to be current, in ms since 1970. */
  readonly asOf: number;
}

/** How fresh a head this isolate needs. */
export interface Freshness {
  readonly held: CurrentHead | null;
  /** Whether a request is waiting for the head. */
  readonly waits: boolean;
  /** Maximum age of the data centre's copy, in ms. */
  readonly freshMs: number;
}

export interface FetchedHead {
  /** Null if the head in memory is still current. */
  readonly next: SealedHead | null;
  /** When it was known to be current, in ms since 1970. */
  readonly asOf: number;
  /** When it was fetched, in ms since 1970. */
  readonly seenAt: number;
}

/** The head from one source; `next` is null if it is the one in memory. */
interface Found extends CurrentHead {
  readonly next: SealedHead | null;
}

export class HeadSources {
  readonly #breaker = new Breaker(Math.random);

  /**
   * @returns the head, or null if another isolate is fetching it: try again soon
   * @throws Unavailable
   */
  async get(loadContext: LoadContext, need: Freshness): Promise<FetchedHead | null> {
    const { keys } = loadContext.secrets;
    const deadline = Date.now() + (need.waits ? COORDINATOR_WAIT_MS : COORDINATOR_BACKGROUND_WAIT_MS);
    for (;;) {
      const copy = await readCopy(keys);
      const now = Date.now();
      const mayQuery = this.#breaker.allows(now) && now + LOOK_AGAIN_MS < deadline;
      // Ignore a copy that is older than the head in memory.
      const ahead = copy !== null && copy.seq >= (need.held?.seq ?? 0) ? copy : null;
      let step = afterCache(ahead, mayQuery, now, need.freshMs);
      if (ahead !== null && step === 'use') {
        const found = await openCopy(ahead, loadContext, need.held);
        if (found !== null) return { next: found.next, asOf: found.asOf, seenAt: ahead.fetchedAt };
        step = afterCache(null, mayQuery, now);
      }
      if (step === 'claim' && !(await claim(keys, copy?.fetchedAt ?? 0))) {
        if (!need.waits) return null;
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
        continue;
      }
      const got = step === 'claim' ? await this.#ask(loadContext, need.held, deadline - Date.now()) : null;
      return got ?? fallBack(ahead, loadContext, need.held);
    }
  }

  /** @returns null if the coordinator does not respond or has no head */
  async #ask(
    loadContext: LoadContext,
    held: CurrentHead | null,
    waitMs: number,
  ): Promise<FetchedHead | null> {
    const { env, dataCentre, secrets } = loadContext;
    const asOf = Date.now();
    try {
      const request = coordinatorPort(env).head({ seq: held?.seq ?? 0, dataCentre });
      const { seq, sealed } = await within(request, waitMs);
      this.#breaker.succeeded();
      if (sealed === null && seq !== held?.seq) return null;
      // Readers never go back, even if the coordinator lost state.
      if (held !== null && seq < held.seq)
        throw new ValueRefused('HEAD_OLDER', `seq ${seq} is behind ${held.seq}`);
      const next = sealed === null ? null : await opened(sealed, loadContext);
      await writeCopy({ seq, fetchedAt: asOf, asOf }, sealed ?? held!.sealed, secrets.keys);
      return { next, asOf, seenAt: asOf };
    } catch (error) {
      if (error instanceof ValueRefused) throw error;
      const overloaded = (error as { overloaded?: boolean } | null)?.overloaded === true;
      this.#breaker.failed(Date.now(), overloaded);
      warn('authorityFailed', { overloaded, name: error instanceof Error ? error.name : 'unknown' });
      return null;
    }
  }
}

export function coordinatorPort(env: Env): HeadSource {
  return env.COORDINATOR.getByName(COORDINATOR_NAME);
}

/** The fetched value cannot be trusted. The last good one stays in use. */
export class ValueRefused extends Unavailable {
  constructor(code: string, message: string) {
    super(message);
    warn('headRefused', { code, message });
  }
}

async function opened(sealed: Sealed, { secrets }: LoadContext): Promise<SealedHead> {
  const result = await openHead(sealed, secrets.keys);
  if (!result.ok) throw new ValueRefused(result.code, result.message);
  return { document: result.value, sealed };
}

/** @returns null if the copy is not a valid head */
async function openCopy(
  copy: CachedHead,
  loadContext: LoadContext,
  held: CurrentHead | null,
): Promise<Found | null> {
  const { seq, asOf } = copy;
  if (held !== null && seq === held.seq) return { seq, asOf, sealed: held.sealed, next: null };
  try {
    const next = await opened(await copy.sealed(), loadContext);
    return { seq, asOf, sealed: next.sealed, next };
  } catch {
    return null;
  }
}

/** @returns null if KV does not respond, or has no valid head */
async function readKv(loadContext: LoadContext): Promise<Found | null> {
  const options = { type: 'arrayBuffer', cacheTtl: KV_MUTABLE_TTL_SECONDS } as const;
  try {
    const bytes = await loadContext.env.LISTS.get(HEAD_KEY, options);
    if (bytes === null) return null;
    const next = await opened(new Uint8Array(bytes), loadContext);
    // `asOf` is when the copy was written, not when the head changed: the coordinator rewrites the copy
    // regularly.
    const asOf = Math.min(Date.now(), Date.parse(next.document.writtenAt ?? '') || 0);
    return { seq: next.document.head.seq, asOf, sealed: next.sealed, next };
  } catch {
    return null;
  }
}

/**
 * While the coordinator does not respond: the newest head among this isolate, its data centre and KV. Its
 * fetch time is now only if KV responded. If KV fails too, the copy of the data centre is used even if it is
 * old.
 * @throws Unavailable if no source has a head beyond the one in memory
 */
async function fallBack(
  copy: CachedHead | null,
  loadContext: LoadContext,
  held: CurrentHead | null,
): Promise<FetchedHead> {
  const [cached, inKv] = await Promise.all([
    copy === null ? null : openCopy(copy, loadContext, held),
    readKv(loadContext),
  ]);
  const own: Found | null = held === null ? null : { ...held, next: null };
  const found = [own, cached, inKv].filter((each) => each !== null);
  const seq = Math.max(...found.map((each) => each.seq));
  const newest = found.filter((each) => each.seq === seq);
  const first = newest[0];
  if (first === undefined || (inKv === null && first === own)) {
    throw new Unavailable('neither the coordinator nor KV has a head to give');
  }
  const asOf = Math.max(...newest.map((each) => each.asOf));
  const fetchedAt = inKv === null ? copy!.fetchedAt : Date.now();
  if (inKv !== null) await writeCopy({ seq, fetchedAt, asOf }, first.sealed, loadContext.secrets.keys);
  return { next: first.next, asOf, seenAt: fetchedAt };
}
