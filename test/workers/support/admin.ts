/**
 * Requests of admins to the whole service, at noon, with a clean isolate and an authority for the organisation
 * `default`.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, vi } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import worker from '../../../workers/main.ts';
import { coordinator } from './coordinator.ts';
import { NOON } from './room.ts';

const SECRET = 'right';
export const ADDRESS = '203.0.113.9';

export interface Sent {
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly platform?: string;
  /** A lookup, whose body has no reason. */
  readonly isLookUp?: boolean;
}

/** The methods of the coordinator that were called. */
export const calls: string[] = [];
/** Lines of the log. */
export const logged: Record<string, unknown>[] = [];

/** Sends a request. Returns `<status> <code>` and the body. */
export async function send(id: string, request: string, body: object | null = null, sent: Sent = {}) {
  const { secret = SECRET, headers = {}, platform = 'cloudflare', isLookUp = false } = sent;
  const [method = '', path = ''] = request.split(' ');
  const ctx = createExecutionContext();
  const watched = new Proxy(coordinator(), {
    get: (target, name) => {
      calls.push(String(name));
      return Reflect.get(target, name) as unknown;
    },
  });
  const bindings = {
    ...{ ...env, PLATFORM: platform, ROOT_TOKEN_SHA256: await sha256Hex(SECRET) },
    COORDINATOR: { getByName: () => watched },
  };
  const response = await worker.fetch(
    new Request(`https://numgate.test/v1/admin/${path}`, {
      method,
      headers: {
        ...{ authorization: `Bearer ${id}.${secret}`, 'content-type': 'application/json' },
        ...{ 'cf-connecting-ip': ADDRESS, ...headers },
      },
      ...(body === null ? {} : { body: JSON.stringify(isLookUp ? body : { ...body, reason: 'test' }) }),
    }) as never,
    bindings as never,
    ctx,
  );
  const answer = (await response.json()) as Record<string, unknown>;
  await waitOnExecutionContext(ctx);
  const { status } = response;
  return { status, code: answer.code, retryAfter: response.headers.get('retry-after'), answer };
}

export const putToken = async (id: string, settings: object = {}, sent: Sent = {}) => {
  const secretSha256 = [await sha256Hex(SECRET)];
  const token = { id, secretSha256, scopes: ['read', 'entries'], ...settings };
  return send('root', `PUT tokens/${id}`, { token }, sent);
};
export const listed = async (id: string): Promise<Record<string, unknown>> => {
  const { tokens } = (await send('root', 'GET tokens')).answer as { tokens: Record<string, unknown>[] };
  return tokens.find((token) => token.id === id) ?? {};
};
/** Each test of the file begins at noon, with one organisation. */
export function freshControl(): void {
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOON });
    vi.spyOn(console, 'warn').mockImplementation((line: string) => {
      logged.push(JSON.parse(line) as Record<string, unknown>);
    });
    const organisation = { ...bareOrganisation('default'), authority: 'kisa' };
    expect((await send('root', 'PUT organisations/default', { organisation })).status).toBe(200);
    calls.length = 0;
    logged.length = 0;
  });
}
