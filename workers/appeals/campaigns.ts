/** Appeals against blocks of campaigns of texts. In the reference of such a block, `list` is the ID of the campaign. */
import type { StandingBlock } from '../../shared/admin/appeals.ts';
import { ok } from '../../shared/result.ts';
import type { AppealedBlock } from '../../shared/screening/appeal-reference.ts';
import { parseCampaignId } from '../../shared/text/campaign-id.ts';
import type { CampaignDesk, CampaignRequest } from '../storage/campaign-port.ts';
import type { StoreResult } from '../storage/store-request.ts';

/** The methods of the text store that appeals need. */
export type CampaignSource = Pick<CampaignDesk, 'campaign' | 'revokeCampaign'>;

/** The campaign that made the block; null if something else did. */
export function campaignOf({ code, list }: AppealedBlock): number | null {
  return code === 'TEXT_CAMPAIGN' ? parseCampaignId(list) : null;
}

/** The block of the campaign; empty if the campaign is not in force, null if it cannot be read. */
export async function standingCampaign(
  text: CampaignSource,
  id: number,
): Promise<readonly StandingBlock[] | null> {
  const campaign = await text.campaign(id).catch(() => undefined);
  if (campaign === undefined) return null;
  if (campaign?.state !== 'confirmed') return [];
  return [{ list: campaign.id, seq: null, code: 'TEXT_CAMPAIGN', authority: campaign.authority }];
}

/** Revokes a campaign. @returns null if it no longer blocks */
export async function revoke(
  text: CampaignSource,
  request: CampaignRequest,
  id: number,
): Promise<StoreResult<{ readonly seq: null } | null>> {
  const { actor, reason, repeat, overrideAuthorities } = request;
  const revoked = await text.revokeCampaign({ actor, reason, repeat, overrideAuthorities }, id);
  if (revoked.ok) return ok({ seq: null });
  const isOver = revoked.code === 'CAMPAIGN_UNKNOWN' || revoked.code === 'CAMPAIGN_STATE';
  return isOver ? ok(null) : revoked;
}
