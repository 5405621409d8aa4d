/** Organisations with their own tokens and clients. */
import { newKey } from '../../../cli/secrets.ts';
import type { Role } from '../../../shared/roles.ts';
import { type AdminRequest, adminValue } from './send-admin.ts';

const keys: Record<string, string> = {};

/** Any valid SHA-256. */
export const sha256 = 'ab'.repeat(32);

export function putDocument(path: string, body: object): Promise<unknown> {
  return adminValue(path, { method: 'PUT', body: { ...body, reason: 'a test' } });
}

/** Adds an organisation and a token of the same name, which has the role of the organisation. */
export async function addOrganisation(id: string, role: Role): Promise<void> {
  await putDocument(`organisations/${id}`, { organisation: { id, displayName: id, roles: [role] } });
  const { key, secretSha256 } = await newKey(id);
  await putDocument(`tokens/${id}`, { token: { id, secretSha256: [secretSha256], role, organisation: id } });
  keys[id] = key;
}

/** Sends a request with the token of an organisation. */
export function asToken(id: string): Pick<AdminRequest, 'token'> {
  return { token: { key: keys[id]! } };
}

/** Adds the client `<organisation>-<name>`. */
export async function addClient(organisation: string, name: string, rest: object = {}): Promise<void> {
  const id = `${organisation}-${name}`;
  const client = { id, secretSha256: [sha256], rights: ['check'], organisation, ...rest };
  await putDocument(`clients/${id}`, { client });
}
