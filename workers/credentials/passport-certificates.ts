/**
 * What PASSporTs are verified with: the certificates of signers, fetched from the hosts of the roots and verified against
 * them. A chain that was verified once serves until it ends, even if its server fails meanwhile.
 */
import type {
  PassportCertificate,
  PassportCertificateInfo,
  PassportRoot,
  PassportRootInfo,
} from '../../shared/admin/passport.ts';
import { digestOf } from '../../shared/credentials/keys.ts';
import type { PassportRow } from '../../shared/credentials/passport-table.ts';
import {
  PASSPORT_CERTIFICATES_MAX,
  PASSPORT_CHAIN_CHARS_MAX,
  PASSPORT_FETCH_MS,
  PASSPORT_FETCH_WAIT_MS,
  PASSPORT_FETCHES_AT_ONCE,
  PASSPORT_RENEW_MS,
  PASSPORT_RETRY_MS,
  PASSPORT_ROOTS_MAX,
  PASSPORT_SPANS_MAX,
} from '../../shared/limits/passport.ts';
import type { Span } from '../../shared/numbers/spans.ts';
import { fail, ok } from '../../shared/result.ts';
import { formatSenderNumbers } from '../../shared/senders/sender-numbers.ts';
import type { ControlEnv } from '../env.ts';
import { warn } from '../log.ts';
import { refuse, type StoreResult } from '../storage/store-request.ts';
import { fetchableHost, fetchText } from './fetch-text.ts';
import { parseRoot, verifyChain } from './passport-chain.ts';
import { PassportRows, type StoredCertificate } from './passport-rows.ts';
import { authorizedNumbers } from './tn-authorization.ts';

const FETCH = {
  accept: 'application/pem-certificate-chain, application/x-pem-file, */*;q=0.1',
  bytesMax: PASSPORT_CHAIN_CHARS_MAX,
  waitMs: PASSPORT_FETCH_WAIT_MS,
};

type Env = Pick<ControlEnv, 'PLATFORM'>;

export class PassportCertificates {
  readonly #rows: PassportRows;
  readonly #env: Env;

  constructor(sql: SqlStorage, env: Env) {
    this.#rows = new PassportRows(sql);
    this.#env = env;
  }

