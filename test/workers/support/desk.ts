/** The real desk of the joint response, called over RPC, with decisions in the form that the counts of subjects send. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import type { Actor } from '../../../shared/admin/actor.ts';
import type { EntryInfo } from '../../../shared/admin/entries.ts';
import type { RuleBlockInfo } from '../../../shared/admin/rule-blocks.ts';
import { toE164 } from '../../../shared/numbers/number.ts';
import { bareOrganisation, type Organisation } from '../../../shared/organisations.ts';
import type { ReportSubject } from '../../../shared/reports/report.ts';
import { ReportKeys } from '../../../shared/reports/report-keys.ts';
import { type RuleSettings, ruleRef } from '../../../shared/reports/rule.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { ResponseDesk } from '../../../workers/response/response-desk.ts';
import {
  RESPONSE_NAME,
  type ResponseKeeper,
  type RuleDecision,
} from '../../../workers/storage/response-port.ts';
import type { StoreRequest } from '../../../workers/storage/store-request.ts';
import { asAdmin, coordinator, unwrap } from './coordinator.ts';
import { ANY } from './room.ts';

type Stub = {
  [Name in keyof ResponseDesk]: ResponseDesk[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function bindings(): ControlEnv {
  return env as unknown as ControlEnv;
}

export function deskStub(): DurableObjectStub {
  return bindings().RESPONSE.getByName(RESPONSE_NAME) as unknown as DurableObjectStub;
}

export function desk(): Stub {
  return deskStub() as unknown as Stub;
}

/** A request of a person of the association. */
export function asPerson(organisation = 'ktoa', key: string | null = null): StoreRequest {
  const actor: Actor = {
    ...{ name: `token:${organisation}`, organisation, authority: null, scopes: ['reports'], root: false },
  };
  return { actor, reason: 'test', repeat: key === null ? null : { key, sha256: 'same' } };
}

/** An ordinary number: 010-3000-0000 + `index`. */
export function numberOf(index: number): number {
  return 82_10_3000_0000 + index;
}

export const KR_50: RuleSettings = {
  ...{ state: 'active', target: 'number', channel: 'any', origin: 'any', window: '24h', distinct: 50 },
  kinds: ['subscriber', 'operator', 'model', 'police', 'regulator', 'honeypot'],
  ...{ maxShare: 0.4, weightMin: 1, effect: 'block', provisional: '72h', confirmed: '90d', approval: 'auto' },
};

export async function putRule(id: string, settings: Partial<RuleSettings> = {}): Promise<void> {
  unwrap(await coordinator().putRule(asAdmin(), id, { ...KR_50, ...settings }, ANY));
}

export async function putPartner(
  id: string,
  partner: Partial<NonNullable<Organisation['partner']>> = {},
): Promise<void> {
  const settings = { kind: 'subscriber', weight: 1, slices: 1, reportsPerDay: 1_000, mock: false } as const;
  const organisation = { ...bareOrganisation(id), partner: { ...settings, ...partner } };
  unwrap(await coordinator().putOrganisation(asAdmin(), id, organisation, ANY));
}

/** A decision about a subject. @param index of `numberOf`, or another subject */
export async function decision(
  index: number | ReportSubject,
  some: Partial<RuleDecision> & { readonly id?: string } = {},
): Promise<RuleDecision> {
  const subject: ReportSubject = typeof index === 'number' ? { kind: 'number', n: numberOf(index) } : index;
  const { id = 'kr-50', ...rest } = some;
  const keys = await ReportKeys.open(new Uint8Array(await desk().reportKey()));
  const rule = await coordinator().rule(id);
  return {
    ...{ subject, subjectKey: await keys.subject(subject, rest.mock === true), channel: 'sms' },
    ...{ rule: ruleRef(rule ?? { id, version: 0 }), event: 'fired', distinct: 50, kinds: ['subscriber'] },
    ...{ byPartner: { skt: 20, kt: 20, lgu: 10 }, decidedAt: Date.now() },
    ...{ resetAt: Date.now(), shadow: false, mock: false, ...rest },
  };
}

let sent = 0;

/** Sends decisions, and waits until the desk has processed them and the coordinator has their effects. */
export async function decide(...decisions: readonly RuleDecision[]): Promise<void> {
  sent = Math.max(sent + 1, 1);
  await desk().decide('0', sent, decisions);
  await settled();
}

/** Waits until nothing is left to do now. `vi.waitUntil` would move the clock of a test that sets it. */
export async function settled(): Promise<void> {
  for (;;) {
    const { decisions, unsent } = await desk().status();
    if (decisions === 0 && unsent === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The newest block of a number. */
export async function blockOf(index: number): Promise<RuleBlockInfo> {
  const found = await blocksOf(index);
  if (found[0] === undefined) throw new Error('no rule block');
  return found[0];
}

export async function blocksOf(
  index: number | ReportSubject,
  mock = false,
): Promise<readonly RuleBlockInfo[]> {
  const subject: ReportSubject = typeof index === 'number' ? { kind: 'number', n: numberOf(index) } : index;
  const found = await desk().findRuleBlocks(subject, mock);
  if (!found.ok) throw new Error(found.message);
  return found.value;
}

/** Live blocks of a number. A lift leaves a `clear`, which does not count. */
export async function entriesOf(index: number): Promise<readonly EntryInfo[]> {
  const entries = unwrap(await coordinator().findEntries({ number: toE164(numberOf(index)) }));
  const [newest] = entries.toSorted((one, other) => other.seq - one.seq);
  return newest?.op === 'block' ? [newest] : [];
}

/** Replaces some calls of the desk to the coordinator. All other calls reach the real one. */
export function withCoordinator(calls: Partial<ResponseKeeper>): void {
  const { COORDINATOR } = bindings();
  const real = COORDINATOR.getByName.bind(COORDINATOR);
  vi.spyOn(COORDINATOR, 'getByName').mockImplementation(
    // A stub belongs to the request that made it.
    (name) =>
      new Proxy(real(name), {
        get: (target, call) => (calls as Record<string | symbol, unknown>)[call] ?? Reflect.get(target, call),
      }),
  );
}

/** The number of rows in a table of the desk. */
export function rowsOf(table: string): Promise<number> {
  return runInDurableObject(
    deskStub(),
    (_, { storage }) => storage.sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`).one().n,
  );
}
