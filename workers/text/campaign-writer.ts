/**
 * Writes a new state of a campaign with all its consequences: the audit record, and a new version of the published and
 * shared data. Must run in a transaction. Observations by reports are not changes, so they are not audited.
 */
import { formatCampaignId } from '../../shared/text/campaign-id.ts';
import type { AuditChain, Author } from '../storage/audit-chain.ts';
import type { CampaignRows } from './campaign-rows.ts';
import type { Publication } from './publication.ts';
import type { StoredCampaign } from './stored-campaign.ts';

/** The kinds of change, as the audit chain names them. */
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
    // Only admins know of a campaign that was never confirmed.
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

/** The campaign for the audit chain, without the fingerprint: a holder of TEXT_KEY could test guesses of the text with it. */
function described(campaign: StoredCampaign): object {
  const { state, authority, rule, stage, until, reports, reporters, fromFeed } = campaign;
  const end = until === null ? null : new Date(until).toISOString();
  return { state, authority, rule, stage, until: end, reports, reporters, fromFeed };
}
