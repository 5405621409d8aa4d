/** Registered senders of an organisation of the tests. The organisation registers numbers, and `root` approves them. */
import type { Admin } from '../../../cli/admin.ts';
import { secretDigest } from '../../../cli/secrets.ts';
import type { Registration } from '../../../shared/senders/registration.ts';

export const SENDER = 'shop';
export const SENDER_CLIENT = 'shop-main';

export async function addSender(root: Admin): Promise<void> {
  const organisation = { id: SENDER, displayName: SENDER, authority: null, roles: ['relay'] };
  await root.change('PUT', `organisations/${SENDER}`, { organisation, reason: 'a test' });
  const client = {
    ...{ id: SENDER_CLIENT, organisation: SENDER, quotaNumbers: 1_000 },
    secretSha256: [await secretDigest('nobody has it')],
    rights: ['check'],
  };
  await root.change('PUT', `clients/${SENDER_CLIENT}`, { client, reason: 'a test' });
}

const path = `organisations/${SENDER}/registrations`;

/** Registers a number or range for the client, and approves it. @returns the registration */
export async function register(root: Admin, number: string, basis = 'own'): Promise<Registration> {
  const registration = {
    ...{ number, basis, holder: { kind: 'organisation', name: 'Shop' }, clients: [SENDER_CLIENT] },
    proofs: [
      'serviceUse',
      ...(basis === 'own' ? [] : ['powerOfAttorney', 'businessRegistration', 'relation']),
    ].map((kind) => ({
      ...{ kind, sha256: 'a'.repeat(64) },
    })),
  };
  const created = await root.change<Registration>('POST', path, {
    registration,
    submit: true,
    reason: 'a test',
  });
  await act(root, created.id, 'claim');
  return act(root, created.id, 'approve');
}

export async function act(root: Admin, id: string, action: string): Promise<Registration> {
  return root.change<Registration>('POST', `${path}/${id}/${action}`, { reason: 'a test' });
}

/** Waits until the registry has everything that was approved. */
export async function allPublished(root: Admin): Promise<void> {
  for (;;) {
    const { registrations } = await root.get<{
      registrations: (Registration & { publishedAt: string | null })[];
    }>(path);
    if (registrations.every(({ state, publishedAt }) => state !== 'approved' || publishedAt !== null)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
