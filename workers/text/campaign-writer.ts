/**
 * Writes a new state of a campaign with all that follows from it: the audit record, and a new version of what is published
 * and shared. Must run in a transaction. What reports observe is no change: it is not audited.
 */
import { formatCampaignId } from '../../shared/admin/campaigns.ts';
import type { AuditChain, Author } from '../storage/audit-chain.ts';
import type { CampaignRows, StoredCampaign } from './campaign-rows.ts';
import type { Publication } from './publication.ts';

/** What happened, as the audit chain names it. */
export type CampaignChangeName = 'confirm' | 'reject' | 'revoke' | 'end';

export class CampaignWriter {
  readonly #rows: CampaignRows;
  readonly #audit: AuditChain;
  readonly #publication: () => Publication;

  constructor(rows: CampaignRows, audit: AuditChain, publication: () => Publication) {
    this.#rows = rows;
    this.#audit = audit;
    this.#publication = publication;
  }

  /** @param before null for a campaign that a person enrols */
  write(
    author: Author,
    change: CampaignChangeName,
    before: StoredCampaign | null,
    next: Omit<StoredCampaign, 'changedAt' | 'version'>,
  ): StoredCampaign {
    // Nobody but admins knows of one that was never confirmed.
    const isShared = next.state === 'confirmed' || (before !== null && before.version !== null);
    const publication = this.#publication();
    if (isShared) publication.changed();
    const after = { ...next, changedAt: author.at, version: isShared ? publication.version : null };
    this.#rows.put(before, after);
    this.#audit.append(author, formatCampaignId(after.id), {
      ...{ action: `campaigns.${change}`, before: before && described(before), after: described(after) },
    });
    return after;
  }
}

/** For the audit chain, without the fingerprint: whoever has TEXT_KEY could test guesses of the text. */
function described({ state, authority, rule, stage, until, reports, reporters }: StoredCampaign): object {
  const end = until === null ? null : new Date(until).toISOString();
  return { state, authority, rule, stage, until: end, reports, reporters };
}
