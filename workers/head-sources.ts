/**
 * Where an isolate gets the head from: the copy of its data centre, the authority, or KV while the
 * authority does not answer. Which, and when, is decided in shared/propagation.ts. What was learnt is left
 * in the cache for the other isolates of the data centre.
 */
import {
  AUTHORITY_PATIENCE_MS,
  AUTHORITY_WAIT_MS,
  CLAIM_RETRY_MS,
  KV_MUTABLE_TTL_SECONDS,
} from '../shared/limits.ts';
import { afterCache, Breaker } from '../shared/propagation.ts';
import { type HeadDocument, openHead } from '../shared/release/head.ts';
import { HEAD_KEY } from '../shared/release/kv-keys.ts';
import { AUTHORITY_NAME, type HeadSource } from './authority/edge-port.ts';
import type { Env, Secrets } from './env.ts';
import { type Copy, claim, readCopy, writeCopy } from './head-cache.ts';
import { warn } from './log.ts';
import { Unavailable, within } from './single-flight.ts';

/**
 * A request that waits for another isolate's answer looks again after this, in ms. With no more than that
 * left it asks nobody: its question would be cut off and taken for a failure, and its claim would keep the
 * others from asking.
 */
const LOOK_AGAIN_MS = CLAIM_RETRY_MS / 4;

type Sealed = Uint8Array<ArrayBuffer>;

/** Who asks, and with what. */
export interface Asker {
  readonly env: Env;
  readonly secrets: Secrets;
  readonly ctx: ExecutionContext;
  readonly dataCentre: string;
}

/** A head, and the bytes it came as. */
export interface SealedHead {
  readonly document: HeadDocument;
  readonly sealed: Sealed;
}

/** A head in memory. */
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
  readonly next: SealedHead | null;
  /** When it was known to be current. */
  readonly asOf: number;
  /** When it was looked for. */
  readonly seenAt: number;
}

/** What one source has: its head, or null for the one in memory. */
interface Found extends HeldHead {
  readonly next: SealedHead | null;
}

export class HeadSources {
  readonly #breaker = new Breaker(Math.random);

  /** @returns the head, or null: another isolate is asking, come back soon @throws Unavailable */
  async get(asker: Asker, need: Need): Promise<GotHead | null> {
    const { keys } = asker.secrets;
    const deadline = Date.now() + (need.waits ? AUTHORITY_WAIT_MS : AUTHORITY_PATIENCE_MS);
    for (;;) {
      const copy = await readCopy(keys);
      const now = Date.now();
      const mayAsk = this.#breaker.allows(now) && now + LOOK_AGAIN_MS < deadline;
      // A copy that is behind us tells nothing.
      const ahead = copy !== null && copy.seq >= (need.held?.seq ?? 0) ? copy : null;
      let step = afterCache(ahead, mayAsk, now, need.freshMs);
      if (ahead !== null && step === 'use') {
        const found = await openCopy(ahead, asker, need.held);
        if (found !== null) return { next: found.next, asOf: found.asOf, seenAt: ahead.fetchedAt };
        step = afterCache(null, mayAsk, now);
      }
      if (step === 'claim' && !(await claim(keys, copy?.fetchedAt ?? 0))) {
        if (!need.waits) return null;
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
        continue;
      }
      const got = step === 'claim' ? await this.#ask(asker, need.held, deadline - Date.now()) : null;
      return got ?? fallBack(ahead, asker, need.held);
    }
  }

  /** @returns null where the authority does not answer, or has nothing */
  async #ask(asker: Asker, held: HeldHead | null, waitMs: number): Promise<GotHead | null> {
    const { env, dataCentre, secrets } = asker;
    const asOf = Date.now();
    try {
      const question = authorityOf(env).head({ seq: held?.seq ?? 0, dataCentre });
      const { seq, sealed } = await within(question, waitMs);
      this.#breaker.succeeded();
      if (sealed === null && seq !== held?.seq) return null;
      // Nobody is to be taken back by what the authority has forgotten.
      if (held !== null && seq < held.seq)
        throw new Refused('HEAD_OLDER', `seq ${seq} is behind ${held.seq}`);
      const next = sealed === null ? null : await opened(sealed, asker);
      await writeCopy({ seq, fetchedAt: asOf, asOf }, sealed ?? held!.sealed, secrets.keys);
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

async function opened(sealed: Sealed, { secrets }: Asker): Promise<SealedHead> {
  const result = await openHead(sealed, secrets.keys);
  if (!result.ok) throw new Refused(result.code, result.message);
  return { document: result.value, sealed };
}

/** @returns null where the copy is not a head */
async function openCopy(copy: Copy, asker: Asker, held: HeldHead | null): Promise<Found | null> {
  const { seq, asOf } = copy;
  if (held !== null && seq === held.seq) return { seq, asOf, sealed: held.sealed, next: null };
  try {
    const next = await opened(await copy.sealed(), asker);
    return { seq, asOf, sealed: next.sealed, next };
  } catch {
    return null;
  }
}

/** @returns null where KV has no head, or none to be believed, or does not answer */
async function readKv(asker: Asker): Promise<Found | null> {
  const options = { type: 'arrayBuffer', cacheTtl: KV_MUTABLE_TTL_SECONDS } as const;
  try {
    const bytes = await asker.env.LISTS.get(HEAD_KEY, options);
    if (bytes === null) return null;
    const next = await opened(new Uint8Array(bytes), asker);
    // As old as it says, which is not how long ago the head was changed: the authority writes it over and over.
    const asOf = Math.min(Date.now(), Date.parse(next.document.writtenAt ?? '') || 0);
    return { seq: next.document.head.seq, asOf, sealed: next.sealed, next };
  } catch {
    return null;
  }
}

/**
 * While the authority does not answer: the newest of what this isolate, its data centre and KV have. Only
 * one that KV bears out counts as looked for now; where KV fails too, an old copy is better than nothing.
 * @throws Unavailable where nothing was learnt
 */
async function fallBack(copy: Copy | null, asker: Asker, held: HeldHead | null): Promise<GotHead> {
  const [cached, inKv] = await Promise.all([
    copy === null ? null : openCopy(copy, asker, held),
    readKv(asker),
  ]);
  const own: Found | null = held === null ? null : { ...held, next: null };
  const found = [own, cached, inKv].filter((each) => each !== null);
  const seq = Math.max(...found.map((each) => each.seq));
  const newest = found.filter((each) => each.seq === seq);
  const first = newest[0];
  if (first === undefined || (inKv === null && first === own)) {
    throw new Unavailable('neither the authority nor KV has a head to give');
  }
  const asOf = Math.max(...newest.map((each) => each.asOf));
  const fetchedAt = inKv === null ? copy!.fetchedAt : Date.now();
  if (inKv !== null) await writeCopy({ seq, fetchedAt, asOf }, first.sealed, asker.secrets.keys);
  return { next: first.next, asOf, seenAt: fetchedAt };
}
