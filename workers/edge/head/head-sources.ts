/**
 * Fetches the head: from the copy of the data centre, from the coordinator, or from KV while the coordinator
 * does not respond. shared/propagation.ts decides which source to use and when. The result is cached for the
 * other isolates of the data centre.
 */
import {
  CLAIM_RETRY_MS,
  COORDINATOR_BACKGROUND_WAIT_MS,
  COORDINATOR_WAIT_MS,
} from '../../../shared/limits/edge.ts';
import { HEAD_BYTES_MAX } from '../../../shared/limits/lists.ts';
import { afterCache, Breaker, type CachedCopy } from '../../../shared/propagation.ts';
import { type HeadDocument, openHeadWith, type SealedHead } from '../../../shared/release/head.ts';
import { HEAD_KEY } from '../../../shared/release/kv-keys.ts';
import type { ListKeys } from '../../../shared/set/keys.ts';
import type { Env, Secrets } from '../../env.ts';
import { warn, warnFailed } from '../../log.ts';
import { COORDINATOR_NAME, type HeadSource } from '../../storage/coordinator-port.ts';
import { readFresh } from '../../storage/kv-values.ts';
import { Unavailable, within } from '../../storage/single-flight.ts';
import { type CachedHead, claim, readCopy, writeCopy } from './head-cache.ts';

/**
 * How long a request waits, in ms, before it checks again for the head that another isolate is fetching. With
 * less time than this left, a request does not call the coordinator: the call would time out and count as a
 * failure, and its claim would block the other isolates.
 */
const LOOK_AGAIN_MS = CLAIM_RETRY_MS / 4;

export interface LoadContext {
  readonly env: Env;
  readonly secrets: Secrets;
  readonly ctx: ExecutionContext;
  readonly dataCentre: string;
}

/** A head as opened in this isolate, and when its source had it. */
export interface OpenedHead extends SealedHead, CachedCopy, UnsealedHead {}

interface UnsealedHead {
  readonly document: HeadDocument;
  /** The keys that sealed the head. Its live layer uses the same keys. */
  readonly keys: ListKeys;
}

export class HeadSources {
  readonly #breaker = new Breaker(Math.random);

  /**
   * @param held the head in memory
   * @param waits whether a request is waiting for the head
   * @param freshMs maximum age of the data centre's copy
   * @returns the head, which can be the one in memory with new times. Null if another isolate is fetching it:
   * try again soon
   * @throws Unavailable
   */
  async get(
    loadContext: LoadContext,
    held: OpenedHead | null,
    waits: boolean,
    freshMs: number,
  ): Promise<OpenedHead | null> {
    const { writer: keys } = loadContext.secrets.keys;
    const deadline = Date.now() + (waits ? COORDINATOR_WAIT_MS : COORDINATOR_BACKGROUND_WAIT_MS);
    for (;;) {
      const copy = await readCopy(keys);
      const now = Date.now();
      const mayQuery = this.#breaker.allows(now) && now + LOOK_AGAIN_MS < deadline;
      // Ignore a copy that is older than the head in memory.
      const ahead = copy !== null && copy.seq >= (held?.seq ?? 0) ? copy : null;
      let step = afterCache(ahead, mayQuery, now, freshMs);
      if (ahead !== null && step === 'use') {
        const found = await openCopy(ahead, loadContext, held);
        if (found !== null) return found;
        step = afterCache(null, mayQuery, now);
      }
      if (step === 'claim' && !(await claim(keys, copy?.fetchedAt ?? 0))) {
        if (!waits) return null;
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
        continue;
      }
      const found = step === 'claim' ? await this.#query(loadContext, held, deadline - Date.now()) : null;
      return found ?? fallBack(ahead, loadContext, held);
    }
  }

