/**
 * Problems of the control plane, shared by the control Worker and the CLI.
 */
import type { Guard, GuardHit } from '../release/guard-settings.ts';
import type { RegistrationReason } from '../senders/registration.ts';
import type { ImportedRow } from '../senders/registration-import.ts';
import type { TextGuard } from '../text/text-guards.ts';

/** Extra members of problems, each with the problem codes that have it. */
export interface ProblemExtras {
  /** UNAVAILABLE and DEGRADED, in `/healthz`: the `seq` of the head in use. */
  readonly seq?: number;
  /** UNAVAILABLE in `/healthz`: IDs of the keys in LIST_KEY. The first key is the one that writes. */
  readonly keyIds?: readonly string[];
  /** ENTRIES_CHANGED: entries of the operation, and how many of them other operations changed since. */
  readonly entries?: number;
  readonly changed?: number;
  /** GUARD_HIT */
  readonly guards?: readonly GuardHit<Guard | TextGuard>[];
  /** BASE_MOVED: the base you sent, and the current release. */
  readonly base?: string | null;
  readonly current?: string | null;
  /** BASE_MOVED: releases that became current after your base and were not withdrawn, oldest first. */
  readonly since?: readonly { readonly release: string; readonly by: string; readonly promotedAt: string }[];
  /** PLAN_MOVED */
  readonly plan?: string;
  /** RELEASE_REFUSED: the reason, such as SIGNATURE_INVALID. UNDO_IMPOSSIBLE: one of UNDO_REFUSALS. */
  readonly refusal?: string;
  /** RELEASE_INCOMPLETE and DEGRADED: KV keys of missing values, at most MISSING_NAMED_MAX. */
  readonly missing?: readonly string[];
  /** AUTHORITY_FOREIGN: the other authorities that the change affects. */
  readonly authorities?: readonly string[];
  /** BUDGET_EXCEEDED: which budget, and when it is full again. */
  readonly budget?: { readonly name: string; readonly resetsAt: string };
  /** REGISTRATION_INVALID: what is wrong or missing, by field. */
  readonly reasons?: readonly RegistrationReason[];
  /** CSV_INVALID: the line of the file. */
  readonly line?: number;
  /** REGISTRATIONS_INVALID: the invalid lines, at most 100. */
  readonly lines?: readonly ImportedRow[];
  /**
   * REGISTRATION_STATE, DELEGATION_STATE, RULE_BLOCK_STATE, CAMPAIGN_STATE: the state, and the actions that it allows.
   * RULE_BLOCK_REFUSED: the state. QUALIFICATION_STATE: the states that may follow.
   */
  readonly state?: string;
  readonly possible?: readonly string[];
  /** CURSOR_GONE: the path of the snapshot. */
  readonly snapshot?: string;
  /** ENTRY_… and AUTHORITY_FOREIGN: the affected items, at most 100. */
  readonly items?: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}

/** Why an operation cannot be undone. */
export const UNDO_REFUSALS = ['NOT_KEPT', 'UNDONE', 'ENDED', 'FOLDED', 'TOO_LARGE'] as const;
export type UndoRefusal = (typeof UNDO_REFUSALS)[number];

