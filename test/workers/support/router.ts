/** The real router and stores of notices, called over RPC, with operators and registered senders of the tests. */
import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import * as v from 'valibot';
import { expect, vi } from 'vitest';
import { clientSchema } from '../../../shared/clients.ts';
import { OPERATORS_FRESH_MS } from '../../../shared/limits/notice-sources.ts';
import type { Notice } from '../../../shared/notices/notice.ts';
import { bareOrganisation, type Organisation } from '../../../shared/organisations.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { NoticeStore } from '../../../workers/notices/notice-store.ts';
import { NOTICE_ROUTER_NAME, type NoticeRouterObject } from '../../../workers/storage/notices-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, coordinator, unwrap } from './coordinator.ts';
import { ANY } from './room.ts';

type Stub = {
  [Name in keyof NoticeStore]: NoticeStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

const bindings = (): ControlEnv => env as unknown as ControlEnv;

export function routerStub(): DurableObjectStub {
  return router() as unknown as DurableObjectStub;
}

export function router(): NoticeRouterObject {
  return bindings().NOTICE_ROUTER.getByName(NOTICE_ROUTER_NAME);
}

export function notices(organisation: string): Stub {
  return bindings().NOTICES.getByName(organisation) as unknown as Stub;
}

/** All notices of an organisation, oldest first. */
export async function noticesOf(organisation: string): Promise<readonly Notice[]> {
  return (await notices(organisation).page(0, 100)).notices;
}

/** The types of these notices, without prefix and version. */
export async function typesOf(organisation: string): Promise<string[]> {
  return (await noticesOf(organisation)).map(({ type }) => type.slice('kr.numgate.'.length, -'.v1'.length));
}

/** Adds an organisation. @param hasReader whether it has a client that reads its notices */
export async function putMember(
  id: string,
  settings: Partial<Organisation> = {},
  hasReader = false,
): Promise<void> {
  unwrap(await coordinator().putOrganisation(asAdmin(), id, { ...bareOrganisation(id), ...settings }, ANY));
  if (!hasReader) return;
  const client = v.parse(clientSchema, {
    ...{ id: `${id}-reader`, secretSha256: ['0'.repeat(64)], organisation: id, rights: ['notices'] },
  });
  unwrap(await coordinator().putClient(asAdmin(), client.id, client, ANY));
}

/** Adds operators that read their notices. */
export async function putOperators(...ids: readonly string[]): Promise<void> {
  for (const id of ids) await putMember(id, { roles: ['operator'], authority: id }, true);
}

/** Waits until the router has made notices of everything up to a position, and the stores have them. */
export async function routed(position: number): Promise<void> {
  await vi.waitFor(async () => {
    await router().poke();
    await runDurableObjectAlarm(routerStub());
    const status = await router().status();
    expect(status.position).toBeGreaterThanOrEqual(position);
    expect(status.waiting).toBe(0);
  }, HANG_MS);
}

/** Makes the router read the operators again. */
export function forgetOperators(): void {
  vi.setSystemTime(Date.now() + OPERATORS_FRESH_MS + 1);
}
