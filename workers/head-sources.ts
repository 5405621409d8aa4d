/**
 * Where an isolate gets the head from: the copy of its data centre, the authority, or KV while the
 * authority does not answer. Which, and when, is decided in shared/propagation.ts. What was learnt is left
 * in the cache for the other isolates of the data centre.
 */
import {
  AUTHORITY_WAIT_MS,
  CACHED_HEAD_SECONDS,
  CLAIM_RETRY_MS,
  CLAIM_SECONDS,
  KV_MUTABLE_TTL_SECONDS,
  LOAD_WAIT_MS,
} from '../shared/limits.ts';
import { afterCache, Breaker, type CachedCopy, isNewer } from '../shared/propagation.ts';
import { type HeadDocument, openHead } from '../shared/release/head.ts';
import { HEAD_KEY } from '../shared/release/kv-keys.ts';
import { AUTHORITY_NAME, type HeadSource } from './authority/head-source.ts';
import type { Env, Secrets } from './env.ts';
import { cacheable } from './http.ts';
import { warn } from './log.ts';
import { Unavailable, within } from './single-flight.ts';

/** Keys of the data centre's cache: a hostname of our own, since it is shared with all that is cached there. */
const COPY_URL = 'https://head.numgate.internal/copy';
const CLAIM_URL = 'https://head.numgate.internal/claim';
const SEQ_HEADER = 'x-numgate-seq';
const FETCHED_HEADER = 'x-numgate-fetched-at';
const AS_OF_HEADER = 'x-numgate-as-of';

/** A request that waits for another isolate's answer looks again after this, in ms. */
const LOOK_AGAIN_MS = CLAIM_RETRY_MS / 4;
const LOOKS_MAX = Math.floor(LOAD_WAIT_MS / LOOK_AGAIN_MS) - 1;

type Sealed = Uint8Array<ArrayBuffer>;

/** Who asks, and with what. */
export interface Asker {
  readonly env: Env;
  readonly secrets: Secrets;
  readonly ctx: ExecutionContext;
  readonly dataCentre: string;
}

/** A head in memory, as it came. */
export interface HeldHead {
  readonly seq: number;
  readonly sealed: Sealed;
  /** When it was last known to be current, in ms since 1970. */
  readonly asOf: number;
}

/** How urgently an isolate asks. */
export interface Need {
  readonly held: HeldHead | null;
  /** Whether a request waits for the answer. */
  readonly waits: boolean;
  /** Age up to which the copy of the data centre is good enough, in ms. */
  readonly freshMs: number;
}

/** A head as it was got. */
export interface GotHead {
  /** Null where the head in memory is still the one. */
  readonly next: { readonly document: HeadDocument; readonly sealed: Sealed } | null;
  /** When it was known to be current. */
  readonly asOf: number;
  /** When it was looked for. */
  readonly seenAt: number;
}

interface Copy extends CachedCopy {
  readonly response: Response;
}

export class HeadSources {
  readonly #breaker = new Breaker(Math.random);

