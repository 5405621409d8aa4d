/** The clients of the tests. Each one has an ID and the secret `secret-of-<id>`. */
import { sha256Hex } from '../../../shared/bytes.ts';
import { publishDirectory } from './world.ts';

export function keyOf(id: string): string {
  return `${id}.secret-of-${id}`;
}

/** A client without Korea's sender rules, which would block every sender ID, whatever the lists contain. */
export async function client(id: string, settings: object = {}): Promise<object> {
  const secretSha256 = [await sha256Hex(`secret-of-${id}`)];
  return { id, secretSha256, rights: ['check'], senderRules: 'none', ...settings };
}

/** Numbers that the client `small` may check in a window. */
export const SMALL_QUOTA_NUMBERS = 5;

const bothSecrets = [await sha256Hex('secret-of-two'), await sha256Hex('next-secret-of-two')];

export const CLIENTS = [
  await client('open'),
  await client('closed', { failPolicy: 'closed' }),
  await client('two', { secretSha256: bothSecrets }),
  await client('nothing', { rights: [] }),
  await client('small', { quotaNumbers: SMALL_QUOTA_NUMBERS }),
  await client('throttled', { restriction: 'throttled' }),
  await client('stopped', { restriction: 'stopped' }),
  await client('parts', { quotaNumbers: 100_000 }),
  await client('most', { quotaNumbers: 10_000_000 }),
];

export async function publishClients(clients: readonly object[] = CLIENTS): Promise<void> {
  await publishDirectory(clients);
}
