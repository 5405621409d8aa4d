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

/** A rule, and where it stands: 1 is held against a call or text first. */
export interface PlacedRule {
  readonly place: number;
  readonly rule: Rule;
}

/** What was, and what comes in its place. */
export interface Change<Value> {
  readonly before: Value;
  readonly after: Value;
}

/** What a policy changes in the one before it. */
export interface PolicyDiff {
  /** Every rule of both by its id: those of the new policy in order, then those that are gone. */
  readonly rules: readonly Change<PlacedRule | null>[];
  readonly label: Change<string> | null;
  readonly redress: Change<Policy['redress']> | null;
}

export type PolicyDone = VersionedPolicy & ChangeDone & { readonly diff: PolicyDiff };
/** What `policy set` would do. */
export interface PolicyTrial {
  /** Version of the policy that is in force, and stays. */
  readonly inForce: number;
  readonly diff: PolicyDiff;
}

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

/** What `setPolicy` would change. */
export async function tryPolicy(admin: Admin, wanted: Policy | null): Promise<PolicyTrial> {
  const { version, policy } = await getPolicy(admin);
  return { inForce: version, diff: diffOf(policy, wanted ?? STANDARD_POLICY.policy) };
}

export function diffOf(before: Policy, after: Policy): PolicyDiff {
  const [was, is] = [placesOf(before), placesOf(after)];
  const gone = [...was.values()].filter(({ rule }) => !is.has(rule.id));
  return {
    rules: [
      ...[...is.values()].map((placed) => ({ before: was.get(placed.rule.id) ?? null, after: placed })),
      ...gone.map((placed) => ({ before: placed, after: null })),
    ],
    label: before.label === after.label ? null : { before: before.label, after: after.label },
    // Without an address in it, it says as little as none.
    redress: isDeepStrictEqual(before.redress ?? {}, after.redress ?? {})
      ? null
      : { before: before.redress, after: after.redress },
  };
}

function placesOf({ rules }: Policy): ReadonlyMap<string, PlacedRule> {
  return new Map(rules.map((rule, index) => [rule.id, { place: index + 1, rule }]));
}

/** Whether two rules say the same: in which order the values of a fact stand says nothing. */
export function saysTheSame(one: Rule, other: Rule): boolean {
  const sorted = ({ when, ...rule }: Rule): object => ({
    ...rule,
    when: Object.fromEntries(Object.entries(when).map(([fact, values]) => [fact, values?.toSorted()])),
  });
  return isDeepStrictEqual(sorted(one), sorted(other));
}