  /** @returns the head, or null: another isolate is asking, come back soon @throws Unavailable */
  async get(asker: Asker, need: Need): Promise<GotHead | null> {
    for (let look = 1; ; look++) {
      const copy = await readCopy();
      const step = afterCache(usable(copy, need), this.#breaker.allows(Date.now()), Date.now(), need.freshMs);
      if (step === 'use' && copy !== null) {
        const got = await openCopy(copy, asker, need);
        if (got !== null) return got;
      }
      if (step === 'kv') return readKv(asker, need);
      // Who has nothing to answer from asks for itself.
      if (need.held === null || (await claim())) break;
      if (!need.waits || look === LOOKS_MAX) return null;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    return (await this.#ask(asker, need)) ?? readKv(asker, need);
  }

  /** @returns null where the authority does not answer, or has nothing */
  async #ask(asker: Asker, { held }: Need): Promise<GotHead | null> {
    const { env, dataCentre } = asker;
    const asOf = Date.now();
    try {
      const question = authorityOf(env).head({ seq: held?.seq ?? 0, dataCentre });
      const { seq, sealed } = await within(question, AUTHORITY_WAIT_MS);
      this.#breaker.succeeded();
      if (sealed === null && seq !== held?.seq) return null;
      // Nobody is to be taken back by what the authority has forgotten.
      if (held !== null && seq < held.seq)
        throw new Refused('HEAD_OLDER', `seq ${seq} is behind ${held.seq}`);
      const next = sealed === null ? null : await opened(sealed, asker);
      await writeCopy({ seq, fetchedAt: asOf, asOf }, sealed ?? held!.sealed);
      return { next, asOf, seenAt: asOf };
    } catch (error) {
      if (error instanceof Refused) throw error;
      const overloaded = (error as { overloaded?: boolean } | null)?.overloaded === true;
      this.#breaker.failed(Date.now(), overloaded);
      warn('authorityFailed', { overloaded, name: error instanceof Error ? error.name : 'unknown' });
      return null;
    }
  }
}

export function authorityOf(env: Env): HeadSource {
  return env.AUTHORITY.getByName(AUTHORITY_NAME);
}

/** What was got is not to be believed; the last good one goes on serving. */
export class Refused extends Unavailable {
  constructor(code: string, message: string) {
    super(message);
    warn('headRefused', { code, message });
  }
}

async function opened(sealed: Sealed, { secrets }: Asker): Promise<NonNullable<GotHead['next']>> {
  const result = await openHead(sealed, secrets.keys);
  if (!result.ok) throw new Refused(result.code, result.message);
  return { document: result.value, sealed };
}

/** A copy that is behind us tells nothing. */
function usable(copy: Copy | null, { held }: Need): Copy | null {
  return copy !== null && held !== null && copy.seq < held.seq ? null : copy;
}

/** @returns null where the copy is not a head */
async function openCopy(
  { seq, asOf, fetchedAt: seenAt, response }: Copy,
  asker: Asker,
  { held }: Need,
): Promise<GotHead | null> {
  if (seq === held?.seq) return { next: null, asOf, seenAt };
  try {
    return { next: await opened(new Uint8Array(await response.arrayBuffer()), asker), asOf, seenAt };
  } catch {
    return null;
  }
}

async function readKv(asker: Asker, { held }: Need): Promise<GotHead> {
  const options = { type: 'arrayBuffer', cacheTtl: KV_MUTABLE_TTL_SECONDS } as const;
  const bytes = await asker.env.LISTS.get(HEAD_KEY, options);
  if (bytes === null) throw new Unavailable('no head in KV');
  const next = await opened(new Uint8Array(bytes), asker);
  const { seq } = next.document.head;
  const now = Date.now();
  if (held !== null && !isNewer(seq, held.seq)) {
    // What KV shows may be as old as it is cached; what is behind us says nothing of now.
    const asOf = seq === held.seq ? Math.max(held.asOf, now - KV_MUTABLE_TTL_SECONDS * 1000) : held.asOf;
    await writeCopy({ seq: held.seq, fetchedAt: now, asOf }, held.sealed);
    return { next: null, asOf, seenAt: now };
  }
  const asOf = now - KV_MUTABLE_TTL_SECONDS * 1000;
  await writeCopy({ seq, fetchedAt: now, asOf }, next.sealed);
  return { next, asOf, seenAt: now };
}

/** The cache is only there to spare the authority: where it fails, the authority is asked. */
async function readCopy(): Promise<Copy | null> {
  try {
    const response = await caches.default.match(COPY_URL);
    if (response === undefined) return null;
    const number = (name: string): number => Number(response.headers.get(name));
    return {
      seq: number(SEQ_HEADER),
      fetchedAt: number(FETCHED_HEADER),
      asOf: number(AS_OF_HEADER),
      response,
    };
  } catch {
    return null;
  }
}

async function writeCopy({ seq, fetchedAt, asOf }: CachedCopy, sealed: Sealed): Promise<void> {
  const headers = {
    [SEQ_HEADER]: String(seq),
    [FETCHED_HEADER]: String(fetchedAt),
    [AS_OF_HEADER]: String(asOf),
  };
  await put(COPY_URL, cacheable(sealed, CACHED_HEAD_SECONDS, headers));
}

/** @returns whether nobody else of the data centre is asking; now we are */
async function claim(): Promise<boolean> {
  const now = Date.now();
  try {
    const claimed = await caches.default.match(CLAIM_URL);
    if (now - Number(claimed?.headers.get(FETCHED_HEADER) ?? 0) < CLAIM_SECONDS * 1000) return false;
  } catch {
    return true;
  }
  await put(CLAIM_URL, cacheable(new Uint8Array(1), CLAIM_SECONDS, { [FETCHED_HEADER]: String(now) }));
  return true;
}

async function put(url: string, response: Response): Promise<void> {
  await caches.default.put(url, response).catch(() => undefined);
}
