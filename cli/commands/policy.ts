/**
 * `lists policy`: what gateways are told about traffic from abroad.
 */

import { isDeepStrictEqual } from 'node:util';
import type { ChangeDone } from '../../shared/admin.ts';
import { isRecord } from '../../shared/fields.ts';
import {
  type Policy,
  policySchema,
  type Rule,
  STANDARD_POLICY,
  type VersionedPolicy,
} from '../../shared/policy/policy.ts';
import type { Admin } from '../admin.ts';
import { checked } from '../checked.ts';
import { readJsonFile } from '../json-file.ts';

/** What a policy changes in the one before it. */
export interface PolicyDiff {
  readonly removed: readonly Rule[];
  readonly added: readonly Rule[];
  /** Rules that keep their id. */
  readonly changed: readonly { readonly before: Rule; readonly after: Rule }[];
  /** Whether rules that stay are held against a call in another order. */
  readonly reordered: boolean;
  /** What else is another one. */
  readonly others: readonly ('label' | 'redress')[];
}

export type PolicyDone = VersionedPolicy & ChangeDone & { readonly diff: PolicyDiff };
/** What `policy set` would do. */
export type PolicyTrial = VersionedPolicy & { readonly diff: PolicyDiff };

export function getPolicy(admin: Admin): Promise<VersionedPolicy> {
  return admin.get('policy');
}

/** A policy out of a file: as `policy show --json` prints it, with or without its version. */
export function policyOfFile(path: string): Policy {
  const document = readJsonFile(path);
  const { policy = document } = isRecord(document) ? document : {};
  return checked(policy, { schema: policySchema, before: `${path}: `, whole: 'the policy', exitCode: 1 });
}

/** Put a policy in the place of the one that is in force; null for the one that comes with the code. */
export async function setPolicy(admin: Admin, wanted: Policy | null, reason: string): Promise<PolicyDone> {
  const { value, etag } = await admin.tagged<VersionedPolicy>('policy');
  const policy = wanted ?? STANDARD_POLICY.policy;
  const headers = etag === null ? {} : { 'if-match': etag };
  const done = await admin.change<VersionedPolicy & ChangeDone>('PUT', 'policy', { policy, reason }, headers);
  return { ...done, diff: diffOf(value.policy, policy) };
}

/** What `setPolicy` would change in the policy that is in force, whose version is told. */
export async function tryPolicy(admin: Admin, wanted: Policy | null): Promise<PolicyTrial> {
  const { version, policy } = await getPolicy(admin);
  const after = wanted ?? STANDARD_POLICY.policy;
  return { version, policy: after, diff: diffOf(policy, after) };
}

export function diffOf(before: Policy, after: Policy): PolicyDiff {
  const rulesBefore = new Map(before.rules.map((rule) => [rule.id, rule]));
  const rulesAfter = new Map(after.rules.map((rule) => [rule.id, rule]));
  const stay = ({ rules }: Policy): string[] =>
    rules.map(({ id }) => id).filter((id) => rulesBefore.has(id) && rulesAfter.has(id));
  const kept = stay(after).map((id) => ({ before: rulesBefore.get(id)!, after: rulesAfter.get(id)! }));
  return {
    removed: before.rules.filter(({ id }) => !rulesAfter.has(id)),
    added: after.rules.filter(({ id }) => !rulesBefore.has(id)),
    changed: kept.filter((each) => !isDeepStrictEqual(each.before, each.after)),
    reordered: !isDeepStrictEqual(stay(before), stay(after)),
    others: (['label', 'redress'] as const).filter((name) => !isDeepStrictEqual(before[name], after[name])),
  };
}
