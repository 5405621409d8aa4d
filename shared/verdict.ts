/**
 * Vocabulary of a decision: verdicts and their strength, effects, subjects, codes and reasons.
 * Codes never change. Append new codes at the end, because a test number encodes the position of its code. Clients
 * act on the verdict and display the code.
 */

/** Weakest first. The strongest verdict among the subjects is the verdict of the request. */
export const VERDICTS = ['allow', 'label', 'indeterminate', 'block'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What a list does to its members. `shadow` only reports; `allow` overrides every block, even a live one. */
export const EFFECTS = ['allow', 'block', 'label', 'shadow'] as const;
export type Effect = (typeof EFFECTS)[number];

export const SUBJECTS = ['from', 'to'] as const;
export type Subject = (typeof SUBJECTS)[number];

export const CODES = [
  'NUMBER_FORMAT_INVALID',
  'NUMBER_UNALLOCATED',
  'NUMBER_SUSPENDED',
  'NUMBER_TERMINATED',
  'SENDER_FORMAT_RULE',
  'SENDER_NOT_REGISTERED',
  'SENDER_IDENTITY_OPTOUT',
  'SENDER_REPORTED',
  'SENDER_UNQUALIFIED',
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_REVOKED',
  'CERTIFICATE_MISMATCH',
  'DOMESTIC_CLI_FROM_ABROAD',
  'MOBILE_CLI_NOT_ROAMING',
  'MOBILE_CLI_ROAMING_UNVERIFIED',
  'OVERSEAS_NUMBER_LISTED',
  'OVERSEAS_RANGE_LISTED',
  'OVERSEAS_SOURCE_LISTED',
  'SUBSCRIBER_DNO',
  'ALLOW_OVERRIDE',
  'EMERGENCY_NEVER_BLOCKED',
  'LIST_STALE',
  'LIST_UNAVAILABLE',
  'TEST_NUMBER',
  'OVERSEAS_ORIGIN',
  'NUMBER_AMBIGUOUS',
  'CERTIFICATE_INVALID',
  'CERTIFICATE_NOT_YET_VALID',
  'CERTIFICATE_SUSPENDED',
  'DELEGATION_MISSING',
  'DELEGATION_EXPIRED',
  'DELEGATION_REVOKED',
  'DELEGATION_SUSPENDED',
  'SENDER_SUSPENDED',
  'SENDER_RATE_REDUCED',
  'TOKEN_MISSING',
  'TOKEN_INVALID',
  'TOKEN_EXPIRED',
  'TOKEN_AUDIENCE',
  'TEXT_HOST_LISTED',
  'TEXT_CAMPAIGN',
  'TEXT_SUSPICIOUS',
] as const;
export type Code = (typeof CODES)[number];

/** Codes that the service produces itself, and codes that let a number pass. */
const OTHER_CODES: readonly Code[] = [
  'ALLOW_OVERRIDE',
  'EMERGENCY_NEVER_BLOCKED',
  'LIST_STALE',
  'LIST_UNAVAILABLE',
  'TEST_NUMBER',
  'NUMBER_AMBIGUOUS',
];
/** Codes that a list, an entry or a rule can use against a number. */
export const AGAINST_CODES = CODES.filter((code) => !OTHER_CODES.includes(code));

/** Stages of a rule block. A provisional block ends unless it is confirmed. */
export const BLOCK_STAGES = ['provisional', 'confirmed'] as const;
export type BlockStage = (typeof BLOCK_STAGES)[number];

/** The rule and the stage that a rule block shows. */
export interface RuleMark {
  /** ID and version of the rule: `kr-50@3`. */
  readonly rule: string;
  readonly stage: BlockStage;
}

const UNMARKED: Partial<RuleMark> = {};

/** Returns the rule and the stage of a rule block, or an empty object for anything else. */
export function markOf({ rule, stage }: Partial<RuleMark>): Partial<RuleMark> {
  return rule === undefined || stage === undefined ? UNMARKED : { rule, stage };
}

/** How a reason was found. */
export type Match =
  | 'exact'
  | 'range'
  | 'source'
  | 'operator'
  | 'trunk'
  | 'smsc'
  | 'rule'
  | 'data'
  | 'test'
  | 'host'
  | 'campaign'
  | 'model';

export interface Reason extends Partial<RuleMark> {
  readonly subject: Subject;
  readonly code: Code;
  /** Name of the list or rule. */
  readonly list: string | null;
  readonly match: Match;
  readonly effect: Effect | 'indeterminate';
  readonly authority: string | null;
  /** RFC 3339 time at which the entry expires; null if it does not expire. */
  readonly until: string | null;
  /** What to do about the reason, for codes that need action. */
  readonly detail?: string;
  /** For SENDER_RATE_REDUCED, if known: the share of its usual rate at which the sender may send. */
  readonly factor?: number;
  /** The reference for `/v1/appeals`: for a block of a number or sender ID by a list, a live entry or a campaign. */
  readonly appeal?: string;
}

/** Returns the rank of a verdict. A higher rank is stronger. */
export function strength(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}
