/** Partners of the joint response with their own clients, and their reports. */
import { expect } from 'vitest';
import { newKey } from '../../../cli/secrets.ts';
import type { PartnerInfo, PartnerReports, RuleBlockInfo } from '../../../shared/admin/rule-blocks.ts';
import { putDocument } from './organisations.ts';
import { check, type Reason, type Reply, type Request, send } from './send.ts';
import { adminValue } from './send-admin.ts';
import { world } from './world.ts';

export interface RuleReason extends Reason {
  readonly rule?: string;
  readonly stage?: string;
  readonly appeal?: string;
}

/** The result of one report. */
export interface ReportResult {
  readonly reportId: string | null;
  readonly status?: string;
  readonly error?: { readonly code: string; readonly field: string; readonly message: string };
}

const keys: Record<string, string> = {};

export async function addPartner(id: string, kind: string, rest: object = {}): Promise<void> {
  await putDocument(`organisations/${id}`, {
    organisation: { id, displayName: id, partner: { kind, ...rest } },
  });
  const { key, secretSha256 } = await newKey(id);
  const client = { id, organisation: id, secretSha256: [secretSha256], rights: ['report'] };
  await putDocument(`clients/${id}`, { client });
  keys[id] = key;
}

/** Sends a request as a partner. */
export function asPartner(id: string): Request {
  return { client: null, base: world().admin, headers: { authorization: `Bearer ${keys[id]}` } };
}

let ids = 0;

/** A current report by a reporter that no other report has. */
export function report(from: string, rest: object = {}): Record<string, unknown> {
  const id = `r-${++ids}`;
  return {
    ...{ reportId: id, from, channel: 'sms', at: new Date().toISOString(), kind: 'gambling' },
    ...{ origin: 'domestic', reporter: `subscriber ${id}`, ...rest },
  };
}

/** @param count number of reports, each by a different reporter */
export function reports(from: string, count: number, rest: object = {}): Record<string, unknown>[] {
  return Array.from({ length: count }, () => report(from, rest));
}

/** @param undocumented whether some of the reports are invalid */
export async function sendReports(
  partner: string,
  items: readonly object[],
  undocumented = false,
): Promise<ReportResult[]> {
  const request = { ...asPartner(partner), body: { items }, undocumented };
  const { status, text, json } = await send('/v1/reports', request);
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  return json.results as unknown as ReportResult[];
}

/** Sends reports that must all be accepted or known. @returns their IDs */
export async function expectTaken(
  partner: string,
  items: readonly Record<string, unknown>[],
  status: 'accepted' | 'known' = 'accepted',
): Promise<string[]> {
  const results = await sendReports(partner, items);
  expect(results).toEqual(items.map(({ reportId }) => ({ reportId, status })));
  return items.map(({ reportId }) => String(reportId));
}

export function sendReport(partner: string, body: unknown): Promise<Reply> {
  return send('/v1/reports', { ...asPartner(partner), body });
}

export function partnerInfo(id: string): Promise<PartnerInfo> {
  return adminValue<PartnerInfo>(`partners/${id}`);
}

/** Waits until the desk knows these partners. It reads partners at intervals. */
export async function untilKnown(partners: readonly string[]): Promise<void> {
  for (;;) {
    const { partners: all } = await adminValue<{ partners: PartnerInfo[] }>('partners');
    if (partners.every((id) => all.some(({ organisation }) => organisation === id))) return;
    await soon();
  }
}

/** Waits until all reports of these partners are counted. */
export async function untilCounted(partners: readonly string[]): Promise<Record<string, PartnerReports>> {
  const all: Record<string, PartnerReports> = {};
  for (const id of partners) {
    for (;;) {
      const { reports: counts } = await partnerInfo(id);
      if (counts?.waiting === 0) {
        all[id] = counts;
        break;
      }
      await soon();
    }
  }
  return all;
}

/** The rule blocks of a number or sender ID, newest first. */
export async function ruleBlocks(from: string): Promise<readonly RuleBlockInfo[]> {
  const found = await adminValue<{ ruleBlocks: RuleBlockInfo[] }>('rule-blocks/find', { body: { from } });
  return found.ruleBlocks;
}

/** Waits for the first rule block of a number or sender ID. */
export async function untilRuleBlocks(from: string): Promise<readonly RuleBlockInfo[]> {
  for (;;) {
    const found = await ruleBlocks(from);
    if (found.length > 0) return found;
    await soon();
  }
}

/** The reason of a rule in a check of this sender; null without one. */
export async function ruleReason(from: string): Promise<RuleReason | null> {
  const { reasons } = await check({ from }, { client: 'senders', base: world().admin });
  return (reasons as readonly RuleReason[]).find(({ rule }) => rule !== undefined) ?? null;
}

/** Checks until a rule blocks this sender, in this stage if given. */
export async function untilBlocked(from: string, stage?: string): Promise<RuleReason> {
  for (;;) {
    const reason = await ruleReason(from);
    if (reason !== null && (stage === undefined || reason.stage === stage)) return reason;
    await soon();
  }
}

export async function untilAllowed(from: string): Promise<void> {
  while ((await ruleReason(from)) !== null) await soon();
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 250));
}