  roots(): PassportRootInfo[] {
    return this.#rows.roots().map((root) => {
      const parsed = parseRoot(root.certificate);
      // It was checked when it was stored.
      if (!parsed.ok) throw new Error(parsed.message);
      return { ...root, notBefore: timeOf(parsed.value.notBefore), notAfter: timeOf(parsed.value.notAfter) };
    });
  }

  /** @returns what was there before. Must run in a transaction, as all changes. */
  putRoot(root: PassportRoot, now: number): StoreResult<PassportRoot | null> {
    const parsed = parseRoot(root.certificate);
    if (!parsed.ok) return refuse('PASSPORT_ROOT_INVALID', `"root.certificate" ${parsed.message}`);
    if (parsed.value.notAfter <= now)
      return refuse('PASSPORT_ROOT_INVALID', '"root.certificate" has expired');
    const known = this.#rows.roots();
    const before = known.find(({ id }) => id === root.id) ?? null;
    if (before === null && known.length >= PASSPORT_ROOTS_MAX)
      return refuse('PASSPORT_TOO_MANY', `there are ${PASSPORT_ROOTS_MAX} roots: remove one`);
    this.#rows.putRoot(root);
    return ok(before);
  }

  removeRoot(id: string): StoreResult<PassportRoot> {
    const before = this.#rows.roots().find((root) => root.id === id);
    if (before === undefined) return refuse('PASSPORT_ROOT_UNKNOWN', 'no root has this id');
    this.#rows.removeRoot(id);
    return ok(before);
  }

  certificates(now: number): PassportCertificateInfo[] {
    return this.#rows.certificates().map((each) => infoOf(each, now));
  }

  certificate(id: string, now: number): PassportCertificateInfo | null {
    const found = this.#rows.certificate(id);
    return found && infoOf(found, now);
  }

  /** @param x5u SHA-256 of its URL @returns what was there before */
  putCertificate(
    content: PassportCertificate,
    x5u: string,
    now: number,
  ): StoreResult<PassportCertificate | null> {
    const host = fetchableHost(content.url, this.#env);
    if (host === null || !this.#rows.roots().some(({ hosts }) => hosts.includes(host))) {
      const advice = 'add the host to the "hosts" of the root that its chain ends at';
      return refuse(
        'PASSPORT_HOST_UNKNOWN',
        `"certificate.url" has a host that no root is trusted for: ${advice}`,
      );
    }
    const known = this.#rows.certificates();
    if (known.some((each) => each.content.id !== content.id && each.content.url === content.url))
      return refuse('PASSPORT_URL_TAKEN', '"certificate.url" is that of another certificate');
    const before = known.find((each) => each.content.id === content.id) ?? null;
    if (before === null && known.length >= PASSPORT_CERTIFICATES_MAX)
      return refuse('PASSPORT_TOO_MANY', `there are ${PASSPORT_CERTIFICATES_MAX} certificates: remove one`);
    const isSame = before?.content.url === content.url;
    const rest = isSame ? { ...before, isVerifyDue: true } : NOT_FETCHED;
    // Fetched at once in any case: whoever stores it again wants to see what is there now.
    this.#rows.put({ ...rest, content, x5u, failures: 0, fetchDue: now });
    return ok(before?.content ?? null);
  }

  removeCertificate(id: string): StoreResult<PassportCertificate> {
    const before = this.#rows.certificate(id);
    if (before === null) return refuse('PASSPORT_CERTIFICATE_UNKNOWN', 'no certificate has this id');
    this.#rows.remove(id);
    return ok(before.content);
  }

  /** What the edge must have. */
  published(now: number): PassportRow[] {
    return this.#rows.certificates().flatMap(({ content, x5u, signer }) => {
      if (signer === null || content.state === 'suspended' || signer.notAfter <= now) return [];
      const { key, notBefore, notAfter } = signer;
      return [
        {
          // Without the byte that says that both coordinates follow.
          ...{ x5u, key: { alg: 'ES256', bytes: key.slice(1) } as const },
          ...{ notBefore: Math.ceil(notBefore / 1000), notAfter: Math.floor(notAfter / 1000) },
          spans: spansOf(signer, content),
        },
      ];
    });
  }

  /** When to call `run` again, in ms since 1970; null for never. */
  dueAt(now: number): number | null {
    const times = this.#rows
      .certificates()
      .filter(({ content }) => content.state === 'active')
      .map(({ isVerifyDue, fetchDue }) => (isVerifyDue ? now : fetchDue));
    return times.length === 0 ? null : Math.min(...times);
  }

  /**
   * Fetches and verifies some of what is due. Never throws for a server.
   * @returns whether something may have changed
   */
  async run(now: number): Promise<boolean> {
    const due = this.#rows
      .certificates()
      .filter(({ content }) => content.state === 'active')
      .filter(({ isVerifyDue, fetchDue }) => isVerifyDue || fetchDue <= now)
      .slice(0, PASSPORT_FETCHES_AT_ONCE);
    await Promise.all(due.map(({ content: { id } }) => this.#renew(id, now)));
    return due.length > 0;
  }

  async #renew(id: string, now: number): Promise<void> {
    const before = this.#rows.certificate(id);
    const isFetch = (before?.fetchDue ?? Number.POSITIVE_INFINITY) <= now;
    const fetched = before !== null && isFetch ? await fetchText(before.content.url, FETCH) : null;
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
    // What an admin changed meanwhile is due again.
    const latest = [this.#rows.certificate(id), this.#rows.roots()];
    if (JSON.stringify(latest) !== JSON.stringify([found, roots])) return;
    const failures = problem === null ? 0 : found.failures + (isFetch ? 1 : 0);
    if (problem !== null && isFetch) warn('passportCertificateFailed', { id, failures });
    this.#rows.put({
      ...{ ...found, ...kept, problem, failures, isVerifyDue: false },
      fetchedAt: isFetch ? now : found.fetchedAt,
      fetchDue: isFetch ? nextFetch(kept.signer, failures, now) : found.fetchDue,
    });
  }

  async #verify(chain: string, found: StoredCertificate, roots: readonly PassportRoot[], now: number) {
    const { content } = found;
    const host = fetchableHost(content.url, this.#env);
    const trusted = roots.flatMap(({ hosts, certificate }) => {
      const parsed = host !== null && hosts.includes(host) ? parseRoot(certificate) : null;
      return parsed?.ok === true ? [parsed.value] : [];
    });
    const verified = await verifyChain(chain, trusted, now);
    if (!verified.ok) return verified;
    const spans = spansOf(verified.value, content);
    if (spans.length === 0) {
      const advice = 'set "numbers" to those that its service provider code stands for';
      return fail('PASSPORT_CHAIN_INVALID', `names a network, but no numbers: ${advice}`);
    }
    const others = this.published(now).filter(({ x5u }) => x5u !== found.x5u);
    const total = others.reduce((sum, each) => sum + each.spans.length, spans.length);
    if (total > PASSPORT_SPANS_MAX) {
      return fail('PASSPORT_CHAIN_INVALID', `makes more than ${PASSPORT_SPANS_MAX} ranges with all others`);
    }
    return verified;
  }
}

