/**
 * Writes a new state of a campaign with all that follows from it: the audit record, and that the published ones have
 * changed. Must run in a transaction. What reports observe is no change: it is not audited.
 */
import { formatCampaignId } from '../../shared/admin/campaigns.ts';
import type { AuditChain, Author } from '../storage/audit-chain.ts';
import type { CampaignRows, StoredCampaign } from './campaign-rows.ts';

/** What happened, as the audit chain names it. */
export type CampaignChangeName = 'confirm' | 'reject' | 'revoke' | 'end';

export class CampaignWriter {
  readonly #rows: CampaignRows;
  readonly #audit: AuditChain;
  readonly #published: () => void;

  /** @param published the confirmed campaigns have changed */
  constructor(rows: CampaignRows, audit: AuditChain, published: () => void) {
    this.#rows = rows;
    this.#audit = audit;
    this.#published = published;
  }

  /** @param before null for a campaign that a person enrols */
  write(
    author: Author,
    change: CampaignChangeName,
    before: StoredCampaign | null,
    next: Omit<StoredCampaign, 'changedAt'>,
  ): StoredCampaign {
    const after = { ...next, changedAt: author.at };
    this.#rows.put(before, after);
    this.#audit.append(author, formatCampaignId(after.id), {
      ...{ action: `campaigns.${change}`, before: before && described(before), after: described(after) },
    });
    // The edge leaves out what has ended.
    const isShown = change !== 'end' && (after.state === 'confirmed' || before?.state === 'confirmed');
    if (isShown) this.#published();
    return after;
  }
}

/** For the audit chain, without the fingerprint: whoever has TEXT_KEY could test guesses of the text. */
function described({ state, authority, rule, stage, until, reports, reporters }: StoredCampaign): object {
  const end = until === null ? null : new Date(until).toISOString();
  return { state, authority, rule, stage, until: end, reports, reporters };
}
