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
import { CommandFailure } from '../failure.ts';
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

/** A policy, and the version that it was made from, where that is known. */
export interface WantedPolicy {
  readonly policy: Policy;
  readonly version: number | null;
}

/** A policy out of a file: as `policy show --json` prints it, with or without its version. */
export function policyOfFile(path: string): WantedPolicy {
  const document = readJsonFile(path);
  const { policy: written = document, version } = isRecord(document) ? document : {};
  const settings = { before: `${path}: `, whole: 'the policy', exitCode: 1 } as const;
  const policy = checked(written, { schema: policySchema, ...settings });
  return { policy, version: typeof version === 'number' ? version : null };
}

/** Put a policy in the place of the one that is in force; null for the one that comes with the code. */
export async function setPolicy(
  admin: Admin,
  wanted: WantedPolicy | null,
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
export async function tryPolicy(admin: Admin, wanted: WantedPolicy | null): Promise<PolicyTrial> {
  const inForce = await getPolicy(admin);
  checkVersion(wanted, inForce);
  return { inForce: inForce.version, diff: diffOf(inForce.policy, wanted?.policy ?? STANDARD_POLICY.policy) };
}

/** What somebody else has changed since is not overwritten unseen. */
function checkVersion(wanted: WantedPolicy | null, { version: inForce, policy }: VersionedPolicy): void {
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