/** How logs and PASSporTs name a certificate. */
export const x5uOf = digestOf;

const NOT_FETCHED = {
  chain: null,
  signer: null,
  problem: null,
  fetchedAt: null,
  isVerifyDue: false,
} as const;

/** When a chain is fetched again. */
function nextFetch(signer: StoredCertificate['signer'], failures: number, now: number): number {
  if (failures > 0) return now + Math.min(PASSPORT_RETRY_MS * 2 ** (failures - 1), PASSPORT_FETCH_MS);
  const renewal = signer === null ? now : signer.notAfter - PASSPORT_RENEW_MS;
  // A chain that ends soon is not fetched without end.
  return Math.max(now + PASSPORT_RETRY_MS, Math.min(now + PASSPORT_FETCH_MS, renewal));
}

function spansOf(
  { authorizations }: NonNullable<StoredCertificate['signer']>,
  { numbers }: PassportCertificate,
): Span[] {
  return authorizedNumbers(authorizations, numbers.map(parseRange));
}

/** @param written as the schema allows it */
function parseRange(written: string): Span {
  const [first, last = first] = written.replaceAll('+', '').split('..').map(Number) as [number, number?];
  return { from: first, to: last };
}

function infoOf(found: StoredCertificate, now: number): PassportCertificateInfo {
  const { content, x5u, signer, problem, fetchedAt, fetchDue } = found;
  return {
    ...content,
    x5u,
    status: statusOf(found, now),
    problem,
    providers: signer?.authorizations[0]?.providers ?? [],
    authorized: signer === null ? [] : spansOf(signer, content).map(formatSenderNumbers),
    notBefore: signer === null ? null : timeOf(signer.notBefore),
    notAfter: signer === null ? null : timeOf(signer.notAfter),
    fetchedAt: fetchedAt === null ? null : timeOf(fetchedAt),
    nextFetchAt: content.state === 'suspended' ? null : timeOf(fetchDue),
  };
}

function statusOf({ content, signer, problem }: StoredCertificate, now: number) {
  if (content.state === 'suspended') return 'suspended';
  if (signer !== null && signer.notAfter > now) return 'valid';
  return problem === null && signer === null ? 'waiting' : 'failed';
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
