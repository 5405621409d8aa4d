/**
 * The index of the credentials. The head names this sealed value, and the index names all other values of credentials.
 * Readers ignore fields that they do not know.
 */
import * as v from 'valibot';
import { utf8 } from '../bytes.ts';
import {
  CREDENTIAL_SHARD_ROWS,
  CREDENTIAL_SHARDS_MAX,
  STATUS_ENTRIES_MAX,
  STATUS_LISTS_MAX,
  URI_CHARS_MAX,
} from '../limits/credentials.ts';
import { namedValueSchema } from '../release/head.ts';
import type { ListKeys } from '../set/keys.ts';
import { seal, unseal } from '../set/seal.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const indexSchema = v.object({
  kind: v.literal('numgate-credentials'),
  format: v.literal(1),
  version: count,
  /** Sealed credential tables, by the leading bits of the digest. Their number is a power of two. */
  shards: v.pipe(
    v.array(namedValueSchema),
    v.minLength(1),
    v.maxLength(CREDENTIAL_SHARDS_MAX),
    v.check((shards) => Number.isInteger(Math.log2(shards.length))),
  ),
  /** Times are in seconds since 1970. The value is the sealed list, deflated as its issuer published it. */
  statusLists: v.pipe(
    v.array(
      v.object({
        uri: v.pipe(v.string(), v.maxLength(URI_CHARS_MAX)),
        iat: count,
        /** From this time on, the list is stale. */
        exp: count,
        /** Count of entries. */
        size: v.pipe(count, v.maxValue(STATUS_ENTRIES_MAX)),
        bits: v.picklist([1, 2]),
        value: namedValueSchema,
      }),
    ),
    v.maxLength(STATUS_LISTS_MAX),
  ),
  /** Sealed table of the certificates of PASSporTs; null if there are none. */
  passport: v.nullable(namedValueSchema),
});
export type CredentialIndex = v.InferOutput<typeof indexSchema>;

export function sealCredentialIndex(
  index: CredentialIndex,
  keys: ListKeys,
): Promise<Uint8Array<ArrayBuffer>> {
  return seal(utf8(JSON.stringify(index)), keys);
}

/** Returns the index, or null if the bytes are not an index sealed with these keys. */
export async function openCredentialIndex(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<CredentialIndex | null> {
  const content = await unseal(bytes, keys);
  if (content === null) return null;
  try {
    const parsed = v.safeParse(indexSchema, JSON.parse(new TextDecoder().decode(content)));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** Returns the number of shards for this many credentials. */
export function credentialShardCount(rows: number): number {
  let shards = 1;
  while (shards < CREDENTIAL_SHARDS_MAX && rows > shards * CREDENTIAL_SHARD_ROWS) shards *= 2;
  return shards;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Returns a credential's shard, from the leading bits of its digest. @param digest base64url @param count a power of two */
export function credentialShardOf(digest: string, count: number): number {
  const leading = BASE64URL.indexOf(digest[0]!) * 64 + BASE64URL.indexOf(digest[1]!);
  return Math.floor((leading * count) / 4_096);
}
