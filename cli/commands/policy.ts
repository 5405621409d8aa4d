/**
 * `lists policy`: what gateways are told about traffic from abroad.
 */
import type { ChangeDone } from '../../shared/admin.ts';
import { isRecord } from '../../shared/fields.ts';
import {
  type Policy,
  policySchema,
  STANDARD_POLICY,
  type VersionedPolicy,
} from '../../shared/policy/policy.ts';
import type { Admin } from '../admin.ts';
import { checked } from '../checked.ts';
import { readJsonFile } from '../json-file.ts';

export type PolicyDone = VersionedPolicy & ChangeDone;

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
export async function setPolicy(admin: Admin, policy: Policy | null, reason: string): Promise<PolicyDone> {
  const { etag } = await admin.tagged<VersionedPolicy>('policy');
  const body = { policy: policy ?? STANDARD_POLICY.policy, reason };
  return admin.change('PUT', 'policy', body, etag === null ? {} : { 'if-match': etag });
}
