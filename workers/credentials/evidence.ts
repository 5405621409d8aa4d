/** Certificates and delegations of some organisations, for an evidence file. */
import { CREDENTIALS_PAGE_MAX } from '../../shared/limits/credential-store.ts';
import { EVIDENCE_ITEMS_MAX } from '../../shared/limits/evidence-files.ts';
import { overlaps, type Span } from '../../shared/numbers/spans.ts';
import type { Anchoring } from '../storage/anchoring.ts';
import { chainPart } from '../storage/chain-part.ts';
import type { CredentialEvidence, EvidencePeriod } from '../storage/evidence-port.ts';
import type { StoredCertificate } from './certificate-rows.ts';
import { infoOf } from './certificate-uploads.ts';
import type { DelegationChanges } from './delegation-changes.ts';
import type { StoredDelegation } from './delegation-rows.ts';
import type { Tables } from './tables.ts';

/** @param delegations null without PUBLIC_URL @param numbers null for all */
export async function credentialEvidence(
  { certificates, delegations: rows, audit }: Tables,
  delegations: DelegationChanges | null,
  anchoring: Anchoring,
  organisations: readonly string[],
  numbers: Span | null,
  { to }: EvidencePeriod,
): Promise<CredentialEvidence> {
  const isWanted = ({ spans, createdAt }: Pick<StoredCertificate, 'spans' | 'createdAt'>): boolean =>
    createdAt < to && (numbers === null || !overlaps(spans, numbers).next().done);
  const certified = organisations.flatMap((organisation) =>
    all<StoredCertificate>((last, limit) => certificates.page(organisation, last?.digest ?? null, limit)),
  );
  const delegated = organisations.flatMap((organisation) =>
    all<StoredDelegation>((last, limit) => rows.page(organisation, last?.id ?? 0, limit)),
  );
  const ownCertificates = certified.filter(isWanted);
  // A delegation between two of the organisations is found twice.
  const ownDelegations = [
    ...new Map(delegated.filter(isWanted).map((each) => [each.id, each] as const)).values(),
  ].sort((a, b) => a.id - b.id);
  const shownCertificates = ownCertificates.slice(0, EVIDENCE_ITEMS_MAX);
  const shownDelegations = delegations === null ? [] : ownDelegations.slice(0, EVIDENCE_ITEMS_MAX);
  const subjects = [
    ...shownCertificates.map(({ digest }) => `certificate ${digest}`),
    ...shownDelegations.map(({ id }) => `delegation ${id}`),
  ];
  const part = await chainPart(audit, anchoring, subjects, to);
  const isCut = [certified, delegated].some(({ length }) => length > EVIDENCE_ITEMS_MAX);
  return {
    certificates: await Promise.all(shownCertificates.map(infoOf)),
    delegations: await Promise.all(shownDelegations.map((each) => delegations!.info(each))),
    records: part.records,
    isCut: part.isCut || isCut,
  };
}

/** Reads all pages, but stops once there are more rows than a file may have. */
function all<Row>(page: (last: Row | undefined, limit: number) => Row[]): Row[] {
  const found: Row[] = [];
  while (found.length <= EVIDENCE_ITEMS_MAX) {
    const some = page(found.at(-1), CREDENTIALS_PAGE_MAX);
    found.push(...some);
    if (some.length < CREDENTIALS_PAGE_MAX) break;
  }
  return found;
}
