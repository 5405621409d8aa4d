/**
 * The real service with the smallest release there is (one suspended number), a client that may ask as a
 * gateway, and a policy with one rule more than the standard one: foreign numbers with attestation C are
 * withheld.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Admin } from '../../../cli/admin.ts';
import { addClient } from '../../../cli/commands/clients.ts';
import { startService } from '../../../cli/local/service.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import { lists, makeSecrets } from '../../conformance/support/world.ts';

export interface GatewayService {
  readonly url: string;
  readonly key: string;
  stop(): Promise<void>;
}

const WITHHELD = {
  id: 'withheld',
  when: { origin: ['abroad'], sender: ['foreign'], attestation: ['C'] },
  effect: 'label',
  code: 'OVERSEAS_ORIGIN',
  withholdCli: true,
};

export async function startGatewayService(): Promise<GatewayService> {
  const folder = mkdtempSync(join(tmpdir(), 'numgate-gateways-'));
  const made = await makeSecrets();
  const { LIST_KEY, RELEASE_PUBLIC_KEYS, ROOT_TOKEN_SHA256, NUMGATE_TOKEN: token } = made;
  const state = join(folder, 'state');
  const secrets = { LIST_KEY, RELEASE_PUBLIC_KEYS, ROOT_TOKEN_SHA256 };
  const service = await startService({ port: 0, secrets, state, bundleFolder: join(folder, 'bundle') });
  const stop = async (): Promise<void> => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const env = { ...process.env, ...made, NUMGATE_URL: service.url, NUMGATE_STATE: state };
    const list = { name: 'suspended', reason: 'NUMBER_SUSPENDED', authority: 'tests' };
    const catalogue = { lists: [list], inputs: [{ file: 'numbers.txt', list: list.name }] };
    writeFileSync(join(folder, 'numbers.txt'), '+82 10-2000-0001\n');
    writeFileSync(join(folder, 'lists.json'), JSON.stringify(catalogue));
    const built = await lists(env, 'build', join(folder, 'lists.json'), '--out', join(folder, 'out'));
    await lists(env, 'push', String(built.folder), '--unproven');
    const admin = new Admin({ url: service.url, token });
    const { policy } = STANDARD_POLICY;
    const changed = { ...policy, rules: [WITHHELD, ...policy.rules] };
    await admin.change('PUT', 'policy', { policy: changed, reason: 'tests' });
    const { key } = await addClient(admin, 'gateway', { rights: ['gateway'] }, 'tests');
    const url = service.url.replace('localhost', '127.0.0.1');
    await untilLoaded(url, key);
    return { url, key, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Between two looks, in ms. */
const LOOK_EVERY_MS = 50;

/**
 * Waits until the service has loaded all that a question can need, and knows the client: on a busy machine a
 * cold one may answer 503 or `indeterminate` at first.
 */
export async function untilLoaded(url: string, key: string): Promise<void> {
  // On no list: every list is looked at.
  const question = { from: '+639179999999', to: '+821099998888', ingress: { trunk: 'none' } };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const body = JSON.stringify(question);
  for (;;) {
    const response = await fetch(`${url}/v1/gateway/check`, { method: 'POST', headers, body });
    const { verdict } = (await response.json()) as { verdict?: string };
    if (response.ok && verdict !== 'indeterminate') return;
    await setTimeout(LOOK_EVERY_MS);
  }
}
