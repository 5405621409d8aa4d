/**
 * Rules of the joint response in the admin API.
 */
import * as v from 'valibot';
import { REHEARSAL_CURSOR_CHARS_MAX } from '../limits/reports.ts';
import type { SenderKind } from '../policy/facts.ts';
import { type Rule, type RuleSettings, ruleSchema } from '../reports/rule.ts';
import { breakGlassSchema, reasonSchema, timeSchema } from '../schemas.ts';

const common = { breakGlass: breakGlassSchema, reason: reasonSchema };

/** `PUT /v1/admin/rules/{id}` */
export const putRuleSchema = v.strictObject({ rule: ruleSchema, ...common });

/** `DELETE /v1/admin/rules/{id}` */
export const removeRuleSchema = v.strictObject(common);

/** `GET /v1/admin/rules`: rules in the order of their IDs. */
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
  /** Version of the removal. */
  readonly version: number;
}

/** `POST /v1/admin/rules/rehearse`: one page of a lookup. It uses POST because the request contains a rule. */
export const rehearseSchema = v.strictObject({
  rule: ruleSchema,
  /** Time from which reports count; null for all kept reports. */
  since: v.optional(v.nullable(timeSchema), null),
  /** `next` of the previous page; null for the first page. */
  after: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(REHEARSAL_CURSOR_CHARS_MAX))), null),
});

/** Results of a rehearsal for senders of one kind. */
export interface RehearsedSenders {
  /** Kind of sender; `campaign` for a rule about campaigns. */
  readonly sender: SenderKind | 'campaign';
  /** Senders for which the rule would have fired. */
  readonly fires: number;
  /** `blocked`: those of `fires` that rules blocked at the time. `appealed`: those of `blocked` with an accepted appeal. */
  readonly blocked: number;
  readonly appealed: number;
  /** Senders that rules blocked at the time, but for which this rule would not have fired. */
  readonly missed: number;
}

/** What a rule would have done with one part of the kept reports. Callers sum the pages. */
export interface RehearsalPage {
  /** `subjects`: senders with as many reports as the rule requires. `reports`: the reports about them. */
  readonly subjects: number;
  readonly reports: number;
  readonly senders: readonly RehearsedSenders[];
  /** By rule ID: senders that the existing rule blocked, and for which the rehearsed rule would have fired. */
  readonly blockedBy: Readonly<Record<string, number>>;
  /** Senders that could not be read, because the key of reports was lost. */
  readonly unreadable: number;
  /** Share of the reports that were read up to and including this page, 0 to 1. */
  readonly progress: number;
  readonly next: string | null;
}
