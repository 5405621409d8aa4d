/**
 * Imports campaigns from the feed of another installation. They count as confirmed by the person who imports them, are
 * not shared further, and change no decision that people or rules have made here.
 */
import type { ImportedCampaign, ImportedCampaigns } from '../../shared/admin/campaigns.ts';
import { CAMPAIGN_PERSON_MS_MAX } from '../../shared/limits/campaigns.ts';
import { CAMPAIGNS_MAX } from '../../shared/limits/text.ts';
import { ok } from '../../shared/result.ts';
import { formatCampaignId } from '../../shared/text/campaign-id.ts';
import { FINGERPRINT_VALUES } from '../../shared/text/fingerprint.ts';
import type { Author } from '../storage/audit-chain.ts';
import { refuse, type StoreRequest, type StoreResult } from '../storage/store-request.ts';
import { authorityOf, type DecisionTables, isForeign } from './campaign-decisions.ts';
import { valuesOf } from './campaign-views.ts';
import type { StoredCampaign } from './stored-campaign.ts';

type Imported = ImportedCampaigns['results'][number];

export class CampaignImport {
  readonly #tables: DecisionTables;

  constructor(tables: DecisionTables) {
    this.#tables = tables;
  }

  run(request: StoreRequest, given: readonly ImportedCampaign[]): StoreResult<ImportedCampaigns> {
    return this.#tables.campaigns.attempt(() =>
      this.#tables.transact(request, 1, (author) => {
        const results: Imported[] = [];
        for (const each of given) {
          const result = this.#import(request, author, each);
          if (!result.ok) return result;
          results.push(result.value);
        }
        return ok({ results });
      }),
    );
  }

  #import(
    { actor }: StoreRequest,
    author: Author,
    { fingerprint: text, textKeyId, state, until: given }: ImportedCampaign,
  ): StoreResult<Imported> {
    const { campaigns } = this.#tables;
    const { rows, writer } = campaigns;
    const authority = authorityOf(actor);
    if (!authority.ok) return authority;
    const fingerprint = valuesOf(text);
    if (textKeyId !== campaigns.keyId || fingerprint === null)
      return ok({ campaign: null, result: 'foreignKey' });
    const similar = campaigns.find(fingerprint, textKeyId);
    const before = similar === null ? null : rows.get(similar.id);
    const isSame = similar?.equal === FINGERPRINT_VALUES;
    const isOthers = before !== null && isForeign(actor, before.authority);
    if (state === 'revoked') {
      // Revoke only campaigns from a feed. People and rules here revoke the campaigns that they confirmed.
      if (before === null || !isSame) return ok({ campaign: null, result: 'unknown' });
      if (before.state !== 'confirmed' || !before.fromFeed || isOthers) return ok(imported(before, 'kept'));
      const after = { ...before, state: 'revoked' as const, until: null };
      return ok(imported(writer.write(author, 'revoke', before, after), 'revoked'));
    }
    const until = Math.min(Date.parse(given ?? '1970-01-01'), author.at + CAMPAIGN_PERSON_MS_MAX);
    if (until <= author.at) return ok({ campaign: null, result: 'ended' });
    if (before !== null && (isOthers || !isOpen(before, isSame))) return ok(imported(before, 'kept'));
    // A similar campaign is left as it is, because a revocation would not find it by this fingerprint.
    const same = isSame ? before : null;
    if (same?.state !== 'confirmed' && rows.count('confirmed') >= CAMPAIGNS_MAX)
      return refuse('CAMPAIGNS_FULL', `${CAMPAIGNS_MAX} campaigns are already confirmed: revoke some first`);
    const decided = {
      state: 'confirmed',
      ...{ authority: authority.value, rule: null, stage: null },
      ...{ byPerson: true, until, fromFeed: true },
    } as const;
    if (same !== null)
      return ok(imported(writer.write(author, 'confirm', same, { ...same, ...decided }), 'confirmed'));
    const { at } = author;
    const campaign = {
      ...{
        id: campaigns.nextId(),
        fingerprint,
        keyId: textKeyId,
        partner: null,
        firstSeen: at,
        lastSeen: at,
      },
      ...{ reports: 0, reporters: null, ...decided },
    };
    campaigns.remember(campaign);
    return ok(imported(writer.write(author, 'confirm', null, campaign), 'confirmed'));
  }
}

/** Whether an import may confirm the campaign: no decision of people or rules here is in force. */
function isOpen({ state, fromFeed }: StoredCampaign, isSame: boolean): boolean {
  if (state === 'confirmed') return fromFeed && isSame;
  return state === 'observed' || state === 'ended' || fromFeed;
}

function imported({ id }: StoredCampaign, result: Imported['result']): Imported {
  return { campaign: formatCampaignId(id), result };
}
