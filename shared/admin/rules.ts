/**
 * Rules of the joint response in the admin API.
 */
import * as v from 'valibot';
import { type Rule, type RuleSettings, ruleSchema } from '../reports/rule.ts';
import { breakGlassSchema, reasonSchema } from '../schemas.ts';

const common = { breakGlass: breakGlassSchema, reason: reasonSchema };

/** `PUT /v1/admin/rules/{id}` */
export const putRuleSchema = v.strictObject({ rule: ruleSchema, ...common });

/** `DELETE /v1/admin/rules/{id}` */
export const removeRuleSchema = v.strictObject(common);

/** `GET /v1/admin/rules`: in the order of their IDs. */
export interface RuleSet {
  /** Rises with each change of a rule. */
  readonly version: number;
  readonly rules: readonly Rule[];
}

/** One version of a rule. */
export interface RuleVersion {
  readonly version: number;
  /** Null for a removal. */
  readonly rule: RuleSettings | null;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
}

/** `GET /v1/admin/rules/{id}/versions`: newest first, at most RULE_VERSIONS_MAX. */
export interface RuleVersions {
  readonly versions: readonly RuleVersion[];
}

/** The response to a removal. */
export interface RuleRemoved {
  readonly id: string;
  /** Of the removal. */
  readonly version: number;
}
