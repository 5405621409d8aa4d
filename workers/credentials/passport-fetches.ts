/**
 * Fetches the certificate chains of PASSporTs, and verifies them against the roots that are trusted for their hosts. A
 * verified chain is used until it ends, even if its host fails meanwhile.
 */
import type { PassportRoot } from '../../shared/admin/passport.ts';
import {
  PASSPORT_CHAIN_CHARS_MAX,
  PASSPORT_FETCH_MS,
  PASSPORT_FETCH_WAIT_MS,
  PASSPORT_FETCHES_AT_ONCE,
  PASSPORT_RENEW_MS,
  PASSPORT_RETRY_MS,
  PASSPORT_SPANS_MAX,
} from '../../shared/limits/passport.ts';
import { type Failure, fail, type Result } from '../../shared/result.ts';
import { warn } from '../log.ts';
import { type FetchProblem, fetchableHost, fetchText } from './fetch-text.ts';
import { type ChainFailure, parseRoot, type SignerCertificate, verifyChain } from './passport-chain.ts';
import { type PassportRows, type StoredCertificate, signerSpans } from './passport-rows.ts';
import type { Tables } from './tables.ts';

const BOUNDS = {
  accept: 'application/pem-certificate-chain, application/x-pem-file, */*;q=0.1',
  bytesMax: PASSPORT_CHAIN_CHARS_MAX,
  waitMs: PASSPORT_FETCH_WAIT_MS,
};

export class PassportFetches {
  readonly #storage: DurableObjectStorage;
  readonly #tables: Pick<Tables, 'passport' | 'publication'>;
  readonly #isCloudflare: boolean;

  constructor(
    storage: DurableObjectStorage,
    tables: Pick<Tables, 'passport' | 'publication'>,
    isCloudflare: boolean,
  ) {
    this.#storage = storage;
    this.#tables = tables;
    this.#isCloudflare = isCloudflare;
  }

  get #rows(): PassportRows {
    return this.#tables.passport;
  }

  /** When to call `run` again, in ms since 1970; null for never. */
  dueAt(now: number): number | null {
    const times = this.#rows
      .certificates()
      .filter(({ content }) => content.state === 'active')
      .map(({ isVerifyDue, fetchDue }) => (isVerifyDue ? now : fetchDue));
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Fetches and verifies some of the certificates that are due. Does not throw if a host fails. */
  async run(now: number): Promise<void> {
    const due = this.#rows
      .certificates()
      .filter(({ content }) => content.state === 'active')
      .filter(({ isVerifyDue, fetchDue }) => isVerifyDue || fetchDue <= now)
      .slice(0, PASSPORT_FETCHES_AT_ONCE);
    await Promise.all(due.map(({ content: { id } }) => this.#renew(id, now)));
  }

  async #renew(id: string, now: number): Promise<void> {
    const before = this.#rows.certificate(id);
    const isFetch = (before?.fetchDue ?? Number.POSITIVE_INFINITY) <= now;
    const fetched = before !== null && isFetch ? await this.#fetch(before.content.url) : null;
    const found = this.#rows.certificate(id);
    const roots = this.#rows.roots();
    if (before === null || found?.content.url !== before.content.url) return;
    let problem = fetched?.ok === false ? fetched.message : null;
    let kept: Pick<StoredCertificate, 'chain' | 'signer'> = { chain: found.chain, signer: null };
    for (const chain of new Set([fetched?.ok === true ? fetched.value : null, found.chain])) {
      if (chain === null) continue;
      const verified = await this.#verify(chain, found, roots, now);
      if (verified.ok) {
        kept = { chain, signer: verified.value };
        break;
      }
      problem ??= `the chain ${verified.message}`;
    }
    // If an admin changed something meanwhile, the certificate is due again.
    const latest = [this.#rows.certificate(id), this.#rows.roots()];
    if (JSON.stringify(latest) !== JSON.stringify([found, roots])) return;
    const failures = problem === null ? 0 : found.failures + (isFetch ? 1 : 0);
    if (problem !== null && isFetch) warn('passportCertificateFailed', { id, failures });
    const after = {
      ...{ ...found, ...kept, problem, failures, isVerifyDue: false },
      fetchedAt: isFetch ? now : found.fetchedAt,
      fetchDue: isFetch ? nextFetch(kept.signer, failures, now) : found.fetchDue,
    };
    this.#storage.transactionSync(() => {
      this.#rows.put(after);
      if (JSON.stringify(after.signer) !== JSON.stringify(found.signer)) this.#tables.publication.changed();
    });
  }

  /** Checks the host again, because roots and their hosts may have changed since the URL was accepted. */
  async #fetch(url: string): Promise<Result<string, Failure<FetchProblem>>> {
    const host = fetchableHost(url, this.#isCloudflare);
    const isTrusted = host !== null && this.#rows.roots().some(({ hosts }) => hosts.includes(host));
    if (!isTrusted) return fail('URL_REFUSED', 'no root is trusted for the host');
    return fetchText(url, BOUNDS, this.#isCloudflare);
  }

  async #verify(
    chain: string,
    { content, x5u }: StoredCertificate,
    roots: readonly PassportRoot[],
    now: number,
  ): Promise<Result<SignerCertificate, ChainFailure>> {
    const host = fetchableHost(content.url, this.#isCloudflare);
    const trusted = roots.flatMap(({ hosts, certificate }) => {
      const parsed = host !== null && hosts.includes(host) ? parseRoot(certificate) : null;
      return parsed?.ok === true ? [parsed.value] : [];
    });
    const verified = await verifyChain(chain, trusted, now);
    if (!verified.ok) return verified;
    const spans = signerSpans(verified.value, content);
    if (spans.length === 0) {
      const advice = 'set "numbers" to the numbers of its service provider code';
      return fail('PASSPORT_CHAIN_INVALID', `names a network, but no numbers: ${advice}`);
    }
    const others = this.#rows.published(now).filter((each) => each.x5u !== x5u);
    const total = others.reduce((sum, each) => sum + each.spans.length, spans.length);
    return total <= PASSPORT_SPANS_MAX
      ? verified
      : fail(
          'PASSPORT_CHAIN_INVALID',
          `has too many ranges: all chains together may have at most ${PASSPORT_SPANS_MAX}`,
        );
  }
}

/** When a chain is fetched again, in ms since 1970. */
function nextFetch(signer: SignerCertificate | null, failures: number, now: number): number {
  if (failures > 0) return now + Math.min(PASSPORT_RETRY_MS * 2 ** (failures - 1), PASSPORT_FETCH_MS);
  const renewal = signer === null ? now : signer.notAfter - PASSPORT_RENEW_MS;
  // The lower bound keeps a chain that ends soon from being fetched endlessly.
  return Math.max(now + PASSPORT_RETRY_MS, Math.min(now + PASSPORT_FETCH_MS, renewal));
}
