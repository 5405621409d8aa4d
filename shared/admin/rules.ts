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

/** `POST /v1/admin/rules/rehearse`: one page. A lookup, but with POST: it sends a rule. */
export const rehearseSchema = v.strictObject({
  rule: ruleSchema,
  /** Reports from then on; null for all that are kept. */
  since: v.optional(v.nullable(timeSchema), null),
  /** `next` of the page before; null for the first. */
  after: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(REHEARSAL_CURSOR_CHARS_MAX))), null),
});

/** Senders of one kind. */
export interface RehearsedSenders {
  /** `campaign`: what a rule for campaigns counts. */
  readonly sender: SenderKind | 'campaign';
  /** Senders for which the rule would have fired. */
  readonly fires: number;
  /** Of these, those that rules blocked then, and those of them for which an appeal was accepted. */
  readonly blocked: number;
  readonly appealed: number;
  /** Senders that rules blocked then, and for which this rule would not have fired. */
  readonly missed: number;
}

/** What a rule would have done on one part of the kept reports. Add the pages up. */
export interface RehearsalPage {
  /** Senders with as many reports as the rule requires, and the reports of these. */
  readonly subjects: number;
  readonly reports: number;
  readonly senders: readonly RehearsedSenders[];
  /** By ID of a rule: senders for which this rule would have fired, and which that one blocked then. */
  readonly blockedBy: Readonly<Record<string, number>>;
  /** Senders that could not be read, because the key of reports was lost. */
  readonly unreadable: number;
  /** Share of the reports that is read with this page, 0 to 1. */
  readonly progress: number;
  readonly next: string | null;
}
