/**
 * The real service with the smallest release that the suites need (two suspended numbers, one allowed sender),
 * and a client that may use all routes. Its policy is the standard one with one additional rule: foreign
 * numbers with attestation C are withheld.
 */
import { setTimeout } from 'node:timers/promises';
import { type Installation, runNumgate, startInstallation } from '../../../bench/simulation/installation.ts';
import { Admin } from '../../../cli/admin.ts';
import { STANDARD_POLICY } from '../../../shared/policy/policy.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';

export const SUSPENDED = { kamailio: '+821020000001', others: '010-4444-0001' } as const;
export const ALLOWED_SENDER = '+639170000001';

const WITHHELD = {
  id: 'withheld',
  when: { origin: ['abroad'], sender: ['foreign'], attestation: ['C'] },
  effect: 'label',
  code: 'OVERSEAS_ORIGIN',
  withholdCli: true,
};

let service: Installation | null = null;

export async function startGatewayService(): Promise<void> {
  const bundle = await sharedBundle();
  service = await startInstallation({
    suspended: Object.values(SUSPENDED),
    allowed: [ALLOWED_SENDER],
    bundle,
  });
  const admin = new Admin({ url: service.url, token: service.adminToken });
  const policy = { ...STANDARD_POLICY.policy, rules: [WITHHELD, ...STANDARD_POLICY.policy.rules] };
  await admin.change('PUT', 'policy', { policy, reason: 'tests' });
  await untilLoaded();
}

/** The URL of the service, and the key of the client. */
export function gatewayService(): { readonly url: string; readonly key: string } {
  return { url: service!.url.replace('localhost', '127.0.0.1'), key: service!.clientKey };
}

/** Runs `numgate --json <args>` as an admin. */
export function numgate(...args: string[]): Promise<unknown> {
  return runNumgate({ NUMGATE_URL: service!.url, NUMGATE_TOKEN: service!.adminToken }, ...args);
}

export async function stopGatewayService(): Promise<void> {
  await service?.stop();
}

/** Interval between two requests, in ms. */
const CHECK_EVERY_MS = 50;

/**
 * Waits until the service has loaded all data that a check can need, and knows the client. On a busy machine a
 * cold service may first return 503 or `indeterminate`.
 */
async function untilLoaded(): Promise<void> {
  const { url, key } = gatewayService();
  // The parties are on no list, so every list is searched.
  const request = { from: '+639179999999', to: '+821099998888', ingress: { trunk: 'none' } };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  for (;;) {
    const body = JSON.stringify(request);
    const response = await fetch(`${url}/v1/gateway/check`, { method: 'POST', headers, body });
    const { verdict } = (await response.json()) as { verdict?: string };
    if (response.ok && verdict !== 'indeterminate') return;
    await setTimeout(CHECK_EVERY_MS);
  }
}
