/**
 * Changes of issuers. A certificate that its issuer may no longer sign is held: it counts as suspended at once, at the
 * edge and for registrations, until the issuer may sign it again.
 */
import type { Issuer, IssuerInfo } from '../../shared/admin/credentials.ts';
import { type OpenedIssuer, openIssuer } from '../../shared/admin/issuer-rights.ts';
import { isWithin } from '../../shared/credentials/credential-numbers.ts';
import { ISSUERS_MAX } from '../../shared/limits/credential-store.ts';
import { ok } from '../../shared/result.ts';
import { checkPrecondition, type Precondition } from '../storage/precondition.ts';
import { refuse, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { auditNumbers } from './audit-numbers.ts';
import type { StoredCertificate } from './certificate-rows.ts';
import type { StoredIssuer } from './issuers.ts';
import type { Tables } from './tables.ts';

export class IssuerChanges {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  info({ issuer }: StoredIssuer): IssuerInfo {
    const nowS = Math.floor(Date.now() / 1000);
    const { certificates } = this.#tables;
    return {
      ...issuer,
      certificates: certificates.count('issuer', issuer.id, nowS),
      held: certificates.countHeld(issuer.id, nowS),
    };
  }

  async put(
    request: StoreRequest,
    issuer: Issuer,
    condition: Precondition,
  ): Promise<StoreResult<IssuerInfo>> {
    const rights = await openIssuer(issuer);
    if (!rights.ok) return rights;
    const stored = { issuer, rights: rights.value };
    return this.#tables.transact(request, 1, (author) => {
      const { issuers, audit } = this.#tables;
      const before = issuers.get(issuer.id);
      const allowed = checkPrecondition(condition, before?.issuer ?? null);
      if (!allowed.ok) return allowed;
      if (before === null && issuers.all.length >= ISSUERS_MAX)
        return refuse('ISSUERS_TOO_MANY', `there are already ${ISSUERS_MAX} issuers: remove one first`);
      const free = this.#isFree(stored);
      if (!free.ok) return free;
      issuers.put(issuer.id, stored);
      const held = this.#hold(stored);
      // No list was accepted while the issuer was suspended.
      if (before?.issuer.state === 'suspended' && issuer.state === 'active')
        this.#tables.lists.setDue(issuer.id);
      audit.append(author, `issuer ${issuer.id}`, {
        ...{ action: 'issuers.put', before: before && described(before) },
        after: { ...described(stored), held: held.length },
      });
      this.#tables.publication.changed(held);
      return ok(this.info(stored));
    });
  }

  remove(request: StoreRequest, id: string, condition: Precondition): StoreResult<object> {
    return this.#tables.transact<object>(request, 0, (author) => {
      const { issuers, audit, certificates } = this.#tables;
      const before = issuers.get(id);
      if (before === null) return refuse('ISSUER_UNKNOWN', 'no issuer has this id');
      const allowed = checkPrecondition(condition, before.issuer);
      if (!allowed.ok) return allowed;
      const many = certificates.count('issuer', id, Math.floor(Date.now() / 1000));
      if (many > 0) {
        const message = `"${id}" has ${many.toLocaleString('en')} certificates that have not expired: suspend it instead`;
        return refuse('ISSUER_IN_USE', message);
      }
      issuers.put(id, null);
      this.#tables.lists.removeOf(id);
      this.#tables.publication.changed();
      audit.append(author, `issuer ${id}`, {
        ...{ action: 'issuers.remove', before: described(before), after: null },
      });
      return ok({});
    });
  }

  /** `iss`, keys and hosts identify the issuer of a certificate or a list, so each of them belongs to one issuer. */
  #isFree({ issuer, rights }: StoredIssuer): StoreResult<void> {
    for (const other of this.#tables.issuers.all) {
      if (other.issuer.id === issuer.id) continue;
      const host = issuer.statusHosts.find((each) => other.issuer.statusHosts.includes(each));
      const taken =
        (other.issuer.iss === issuer.iss && '"issuer.iss"') ||
        (host !== undefined && `the host "${host}" of "issuer.statusHosts"`) ||
        ([...rights.thumbprints].some((each) => other.rights.thumbprints.has(each)) &&
          'a key of "issuer.keys"');
      if (taken !== false)
        return refuse('ISSUER_TAKEN', `${taken} already belongs to the issuer "${other.issuer.id}"`);
    }
    return ok(undefined);
  }

  /** Holds and releases certificates of the issuer. Must run in the transaction. @returns the digests that changed */
  #hold({ issuer, rights }: StoredIssuer): string[] {
    const { certificates } = this.#tables;
    const changed: Pick<StoredCertificate, 'digest' | 'status' | 'isHeld'>[] = [];
    for (const certificate of certificates.ofIssuer(issuer.id)) {
      const { digest, status } = certificate;
      const isHeld = issuer.state !== 'active' || !maySign(rights, certificate);
      if (isHeld !== certificate.isHeld) changed.push({ digest, status, isHeld });
    }
    for (const { digest, status, isHeld } of changed) certificates.setStatus(digest, status, isHeld);
    return changed.map(({ digest }) => digest);
  }
}

/** The issuer as the audit chain records it. Numbers appear only as a count and a digest. */
function described({ issuer, rights }: StoredIssuer): object {
  const { numbers, keys: _, ...rest } = issuer;
  return { ...rest, keys: [...rights.thumbprints], ...auditNumbers(numbers) };
}

/** Whether an issuer has the key and the numbers of a certificate. */
export function maySign(
  { thumbprints, spans }: OpenedIssuer,
  certificate: Pick<StoredCertificate, 'signer' | 'spans'>,
): boolean {
  return thumbprints.has(certificate.signer) && isWithin(certificate.spans, spans);
}
