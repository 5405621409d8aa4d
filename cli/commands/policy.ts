/** `numgate policy`: the rules for traffic from abroad at gateways. */

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
import { CommandFailure } from '../failure.ts';
import { readJsonFile } from '../import/json-file.ts';

/** A rule and its position. Rule 1 is evaluated first. */
export interface PlacedRule {
  readonly place: number;
  readonly rule: Rule;
}

/** A value before and after a change. */
export interface Change<Value> {
  readonly before: Value;
  readonly after: Value;
}

/** The differences between two policies. */
export interface PolicyDiff {
  /** Every rule of both by its id: first those of the new policy in order, then the removed ones. */
  readonly rules: readonly Change<PlacedRule | null>[];
  readonly label: Change<string> | null;
  readonly redress: Change<Policy['redress']> | null;
}

export type PolicyDone = VersionedPolicy & ChangeDone & { readonly diff: PolicyDiff };
/** What `policy set` would do. */
export interface PolicyPreview {
  /** Version of the policy in force, which does not change. */
  readonly inForce: number;
  readonly diff: PolicyDiff;
}

export function getPolicy(admin: Admin): Promise<VersionedPolicy> {
  return admin.get('policy');
}

/** A policy, and the version that it was based on, if known. */
export interface PolicyFile {
  readonly policy: Policy;
  readonly version: number | null;
}

/** Reads a policy file as `policy show --json` prints it, with or without its version. */
export function policyOfFile(path: string): PolicyFile {
  const document = readJsonFile(path);
  const { policy: written = document, version } = isRecord(document) ? document : {};
  const settings = { before: `${path}: `, whole: 'the policy', exitCode: 1 } as const;
  const policy = checked(written, { schema: policySchema, ...settings });
  return { policy, version: typeof version === 'number' ? version : null };
}

/** Replaces the policy in force. Null restores the policy that comes with the code. */
export async function setPolicy(
  admin: Admin,
  wanted: PolicyFile | null,
  reason: string,
): Promise<PolicyDone> {
  const { value, etag } = await admin.tagged<VersionedPolicy>('policy');
  checkVersion(wanted, value);
  const policy = wanted?.policy ?? STANDARD_POLICY.policy;
  const headers = etag === null ? {} : { 'if-match': etag };
  const done = await admin.change<VersionedPolicy & ChangeDone>('PUT', 'policy', { policy, reason }, headers);
  return { ...done, diff: diffOf(value.policy, policy) };
}

/** What `setPolicy` would change. */
export async function previewPolicy(admin: Admin, wanted: PolicyFile | null): Promise<PolicyPreview> {
  const inForce = await getPolicy(admin);
  checkVersion(wanted, inForce);
  return { inForce: inForce.version, diff: diffOf(inForce.policy, wanted?.policy ?? STANDARD_POLICY.policy) };
}

/** Prevents overwriting a change that somebody else made meanwhile. */
function checkVersion(wanted: PolicyFile | null, { version: inForce, policy }: VersionedPolicy): void {
  if (wanted === null || wanted.version === null || wanted.version === inForce) return;
  if (isDeepStrictEqual(wanted.policy, policy)) return;
  throw new CommandFailure(
    `the policy was made from version ${wanted.version}, and version ${inForce} is in force: ` +
      'begin with what `policy show --json` prints now, or take "version" out of the file',
    4,
  );
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
    // A redress without an address equals no redress.
    redress: isDeepStrictEqual(before.redress ?? {}, after.redress ?? {})
      ? null
      : { before: before.redress, after: after.redress },
  };
}

function placesOf({ rules }: Policy): ReadonlyMap<string, PlacedRule> {
  return new Map(rules.map((rule, index) => [rule.id, { place: index + 1, rule }]));
}

/** Whether two rules are equivalent. The order of the values of a fact does not matter. */
export function isSameRule(one: Rule, other: Rule): boolean {
  const sorted = ({ when, ...rule }: Rule): object => ({
    ...rule,
    when: Object.fromEntries(Object.entries(when).map(([fact, values]) => [fact, values?.toSorted()])),
  });
  return isDeepStrictEqual(sorted(one), sorted(other));
}
