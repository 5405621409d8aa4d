/**
 * Verifies the message tokens of requests, and caches the results: a repeated token costs one look-up. Results leave out what
 * depends on the time, the client or the status of a credential. Screening checks that for every request.
 *
 * A result is valid for the shards of the credential table that its digests were found in. If a shard changes, the links are
 * looked up again. The signature is not verified again, because a digest identifies one credential and its key.
 */
import { linksOf } from '../../shared/credentials/chain.ts';
import type { CredentialRow } from '../../shared/credentials/credential-table.ts';
import type { CredentialKey } from '../../shared/credentials/keys.ts';
import type { PublishedCredentials } from '../../shared/credentials/published.ts';
import {
  EXPIRED,
  isTokenSignedBy,
  parseSenderToken,
  type TokenVerification,
  type WrittenToken,
} from '../../shared/credentials/sender-token.ts';
import {
  LINK_OVERHEAD_BYTES,
  REFUSED_TOKENS_BYTES_MAX,
  SIGNING_KEY_BYTES,
  SIGNING_KEYS_BYTES_MAX,
  SPAN_OVERHEAD_BYTES,
  TOKEN_OVERHEAD_BYTES,
  TOKENS_BYTES_MAX,
} from '../../shared/limits/credentials.ts';
import type { ScreenRequest } from '../../shared/request.ts';
import { type Failure, fail } from '../../shared/result.ts';
import { testTokenCode } from '../../shared/test-tokens.ts';
import type { Code } from '../../shared/verdict.ts';
import { ByteLru } from './byte-lru.ts';
import type { CredentialShards, MissingShard } from './head/credential-shards.ts';
import type { LoadContext } from './head/head-sources.ts';

/** The message token of a request that must be verified; null if there is none. */
export function tokenOf({ senderToken }: ScreenRequest): string | null {
  return senderToken === undefined || testTokenCode(senderToken) !== null ? null : senderToken;
}

/** The cached result for a token. */
interface Known {
  /** The digests that the token names; empty if the token is malformed. */
  readonly chain: readonly string[];
  readonly verification: TokenVerification;
  /** Whether the key of the last link signed the token; null if that was not verified. */
  readonly isSigned: boolean | null;
  /**
   * The KV keys of the shards of these digests, in the order of `chain`. Keys rather than PublishedCredentials:
   * tokens would keep those of many heads in memory.
   */
  readonly shards: readonly (string | null)[];
}

/** The context of the verifications of one request. */
export interface VerificationContext {
  readonly credentials: PublishedCredentials;
  /** Now, in seconds since 1970. */
  readonly nowS: number;
  readonly loadContext: LoadContext;
  /** Charges a verification. @returns false if the quota allows none now */
  charge(): boolean;
  /** Charges the read of a shard for a new token. @returns false if the quota allows none now */
  chargeRead(): boolean;
}

export class TokenVerifier {
  readonly #shards: CredentialShards;
  readonly #verified = new ByteLru<Known>(TOKENS_BYTES_MAX, bytesOf);
  /** Kept apart, so that invalid tokens evict no verified ones. */
  readonly #refused = new ByteLru<Known>(REFUSED_TOKENS_BYTES_MAX, bytesOf);
  /** Keys by the digest of their credential. Each key is one object, so that it is imported only once. */
  readonly #keys = new ByteLru<CredentialKey>(SIGNING_KEYS_BYTES_MAX, () => SIGNING_KEY_BYTES);
  /** Signatures verified so far, for tests. */
  verifications = 0;

  constructor(shards: CredentialShards) {
    this.#shards = shards;
  }

  /**
   * Verifies these tokens, each once.
   * @returns the results by text, without the tokens that the quota did not allow to verify
   */
  async verify(
    texts: ReadonlySet<string>,
    context: VerificationContext,
  ): Promise<ReadonlyMap<string, TokenVerification>> {
    const found = new Map<string, TokenVerification>();
    await Promise.all(
      [...texts].map(async (text) => {
        const verification = this.#inMemory(text, context.credentials) ?? (await this.#find(text, context));
        if (verification !== null) found.set(text, verification);
      }),
    );
    return found;
  }

