/**
 * The state that the isolates of one data centre share through the Cache API: a copy of the head, and a claim
 * to fetch a newer one. It only reduces the load on the coordinator: if the cache fails, it counts as empty.
 */
import { CACHED_HEAD_SECONDS, CLAIM_SECONDS } from '../../../shared/limits/edge.ts';
import type { CachedCopy } from '../../../shared/propagation.ts';
import type { SealedHead } from '../../../shared/release/head.ts';
import type { ListKeys } from '../../../shared/set/keys.ts';
import { cacheable } from '../../http/reply.ts';

const SEQ_HEADER = 'x-numgate-seq';
const FETCHED_HEADER = 'x-numgate-fetched-at';
const AS_OF_HEADER = 'x-numgate-as-of';

/** A hostname of our own plus the id of LIST_KEY, because other installations in the zone share the cache. */
function urlOf(what: 'copy' | 'claim', { keyId }: ListKeys): string {
  return `https://head.numgate.internal/${keyId}/${what}`;
}

export interface CachedHead extends CachedCopy {
  /** The sealed head. Can be read once. */
  readonly sealed: () => Promise<Uint8Array<ArrayBuffer>>;
}

export async function readCopy(keys: ListKeys): Promise<CachedHead | null> {
  const response = await match(urlOf('copy', keys));
  if (response === null) return null;
  const number = (name: string): number => Number(response.headers.get(name));
  return {
    seq: number(SEQ_HEADER),
    fetchedAt: number(FETCHED_HEADER),
    asOf: number(AS_OF_HEADER),
    sealed: async () => new Uint8Array(await response.arrayBuffer()),
  };
}

/** Shares the head with the other isolates. */
export async function writeCopy(
  { seq, fetchedAt, asOf, sealed }: CachedCopy & SealedHead,
  keys: ListKeys,
): Promise<void> {
  const headers = {
    [SEQ_HEADER]: String(seq),
    [FETCHED_HEADER]: String(fetchedAt),
    [AS_OF_HEADER]: String(asOf),
  };
  await put(urlOf('copy', keys), cacheable(sealed, CACHED_HEAD_SECONDS, headers));
}

/**
 * @param copyFetchedAt when the copy was fetched, 0 for none. A claim that is not newer has been fulfilled.
 * @returns true if this isolate now holds the claim, false if another isolate is fetching
 */
export async function claim(keys: ListKeys, copyFetchedAt: number): Promise<boolean> {
  const url = urlOf('claim', keys);
  const now = Date.now();
  const claimed = await match(url);
  const claimedAt = Number(claimed?.headers.get(FETCHED_HEADER) ?? 0);
  if (claimedAt > copyFetchedAt && now - claimedAt < CLAIM_SECONDS * 1000) return false;
  await put(url, cacheable(new Uint8Array(1), CLAIM_SECONDS, { [FETCHED_HEADER]: String(now) }));
  return true;
}

async function match(url: string): Promise<Response | null> {
  try {
    return (await caches.default.match(url)) ?? null;
  } catch {
    return null;
  }
}

async function put(url: string, response: Response): Promise<void> {
  await caches.default.put(url, response).catch(() => undefined);
}
