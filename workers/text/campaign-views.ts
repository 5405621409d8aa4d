/** Campaigns as responses show them, and fingerprints as requests contain them. */
import type { CampaignInfo } from '../../shared/admin/text.ts';
import { fromBase64, toBase64 } from '../../shared/bytes.ts';
import { formatCampaignId } from '../../shared/text/campaign-id.ts';
import type { Fingerprint } from '../../shared/text/fingerprint.ts';
import type { SharedCampaign } from '../storage/text-port.ts';
import { bytesOf, fingerprintIn, type StoredCampaign } from './stored-campaign.ts';

/** Decodes a fingerprint; null if the bytes are no fingerprint. @param fingerprint base64 */
export function valuesOf(fingerprint: string): Fingerprint | null {
  const bytes = fromBase64(fingerprint);
  return bytes === null ? null : fingerprintIn(bytes);
}

/** A campaign as responses show it. */
export function infoOf(campaign: StoredCampaign): CampaignInfo {
  const { id, state, authority, rule, stage, firstSeen, lastSeen, reports, reporters, until } = campaign;
  const { changedAt, changedBy, reason } = campaign;
  const isByRule = !campaign.byPerson;
  return {
    ...{ id: formatCampaignId(id), state, authority, rule: isByRule ? rule : null },
    ...{ stage: isByRule ? stage : null, firstSeen: timeOf(firstSeen), lastSeen: timeOf(lastSeen) },
    ...{ reports, reporters, until: until === null ? null : timeOf(until) },
    ...{ fingerprint: toBase64(bytesOf(campaign.fingerprint)), textKeyId: campaign.keyId },
    changed: changedBy === null || reason === null ? null : { by: changedBy, at: timeOf(changedAt), reason },
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** A campaign as the feed shares it. */
export function sharedOf({
  fingerprint,
  keyId: textKeyId,
  reporters,
  ...campaign
}: StoredCampaign): SharedCampaign {
  const { id, state, authority, rule, stage, until, firstSeen, lastSeen, byPerson } = campaign;
  return {
    // Never `observed`: only campaigns that were ever confirmed are shared.
    ...{
      id,
      state: state as SharedCampaign['state'],
      until: until === null ? null : Math.ceil(until / 1000),
    },
    ...{ fingerprint: toBase64(bytesOf(fingerprint)), textKeyId, authority, rule: byPerson ? null : rule },
    stage: byPerson ? null : stage,
    ...{ firstSeen: Math.floor(firstSeen / 1000), lastSeen: Math.floor(lastSeen / 1000) },
    reporters: reporters ?? 0,
  };
}
