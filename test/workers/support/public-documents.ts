/** Control with a register in memory and its own key, as anyone without an account reaches it. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify } from 'jose';
import { beforeEach, vi } from 'vitest';
import type { RegisterData } from '../../../shared/senders/register.ts';
import worker from '../../../workers/control.ts';
import { publicDocuments } from '../../../workers/register/public-route.ts';
import { resetSources } from '../../../workers/register/sources.ts';

export const PUBLIC_URL = 'https://numgate.example';
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const { privateKey: nextKey } = await generateKeyPair('ES256', { extractable: true });
const jwkOf = async (key: CryptoKey, kid: string) => ({ ...(await exportJWK(key)), kid });
export const KEY = await jwkOf(privateKey, '2026-11');
export const NEXT = await jwkOf(nextKey, '2026-12');

export const START = Date.parse('2026-11-26T00:00:00Z');
const certified = {
  ...{ state: 'certified' as const, factor: null, since: '2026-01-01T00:00:00.000Z' },
  ...{ inspectedAt: '2026-05-31T15:00:00.000Z', nextInspectionBy: '2027-06-01T14:59:59.000Z' },
  validUntil: null,
};
export const DATA: RegisterData = {
  size: 4,
  organisations: [
    { ...certified, organisation: 'acme', name: '에이컴', senderCode: 'ACME0001', index: 0 },
    {
      ...{ ...certified, organisation: 'beta', name: 'Beta', senderCode: null, index: 2 },
      ...{ state: 'rateReduced' as const, factor: 0.5, validUntil: '2026-11-27T00:00:00.000Z' },
    },
    {
      ...{ ...certified, state: 'suspended' as const },
      ...{ organisation: 'gamma', name: 'Twin', senderCode: null, index: 3 },
    },
    {
      ...{ ...certified, state: 'cancelled' as const },
      ...{ organisation: 'delta', name: 'twin', senderCode: null, index: 1 },
    },
  ],
};

/** The coordinator's data, how often it was read, and whether it is down. */
export const coordinator = { data: DATA, reads: 0, isDown: false };
const register = async (): Promise<RegisterData> => {
  coordinator.reads++;
  if (coordinator.isDown) throw new Error('down');
  return coordinator.data;
};

interface Sent {
  readonly bindings?: object;
  readonly headers?: Record<string, string>;
}

export async function get(path: string, { bindings = {}, headers = {} }: Sent = {}): Promise<Response> {
  const ctx = createExecutionContext();
  const own = {
    ...{ ...env, PUBLIC_URL, CREDENTIAL_KEY: JSON.stringify(KEY) },
    ...{ COORDINATOR: { getByName: () => ({ register }) } },
    CREDENTIALS: { getByName: () => ({ delegationStatuses: async () => Uint8Array.from([0b100001]) }) },
    ...bindings,
  };
  const request = new Request(`https://control.example${path}`, { headers });
  const response = await worker.fetch(request as never, own as never, ctx);
  await waitOnExecutionContext(ctx);
  return response;
}

export const json = async (path: string, sent?: Sent) =>
  (await (await get(path, sent)).json()) as Record<string, unknown>;

/** Verifies a document like a relay, which has only the public keys. */
export async function verify(path: string, typ: string, now = START) {
  const keys = (await json('/.well-known/jwks.json')) as unknown as JSONWebKeySet;
  const token = await (await get(path)).text();
  return jwtVerify(token, createLocalJWKSet(keys), {
    ...{ issuer: PUBLIC_URL, typ, algorithms: ['ES256'], currentDate: new Date(now) },
  });
}

/** Acts as another isolate of the same data centre. */
export function restart(): void {
  resetSources();
  publicDocuments.reset();
}

/** Each test of the file begins with a cold isolate and an empty cache. */
export function coldRegister(): void {
  beforeEach(() => {
    restart();
    Object.assign(coordinator, { data: DATA, reads: 0, isDown: false });
    vi.useFakeTimers({ toFake: ['Date'], now: START });
  });
}

export const ACME = {
  ...{ id: 'acme', name: '에이컴', senderCode: 'ACME0001', state: 'certified', factor: null },
  ...{ since: '2026-01-01T00:00:00.000Z', validUntil: null },
  ...{ inspectedAt: '2026-06-01', nextInspectionBy: '2027-06-01' },
};
