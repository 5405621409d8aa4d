/** The text store, with the calls about campaigns that intakes, the desk and admins make. */
import type { SharedFingerprint } from '../../../shared/admin/campaigns.ts';
import { toBase64 } from '../../../shared/bytes.ts';
import { DAY_MS } from '../../../shared/time.ts';
import type { CampaignChange, ReportedFingerprint } from '../../../workers/storage/campaign-port.ts';
import type { StoreRequest } from '../../../workers/storage/store-request.ts';
import { printOf, textStore } from './texts.ts';

export const SOURCE = { intake: 'kt', partner: 'kt' };

/** Texts in the form that an intake gives to the store. */
export async function reported(...texts: readonly string[]): Promise<ReportedFingerprint[]> {
  return Promise.all(
    texts.map(async (text) => {
      const { bytes, keyId } = await printOf(text);
      return { fingerprint: bytes, keyId, at: Date.now() };
    }),
  );
}

/** Fingerprints of texts in the form that an admin gives. */
export async function shared(...texts: readonly string[]): Promise<SharedFingerprint[]> {
  return Promise.all(
    texts.map(async (text) => {
      const { bytes, keyId } = await printOf(text);
      return { fingerprint: toBase64(bytes), textKeyId: keyId };
    }),
  );
}

let flushes = 0;

/** Reports texts. @returns the IDs of their campaigns */
export async function observe(...texts: readonly string[]): Promise<readonly number[]> {
  const { ids } = await textStore().campaignsOf({ ...SOURCE, n: ++flushes }, await reported(...texts));
  return ids!;
}

/** A request of a person with this authority; null for none. @param key makes the request repeatable */
export function asAuthority(authority: string | null = 'ktoa', key: string | null = null): StoreRequest {
  const actor = {
    ...{
      name: `token:${authority}`,
      organisation: authority ?? 'nobody',
      authority,
      scopes: ['text' as const],
    },
    root: false,
  };
  return { actor, reason: 'test', repeat: key === null ? null : { key, sha256: 'same' } };
}

/** A change that a rule has decided. */
export function byRule(id: number, some: Partial<CampaignChange> = {}): CampaignChange {
  return {
    ...{
      id: '1',
      op: 'block',
      subject: { kind: 'campaign', id },
      rule: 'campaign-30@1',
      stage: 'provisional',
    },
    ...{ until: Date.now() + 3 * DAY_MS, reason: 'test', reporters: 34, ...some },
  };
}

let batches = 0;

/** Sends a batch of the desk. */
export async function decide(...changes: readonly CampaignChange[]) {
  return textStore().applyCampaignChanges(++batches, changes);
}