  /** @returns null if the coordinator does not respond or has no head */
  async #query(
    loadContext: LoadContext,
    held: OpenedHead | null,
    waitMs: number,
  ): Promise<OpenedHead | null> {
    const { env, dataCentre, secrets } = loadContext;
    const now = Date.now();
    try {
      const request = coordinatorPort(env).head({
        ...{ seq: held?.seq ?? 0, dataCentre, keyIds: secrets.keys.ids },
      });
      const { seq, sealed } = await within(request, waitMs);
      this.#breaker.succeeded();
      if (sealed === null && seq !== held?.seq) return null;
      // Readers never go back, even if the coordinator lost state.
      if (held !== null && seq < held.seq)
        throw new ValueRefused('HEAD_OLDER', `seq ${seq} is behind ${held.seq}`);
      const head = sealed === null ? held! : { seq, sealed, ...(await open(sealed, loadContext)) };
      const found = { ...head, asOf: now, fetchedAt: now };
      await writeCopy(found, secrets.keys.writer);
      return found;
    } catch (error) {
      if (error instanceof ValueRefused) throw error;
      const overloaded = (error as { overloaded?: boolean } | null)?.overloaded === true;
      this.#breaker.failed(Date.now(), overloaded);
      warnFailed('coordinatorFailed', error, { overloaded });
      return null;
    }
  }
}

export function coordinatorPort(env: Env): HeadSource {
  return env.COORDINATOR.getByName(COORDINATOR_NAME);
}

/** A fetched value, such as a head or a manifest, is refused. The last good one stays in use. */
export class ValueRefused extends Unavailable {
  constructor(code: string, message: string) {
    super(message);
    warn('valueRefused', { code, message });
  }
}

/** @throws ValueRefused */
async function open(sealed: SealedHead['sealed'], { secrets }: LoadContext): Promise<UnsealedHead> {
  const result = await openHeadWith(sealed, secrets.keys);
  if (!result.ok) throw new ValueRefused(result.code, result.message);
  const { value: document, keys } = result.value;
  return { document, keys };
}

/** @returns null if the copy is not a valid head */
async function openCopy(
  copy: CachedHead,
  loadContext: LoadContext,
  held: OpenedHead | null,
): Promise<OpenedHead | null> {
  const { seq, asOf, fetchedAt } = copy;
  if (held !== null && seq === held.seq) return { ...held, asOf, fetchedAt };
  try {
    const sealed = await copy.sealed();
    return { seq, asOf, fetchedAt, sealed, ...(await open(sealed, loadContext)) };
  } catch {
    return null;
  }
}

/** @returns null if KV does not respond, or has no valid head */
async function readKv(loadContext: LoadContext): Promise<OpenedHead | null> {
  try {
    const sealed = await readFresh(HEAD_KEY, HEAD_BYTES_MAX, loadContext.env.LISTS);
    if (sealed === null) return null;
    const { document, keys } = await open(sealed, loadContext);
    const fetchedAt = Date.now();
    // `asOf` is when the copy was written, not when the head changed: the coordinator rewrites the copy
    // regularly.
    const asOf = Math.min(fetchedAt, Date.parse(document.writtenAt ?? '') || 0);
    return { seq: document.head.seq, asOf, fetchedAt, sealed, document, keys };
  } catch {
    return null;
  }
}

/**
 * The newest head among this isolate, its data centre and KV, for use while the coordinator does not respond.
 * Its fetch time is the current time only if KV responded. If KV fails too, the copy of the data centre is used
 * even if it is old.
 * @throws Unavailable if no source has a head beyond the one in memory
 */
async function fallBack(
  copy: CachedHead | null,
  loadContext: LoadContext,
  held: OpenedHead | null,
): Promise<OpenedHead> {
  const [cached, inKv] = await Promise.all([
    copy === null ? null : openCopy(copy, loadContext, held),
    readKv(loadContext),
  ]);
  const found = [held, cached, inKv].filter((each) => each !== null);
  const seq = Math.max(...found.map((each) => each.seq));
  const newest = found.filter((each) => each.seq === seq);
  const first = newest[0];
  if (first === undefined || (inKv === null && first === held)) {
    throw new Unavailable('neither the coordinator nor KV has returned a head');
  }
  const asOf = Math.max(...newest.map((each) => each.asOf));
  const best = { ...first, asOf, fetchedAt: (inKv ?? copy!).fetchedAt };
  if (inKv !== null) await writeCopy(best, loadContext.secrets.keys.writer);
  return best;
}
