/** The objects that keep reports, called over RPC like the routes do and like they call each other. */
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import { REPORT_RETRY_MS_MAX } from '../../../shared/limits/intake.ts';
import type { Rule } from '../../../shared/reports/rule.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { CampaignRegistry } from '../../../workers/storage/campaign-port.ts';
import {
  type BudgetObject,
  type CountSource,
  type IntakeObject,
  type IntakePartner,
  type KeptReport,
  type Seals,
  type SubjectObject,
  type SubjectTotals,
  shardOf,
} from '../../../workers/storage/reports-port.ts';
import type { ResponseObject, RuleDecision } from '../../../workers/storage/response-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { textStore } from './texts.ts';

export const bindings = env as unknown as ControlEnv;

export const SOURCE: CountSource = { intake: 'kisa', id: 'kisa', kind: 'subscriber', mock: false };
export const PARTNER: IntakePartner = { ...SOURCE, reportsPerDay: 100_000 };

export const intake = (name = SOURCE.intake): IntakeObject => bindings.REPORTS.getByName(name);
export const intakeStub = (name = SOURCE.intake): DurableObjectStub =>
  intake(name) as unknown as DurableObjectStub;
export const budget = (shard: string): BudgetObject => bindings.REPORTERS.getByName(shard);
export const subjects = (shard: string): SubjectObject => bindings.SUBJECTS.getByName(shard);
export const subjectsStub = (shard: string): DurableObjectStub =>
  subjects(shard) as unknown as DurableObjectStub;

/** A keyed value. Its first character determines its shard. */
export function keyed(name: string): string {
  return name.padEnd(22, '_');
}

/** In the future, so that alarms run only when a test runs them. */
export const AT = Date.parse('2100-01-01T12:00:00Z');

export function report(reportId: string, rest: Partial<KeptReport> = {}): KeptReport {
  return {
    ...{ reportId, subject: keyed('Subject'), reporter: keyed(`R${reportId}`), at: AT },
    ...{ channel: 'sms', spam: 'gambling', origin: 'domestic' },
    ...{ route: null, relayCode: null, ingressOperator: null, campaign: null, fingerprint: null },
    ...rest,
  };
}

export function sealsOf(reports: readonly KeptReport[]): Seals {
  return Object.fromEntries(reports.map(({ subject }) => [subject, `seal of ${subject}`]));
}

export function accept(reports: readonly KeptReport[], partner = PARTNER) {
  return intake(partner.intake).accept(partner, reports, sealsOf(reports));
}

/** Waits until the counts have everything of an intake. Earlier failures cause no pause, because the clock is fake. */
export async function counted(name = SOURCE.intake): Promise<void> {
  await vi.waitFor(async () => {
    if ((await intake(name).status()).waiting === 0) return;
    vi.setSystemTime(Date.now() + REPORT_RETRY_MS_MAX);
    await runDurableObjectAlarm(intakeStub(name));
    expect((await intake(name).status()).waiting).toBe(0);
  }, HANG_MS);
}

/** Sums of the shards of these keyed subjects. */
export async function totalsOf(keys: readonly string[]): Promise<SubjectTotals> {
  const shards = [...new Set(keys.map(shardOf))];
  const all = await Promise.all(shards.map((shard) => subjects(shard).totals()));
  const sum = (name: keyof SubjectTotals) => all.reduce((total, each) => total + each[name], 0);
  return {
    ...{ received: sum('received'), counted: sum('counted'), overBudget: sum('overBudget') },
    ...{ withdrawn: sum('withdrawn'), notSpam: sum('notSpam') },
  };
}

/** When a call to an object fails: before it arrives, or after it took effect, so that only its answer is lost. */
export type Fault = 'before' | 'after' | null;

/** Makes calls from an intake to other objects fail, as `next` decides for each call. The object's end removes this. */
export async function withFaults(next: () => Fault, name = SOURCE.intake): Promise<void> {
  await runInDurableObject(intakeStub(name), (instance) => {
    const object = instance as unknown as { env: ControlEnv };
    const faulty = <Value>(call: () => Promise<Value>): Promise<Value> => {
      const fault = next();
      if (fault === 'before') return Promise.reject(new Error('it does not respond'));
      return fault === null ? call() : call().then(() => Promise.reject(new Error('the answer is lost')));
    };
    const replaced = {
      REPORTERS: {
        getByName: (shard: string) => ({
          admit: (...args: Parameters<BudgetObject['admit']>) => faulty(() => budget(shard).admit(...args)),
        }),
      },
      SUBJECTS: {
        getByName: (shard: string) => ({
          apply: (...args: Parameters<SubjectObject['apply']>) =>
            faulty(() => subjects(shard).apply(...args)),
        }),
      },
      TEXT: {
        getByName: () => ({
          campaignsOf: (...args: Parameters<CampaignRegistry['campaignsOf']>) =>
            faulty(() => textStore().campaignsOf(...args)),
        }),
      },
    };
    Object.defineProperty(object, 'env', { value: { ...object.env, ...replaced }, configurable: true });
  });
}

export interface SentDecisions {
  readonly n: number;
  readonly decisions: readonly RuleDecision[];
}

/** A desk with these rules. `take` answers each batch or throws. */
export interface FakeDesk {
  rules: readonly Rule[];
  weights: Record<string, number>;
  suspended: string[];
  take: (batch: SentDecisions) => number;
  readonly taken: SentDecisions[];
}

export const REPORT_KEY = new Uint8Array(32).fill(7);

export function fakeDesk(rules: readonly Rule[]): FakeDesk {
  return { rules, weights: {}, suspended: [], take: ({ n }) => n, taken: [] };
}

/** Replaces the desk of a shard of the counts. The object's end removes this. */
export async function withDesk(desk: FakeDesk, shard: string): Promise<void> {
  let version = 0;
  const response: Pick<ResponseObject, 'context' | 'decide' | 'reportKey'> = {
    context: async () => {
      const { rules, weights, suspended } = desk;
      return { rules, weights, suspended, version: ++version };
    },
    reportKey: async () => REPORT_KEY,
    decide: async (_shard, n, decisions) => {
      const last = desk.take({ n, decisions });
      if (last === n) desk.taken.push({ n, decisions });
      return { last };
    },
  };
  await runInDurableObject(subjectsStub(shard), (instance) => {
    const object = instance as unknown as { env: ControlEnv };
    Object.defineProperty(object, 'env', {
      value: { ...object.env, RESPONSE: { getByName: () => response } },
      configurable: true,
    });
  });
}