/** Problem codes of the control plane, with status and title. They never change. */
export const ADMIN_PROBLEMS = {
  ENTRY_INVALID: [422, 'Entry is invalid'],
  ENTRY_PROTECTED: [422, 'Number is protected'],
  ENTRY_TOO_WIDE: [422, 'Entry covers more than one number'],
  LIVE_FULL: [409, 'Live layer is full'],
  OPERATION_UNKNOWN: [404, 'Operation not found'],
  UNDO_IMPOSSIBLE: [409, 'Operation cannot be undone'],
  ENTRIES_CHANGED: [409, 'Entries have changed since'],
  TEXT_RELEASE_UNKNOWN: [404, 'Text release not found'],
  RELEASE_UNKNOWN: [404, 'Release not found'],
  RELEASE_REFUSED: [422, 'Release refused'],
  RELEASE_INCOMPLETE: [503, 'Release is incomplete'],
  RELEASE_STATE: [409, 'Release state does not allow this'],
  GUARD_HIT: [422, 'Change hits a guard'],
  BASE_MOVED: [409, 'Current release has changed'],
  PLAN_MOVED: [409, 'Plan has changed'],
  ROLLBACK_IMPOSSIBLE: [409, 'Rollback is not possible'],
  CLIENT_UNKNOWN: [404, 'Client not found'],
  CLIENTS_TOO_MANY: [409, 'Too many clients'],
  TOKEN_UNKNOWN: [404, 'Token not found'],
  ORGANISATION_UNKNOWN: [404, 'Organisation not found'],
  ORGANISATIONS_TOO_MANY: [409, 'Too many organisations'],
  ORGANISATION_IN_USE: [409, 'Organisation has members'],
  ORGANISATION_SUSPENDED: [403, 'Organisation is suspended'],
  AUTHORITY_TAKEN: [409, 'Authority belongs to another organisation'],
  AUTHORITY_FOREIGN: [403, 'Belongs to another authority'],
  AUTHORITY_MISSING: [403, 'Organisation has no authority'],
  LIST_KEY_STATE: [409, 'List key does not allow this'],
  CAMPAIGN_UNKNOWN: [404, 'Campaign not found'],
  CAMPAIGN_STATE: [409, 'State of the campaign does not allow this'],
  CAMPAIGNS_FULL: [409, 'Too many campaigns are confirmed'],
  IDEMPOTENCY_CONFLICT: [409, 'Idempotency-Key was used for another request'],
  BUDGET_EXCEEDED: [429, 'Budget exceeded'],
  STORAGE_FULL: [507, 'Storage is full'],
  CHECKPOINT_UNKNOWN: [404, 'No checkpoint yet'],
  PRECONDITION_FAILED: [412, 'Precondition failed'],
  PROPOSAL_UNKNOWN: [404, 'Proposal not found'],
  PROPOSAL_DECIDED: [409, 'Proposal is already decided'],
  PROPOSAL_CHANGED: [409, 'Proposal differs from the one you reviewed'],
  PROPOSAL_OUTDATED: [409, 'Proposal no longer fits the current state'],
  PROPOSALS_TOO_MANY: [409, 'Too many pending proposals'],
  APPROVAL_IMPOSSIBLE: [409, 'Nobody could approve this'],
  APPROVER_REFUSED: [403, 'You may not decide on this proposal'],
  REGISTRATION_UNKNOWN: [404, 'Registration not found'],
  REGISTRATION_INVALID: [422, 'Registration is invalid'],
  REGISTRATIONS_INVALID: [422, 'Lines of the upload are invalid'],
  CSV_INVALID: [400, 'CSV is invalid'],
  REGISTRATION_STATE: [409, 'State of the registration does not allow this'],
  REGISTRATION_CLAIMED: [409, 'Another reviewer has claimed this registration'],
  REGISTRATIONS_TOO_MANY: [409, 'Too many registrations'],
  SENDER_CODE_TAKEN: [409, 'Sender code belongs to another organisation'],
  QUALIFICATION_UNKNOWN: [404, 'Qualification not found'],
  QUALIFICATION_STATE: [409, 'Qualification cannot move to this state'],
  QUALIFICATION_OWN: [403, 'You may not set the qualification of your own organisation'],
  REVIEW_OWN: [403, 'You may not decide on a registration of your own organisation'],
  ISSUER_UNKNOWN: [404, 'Issuer not found'],
  ISSUER_TAKEN: [409, 'Belongs to another issuer'],
  ISSUER_IN_USE: [409, 'Issuer has certificates'],
  ISSUERS_TOO_MANY: [409, 'Too many issuers'],
  CERTIFICATE_UNKNOWN: [404, 'Certificate not found'],
  CERTIFICATE_INVALID: [422, 'Certificate is invalid'],
  CERTIFICATE_NOT_YET_VALID: [422, 'Certificate is not valid yet'],
  CERTIFICATE_EXPIRED: [422, 'Certificate has expired'],
  CERTIFICATE_MISMATCH: [422, "Certificate names numbers that are not its issuer's"],
  CERTIFICATE_REVOKED: [422, 'Certificate is revoked'],
  CERTIFICATE_SUSPENDED: [422, 'Certificate is suspended'],
  CERTIFICATE_TAKEN: [409, 'Certificate belongs to another organisation'],
  CERTIFICATE_REGISTERED: [409, 'Certificate is already registered'],
  PROOF_INVALID: [422, 'Proof of possession is invalid'],
  CREDENTIALS_TOO_MANY: [409, 'Too many credentials'],
  STATUS_LIST_INVALID: [422, 'Status list is invalid'],
  STATUS_LIST_EXPIRED: [422, 'Status list has expired'],
  STATUS_LIST_TOO_LARGE: [422, 'Status list is too large'],
  STATUS_LIST_OLD: [409, 'Status list is older than the known one'],
  STATUS_LIST_UNAVAILABLE: [503, 'Status list cannot be read'],
  STATUS_LISTS_TOO_MANY: [409, 'Too many status lists'],
  DELEGATION_UNKNOWN: [404, 'Delegation not found'],
  DELEGATION_STATE: [409, 'State of the delegation does not allow this'],
  DELEGATION_INVALID: [422, 'Delegation is invalid'],
  DELEGATION_EXPIRED: [422, 'Delegation has expired'],
  DELEGATION_MISMATCH: [422, 'Delegation permits more than its principal has'],
  DELEGATION_LOOP: [422, 'Organisation is already in the chain'],
  DELEGATION_TOO_LONG: [422, 'Chain of delegations is too long'],
  PASSPORT_ROOT_INVALID: [422, 'Root certificate is invalid'],
  PASSPORT_ROOT_UNKNOWN: [404, 'Root certificate not found'],
  PASSPORT_CERTIFICATE_UNKNOWN: [404, 'Certificate of PASSporTs not found'],
  PASSPORT_HOST_UNKNOWN: [422, 'No root is trusted for this host'],
  PASSPORT_URL_TAKEN: [409, 'Another certificate has this URL'],
  PASSPORT_TOO_MANY: [409, 'Too many roots or certificates of PASSporTs'],
  RULE_UNKNOWN: [404, 'Rule not found'],
  RULES_TOO_MANY: [409, 'Too many rules'],
  REPORT_TOO_OLD: [422, 'Report is too old'],
  REPORT_IN_FUTURE: [422, 'Report is in the future'],
  REPORT_KIND_NOT_ALLOWED: [422, 'Partner may not report this kind'],
  REPORT_CONFLICT: [409, 'Report ID was used for another report'],
  NUMBER_AMBIGUOUS: [422, 'Number can mean several numbers'],
  NUMBER_FORMAT_INVALID: [422, 'Number cannot exist'],
  NUMBER_IS_TEST: [422, 'Number is a test number'],
  NUMBER_NOT_TEST: [422, 'Number is not a test number'],
  RULE_BLOCK_UNKNOWN: [404, 'Rule block not found'],
  RULE_BLOCK_STATE: [409, 'State of the rule block does not allow this'],
  RULE_BLOCK_OWN: [403, 'You may not confirm what only your organisation has reported'],
  RULE_BLOCK_REFUSED: [422, 'The block cannot be set'],
  PARTNER_UNKNOWN: [404, 'Partner not found'],
  REPORT_KEY_LOST: [503, 'The key of reports is lost'],
  FEED_KEY_MISSING: [403, 'Client has no key for the feed'],
  CURSOR_INVALID: [400, 'Cursor is invalid'],
  CURSOR_FOREIGN: [400, 'Cursor belongs to another feed'],
  CURSOR_AHEAD: [400, 'Cursor is ahead of the feed'],
  CURSOR_GONE: [410, 'Cursor is older than what is kept'],
  FEED_EPOCH_UNKNOWN: [404, 'Epoch not found'],
  NOTICE_UNKNOWN: [404, 'Notice not found'],
  NOTICE_UNANSWERABLE: [409, 'Notice cannot be answered'],
  NOTICE_ANSWERED: [409, 'Notice was answered'],
  WEBHOOK_UNKNOWN: [404, 'Webhook not found'],
  WEBHOOK_KNOWN: [409, 'Webhook already exists'],
  WEBHOOK_STATE: [409, 'State of the webhook does not allow this'],
  WEBHOOKS_TOO_MANY: [409, 'Too many webhooks'],
  WEBHOOK_URL_INVALID: [422, 'URL of the webhook is invalid'],
  WEBHOOK_URL_INSECURE: [422, 'URL of the webhook is not https'],
  WEBHOOK_URL_ADDRESS: [422, 'URL of the webhook has a literal address'],
  WEBHOOK_HOST_PRIVATE: [422, 'Host of the webhook is not public'],
  WEBHOOK_HOST_NOT_ALLOWED: [422, 'Host of the webhook is not allowed'],
  APPEALS_TOO_MANY: [429, 'Too many appeals'],
  APPEAL_UNKNOWN: [404, 'Appeal not found'],
  MONTH_UNKNOWN: [404, 'Month has no statistics'],
  MONTH_NOT_OVER: [409, 'Month is not closed yet'],
  MONTH_FINAL: [409, 'Month can no longer be corrected'],
  VERSION_UNKNOWN: [404, 'Version not found'],
  TABLE_UNKNOWN: [404, 'Table not found'],
  APPEAL_CLAIMED: [409, 'Another admin has claimed this appeal'],
  APPEAL_DECIDED: [409, 'Appeal is already decided'],
  EVIDENCE_TOO_LARGE: [422, 'Evidence file would be too large'],
} as const satisfies Record<string, readonly [number, string]>;
export type AdminProblemCode = keyof typeof ADMIN_PROBLEMS;
