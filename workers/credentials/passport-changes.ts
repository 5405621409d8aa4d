/** Changes of the data that verifies PASSporTs: roots, and the certificates of signers. */
import type {
  PassportCertificate,
  PassportCertificateInfo,
  PassportRoot,
  PassportRootInfo,
} from '../../shared/admin/passport.ts';
import { digestOf } from '../../shared/credentials/keys.ts';
import { PASSPORT_CERTIFICATES_MAX, PASSPORT_ROOTS_MAX } from '../../shared/limits/passport.ts';
import { ok } from '../../shared/result.ts';
import { formatSenderNumbers } from '../../shared/senders/sender-numbers.ts';
import { checkPrecondition, type Precondition } from '../storage/precondition.ts';
import { refuse, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { auditNumbers } from './audit-numbers.ts';
import { fetchableHost } from './fetch-text.ts';
import { parseRoot } from './passport-chain.ts';
import { type StoredCertificate, signerSpans } from './passport-rows.ts';
import type { Tables } from './tables.ts';

export class PassportChanges {
  readonly #tables: Tables;
  readonly #isCloudflare: boolean;

  constructor(tables: Tables, isCloudflare: boolean) {
    this.#tables = tables;
    this.#isCloudflare = isCloudflare;
  }

  get roots(): PassportRootInfo[] {
    return this.#tables.passport.roots().map(rootInfo);
  }

  putRoot(request: StoreRequest, root: PassportRoot, condition: Precondition): StoreResult<PassportRootInfo> {
    return this.#tables.transact(request, 1, (author) => {
      const parsed = parseRoot(root.certificate);
      if (!parsed.ok) return refuse('PASSPORT_ROOT_INVALID', `"root.certificate" ${parsed.message}`);
      if (parsed.value.notAfter <= author.at)
        return refuse('PASSPORT_ROOT_INVALID', '"root.certificate" has expired');
      const { passport, audit, publication } = this.#tables;
      const known = passport.roots();
      const before = known.find(({ id }) => id === root.id) ?? null;
      const allowed = checkPrecondition(condition, before);
      if (!allowed.ok) return allowed;
      if (before === null && known.length >= PASSPORT_ROOTS_MAX)
        return refuse('PASSPORT_TOO_MANY', `there are already ${PASSPORT_ROOTS_MAX} roots: remove one first`);
      passport.putRoot(root);
      audit.append(author, `passport root ${root.id}`, { action: 'passport.putRoot', before, after: root });
      publication.changed();
      return ok(rootInfo(root));
    });
  }

  removeRoot(request: StoreRequest, id: string, condition: Precondition): StoreResult<object> {
    return this.#tables.transact<object>(request, 0, (author) => {
      const { passport, audit, publication } = this.#tables;
      const before = passport.roots().find((root) => root.id === id);
      if (before === undefined) return refuse('PASSPORT_ROOT_UNKNOWN', 'no root has this id');
      const allowed = checkPrecondition(condition, before);
      if (!allowed.ok) return allowed;
      passport.removeRoot(id);
      audit.append(author, `passport root ${id}`, { action: 'passport.removeRoot', before, after: null });
      publication.changed();
      return ok({});
    });
  }

  get certificates(): PassportCertificateInfo[] {
    return this.#tables.passport.certificates().map((each) => certificateInfo(each, Date.now()));
  }

  certificate(id: string): PassportCertificateInfo | null {
    const found = this.#tables.passport.certificate(id);
    return found && certificateInfo(found, Date.now());
  }

  async putCertificate(
    request: StoreRequest,
    content: PassportCertificate,
    condition: Precondition,
  ): Promise<StoreResult<PassportCertificateInfo>> {
    const x5u = await digestOf(content.url);
    return this.#tables.transact(request, 1, (author) => {
      const { passport, audit, publication } = this.#tables;
      const host = fetchableHost(content.url, this.#isCloudflare);
      if (host === null || !passport.roots().some(({ hosts }) => hosts.includes(host))) {
        const advice = 'add the host to the "hosts" of the root that its chain ends at';
        const message = `"certificate.url" has a host that no root is trusted for: ${advice}`;
        return refuse('PASSPORT_HOST_UNKNOWN', message);
      }
      const known = passport.certificates();
      if (known.some((each) => each.content.id !== content.id && each.content.url === content.url))
        return refuse('PASSPORT_URL_TAKEN', '"certificate.url" is the URL of another certificate');
      const before = known.find((each) => each.content.id === content.id) ?? null;
      const allowed = checkPrecondition(condition, before?.content ?? null);
      if (!allowed.ok) return allowed;
      if (before === null && known.length >= PASSPORT_CERTIFICATES_MAX) {
        const message = `there are already ${PASSPORT_CERTIFICATES_MAX} certificates: remove one first`;
        return refuse('PASSPORT_TOO_MANY', message);
      }
      const kept = before?.content.url === content.url ? { ...before, isVerifyDue: true } : NOT_FETCHED;
      // Fetch the chain at once even if it is known: an admin who stores the certificate again wants its current chain.
      const after = { ...kept, content, x5u, failures: 0, fetchDue: author.at };
      passport.put(after);
      audit.append(author, `passport certificate ${content.id}`, {
        ...{ action: 'passport.putCertificate', before: before && described(before.content) },
        after: described(content),
      });
      publication.changed();
      return ok(certificateInfo(after, author.at));
    });
  }

  removeCertificate(request: StoreRequest, id: string, condition: Precondition): StoreResult<object> {
    return this.#tables.transact<object>(request, 0, (author) => {
      const { passport, audit, publication } = this.#tables;
      const found = passport.certificate(id);
      if (found === null) return refuse('PASSPORT_CERTIFICATE_UNKNOWN', 'no certificate has this id');
      const { content: before } = found;
      const allowed = checkPrecondition(condition, before);
      if (!allowed.ok) return allowed;
      passport.remove(id);
      audit.append(author, `passport certificate ${id}`, {
        ...{ action: 'passport.removeCertificate', before: described(before), after: null },
      });
      publication.changed();
      return ok({});
    });
  }
}

/** The certificate as the audit chain records it. */
function described({ numbers, ...rest }: PassportCertificate): object {
  return { ...rest, ...auditNumbers(numbers) };
}

const NOT_FETCHED = {
  chain: null,
  signer: null,
  problem: null,
  fetchedAt: null,
  isVerifyDue: false,
} as const;

function rootInfo(root: PassportRoot): PassportRootInfo {
  const parsed = parseRoot(root.certificate);
  // The root was checked when it was stored.
  if (!parsed.ok) throw new Error(parsed.message);
  const { notBefore, notAfter } = parsed.value;
  return { ...root, notBefore: timeOf(notBefore), notAfter: timeOf(notAfter) };
}

function certificateInfo(found: StoredCertificate, now: number): PassportCertificateInfo {
  const { content, x5u, signer, problem, fetchedAt, fetchDue } = found;
  return {
    ...content,
    x5u,
    status: statusOf(found, now),
    problem,
    providers: signer?.authorizations[0]?.providers ?? [],
    authorized: signer === null ? [] : signerSpans(signer, content).map(formatSenderNumbers),
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
