/**
 * The clients that `npm start` creates: one that checks, one that follows the feed, and one of a mock partner, which
 * reports test numbers only.
 */
import type { Client } from '../../shared/clients.ts';
import type { Admin } from '../admin.ts';
import { putClient } from '../commands/clients.ts';
import { hasCode } from '../failure.ts';
import { secretDigest } from '../secrets.ts';

/** A high quota, so that it does not slow down a local demo. */
const DEMO_QUOTA_NUMBERS = 1_000_000_000;
/** A regulator, because one regulator suffices to make a rule fire. */
const PARTNER = {
  ...{ id: 'demo-partner', displayName: 'Demo partner' },
  partner: { kind: 'regulator', weight: 2, mock: true },
};

export async function ensureDemoClient(admin: Admin, key: string, reason: string): Promise<void> {
  await ensureClient(admin, key, { rights: ['check', 'gateway'], quotaNumbers: DEMO_QUOTA_NUMBERS }, reason);
}

/** Creates the client of the feed. The feed is in clear, so that no program is needed to decrypt it. */
export async function ensureDemoFeed(admin: Admin, key: string, reason: string): Promise<void> {
  await ensureClient(admin, key, { rights: ['feed'], feed: { encryption: 'none' } }, reason);
}

/** Creates the mock partner. Neither its organisation nor its client touches real traffic. */
export async function ensureDemoPartner(admin: Admin, key: string, reason: string): Promise<void> {
  const { id } = PARTNER;
  await admin.get(`organisations/${id}`).catch(async (error: unknown) => {
    if (!hasCode(error, 'ORGANISATION_UNKNOWN')) throw error;
    await admin.change('PUT', `organisations/${id}`, { organisation: PARTNER, reason });
  });
  await ensureClient(admin, key, { rights: ['report'], organisation: id }, reason);
}

/** Creates the client of this key, unless the service knows it. */
async function ensureClient(
  admin: Admin,
  key: string,
  rest: Pick<Client, 'rights'> & Partial<Client>,
  reason: string,
): Promise<void> {
  const id = key.slice(0, key.indexOf('.'));
  const digest = await secretDigest(key);
  const known = await admin.get<Client>(`clients/${id}`).catch((error: unknown) => {
    if (hasCode(error, 'CLIENT_UNKNOWN')) return null;
    throw error;
  });
  if (known?.secretSha256.includes(digest) === true) return;
  await putClient(admin, { id, secretSha256: [digest], ...rest }, reason);
}
