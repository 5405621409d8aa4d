/**
 * Writes a new state of a campaign with all that follows from it: the audit record, and a new version of what is published
 * and shared. Must run in a transaction. What reports observe is no change: it is not audited.
 */
import { formatCampaignId } from '../../shared/text/campaign-id.ts';
import type { AuditChain, Author } from '../storage/audit-chain.ts';
import type { CampaignRows } from './campaign-rows.ts';
import type { Publication } from './publication.ts';
import type { StoredCampaign } from './stored-campaign.ts';

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
    next: Omit<StoredCampaign, 'changedAt' | 'changedBy' | 'reason' | 'version'>,
  ): StoredCampaign {
    const isKnown = before !== null && before.version !== null;
    const isShown = next.state === 'confirmed' || before?.state === 'confirmed';
    const publication = this.#publication();
    // Nobody but admins knows of one that was never confirmed.
    if (isShown || isKnown) publication.changed();
    const isShared = !next.fromFeed && (isShown || isKnown);
    const after = {
      ...{ ...next, changedAt: author.at, changedBy: author.actor, reason: author.reason },
      version: isShared ? publication.version : null,
    };
    this.#rows.put(before, after);
    this.#audit.append(author, formatCampaignId(after.id), {
      ...{ action: `campaign.${change}`, before: before && described(before), after: described(after) },
    });
    return after;
  }
}

/** For the audit chain, without the fingerprint: whoever has TEXT_KEY could test guesses of the text. */
function described(campaign: StoredCampaign): object {
  const { state, authority, rule, stage, until, reports, reporters, fromFeed } = campaign;
  const end = until === null ? null : new Date(until).toISOString();
  return { state, authority, rule, stage, until: end, reports, reporters, fromFeed };
}