  /** The cached result for a token; null if one of its shards has changed, or was unavailable. */
  #inMemory(text: string, credentials: PublishedCredentials): TokenVerification | null {
    const known = this.#known(text);
    if (known === undefined || known.verification.kind === 'unavailable') return null;
    const isSame = (digest: string, at: number): boolean =>
      shardKeyOf(digest, credentials) === known.shards[at];
    return known.chain.every(isSame) ? known.verification : null;
  }

  #known(text: string): Known | undefined {
    return this.#verified.get(text) ?? this.#refused.get(text);
  }

  /** @returns null if the quota allows no verification now */
  async #find(text: string, context: VerificationContext): Promise<TokenVerification | null> {
    const known = this.#known(text);
    if (known === undefined && !context.charge()) return null;
    const { credentials, nowS } = context;
    const parsed = parseSenderToken(text);
    if (!parsed.ok) {
      const verification = refused(parsed);
      return this.#keep(text, { chain: [], verification, isSigned: null, shards: [] });
    }
    const { token } = parsed.value;
    const { chain } = token;
    const shards = chain.map((digest) => shardKeyOf(digest, credentials));
    const keep = (verification: TokenVerification, isSigned = known?.isSigned ?? null): TokenVerification =>
      this.#keep(text, { chain, verification, isSigned, shards });
    if (nowS >= token.until) return keep(refused(EXPIRED));
    // A token with a valid signature may read changed shards without a charge. Made-up tokens never had one.
    const chargeRead = (): boolean => known?.isSigned === true || context.chargeRead();
    const rows = await Promise.all(chain.map((digest) => this.#rowOf(digest, { ...context, chargeRead })));
    if (rows.includes('refused')) return null;
    if (rows.includes('unavailable')) return keep({ kind: 'unavailable' });
    const links = linksOf(rows.filter((row) => typeof row !== 'string'));
    if (!links.ok) return keep(refused(links));
    const isSigned = known?.isSigned ?? (await this.#verifySignature(parsed.value, links.value.at(-1)!));
    return keep(isSigned ? { kind: 'verified', token, links: links.value } : refused(WRONG_KEY), isSigned);
  }

  /** The credential with this digest; null if there is none. */
  async #rowOf(
    digest: string,
    { credentials, loadContext, chargeRead }: VerificationContext,
  ): Promise<CredentialRow | null | MissingShard> {
    const named = credentials.shardOf(digest);
    if (named === null) return null;
    const table = await this.#shards.get(named, loadContext, chargeRead);
    return typeof table === 'string' ? table : table.find(digest);
  }

  #verifySignature(written: WrittenToken, { digest, key: read }: CredentialRow): Promise<boolean> {
    this.verifications++;
    const key = this.#keys.get(digest) ?? read;
    this.#keys.set(digest, key);
    return isTokenSignedBy(written, key);
  }

  #keep(text: string, known: Known): TokenVerification {
    const { verification } = known;
    this.#verified.delete(text);
    this.#refused.delete(text);
    const held = verification.kind === 'verified' ? this.#verified : this.#refused;
    held.set(text, known);
    return verification;
  }
}

function shardKeyOf(digest: string, credentials: PublishedCredentials): string | null {
  return credentials.shardOf(digest)?.key ?? null;
}

function refused({ code, message }: Failure<Code>): TokenVerification {
  return { kind: 'refused', code, detail: message };
}

const WRONG_KEY = fail('TOKEN_INVALID', 'is not signed with the key of the last link of its chain');

/** The text of a token takes one byte per character. */
function bytesOf(text: string, { verification }: Known): number {
  const links = verification.kind === 'verified' ? verification.links : [];
  const linkBytes = links.reduce(
    (sum, { spans }) => sum + LINK_OVERHEAD_BYTES + spans.length * SPAN_OVERHEAD_BYTES,
    0,
  );
  return text.length + TOKEN_OVERHEAD_BYTES + linkBytes;
}
