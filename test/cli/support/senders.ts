/** An organisation with its own token whose clients send from registered numbers, and a reviewer. */
import { Admin } from '../../../cli/admin.ts';
import { newKey } from '../../../cli/secrets.ts';
import { csvLine } from '../../../shared/csv.ts';
import type { TestService } from './service.ts';
import { SECRETS } from './workspace.ts';

export const DIGEST = 'ab'.repeat(32);
export const HEADER = 'reference,number,basis,holderKind,holder,clients,proofs,expires';

/** Tokens by name. */
export interface Senders {
  readonly sender: string;
  readonly reviewer: string;
}

/** Adds `acme` with the clients `acme-main`, `acme-2` and the mock client `acme-test`, and the reviewer `kisa`. */
export async function addSenders({ admin }: Pick<TestService, 'admin'>): Promise<Senders> {
  const put = (path: string, body: object): Promise<unknown> =>
    admin.change('PUT', path, { ...body, reason: 'a test' });
  const keys: Record<string, string> = {};
  for (const [id, roles] of [
    ['acme', ['relay']],
    ['kisa', ['regulator']],
  ] as const) {
    await put(`organisations/${id}`, { organisation: { id, displayName: id, authority: id, roles } });
    const { key, secretSha256 } = await newKey(id);
    const token = { id, secretSha256: [secretSha256], role: roles[0], organisation: id };
    await put(`tokens/${id}`, { token });
    keys[id] = key;
  }
  for (const id of ['acme-main', 'acme-2', 'acme-test']) {
    const { secretSha256 } = await newKey(id);
    const client = { id, secretSha256: [secretSha256], rights: ['check'], organisation: 'acme' };
    await put(`clients/${id}`, { client: { ...client, mock: id === 'acme-test' } });
  }
  return { sender: keys.acme!, reviewer: keys.kisa! };
}

/** Runs code with this token. */
export async function as<Value>(token: string, run: () => Promise<Value>): Promise<Value> {
  process.env.NUMGATE_TOKEN = token;
  try {
    return await run();
  } finally {
    process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;
  }
}

export function adminWith(url: string, token: string): Admin {
  return new Admin({ url, token });
}

/** A CSV line that registers one number in Seoul, counted from +82 2-2123-0000. */
export function lineOf(index: number, holder = 'Acme Inc.'): string {
  const number = `+82${2_2123_0000 + index}`;
  const proof = `serviceUse:${DIGEST}:2099-01-31:KT-${index}`;
  return csvLine([`line-${index}`, number, 'own', 'organisation', holder, 'acme-main', proof, '']);
}
