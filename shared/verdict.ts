/**
 * The words of an answer: verdicts, effects, subjects, codes and reasons, and which is stronger.
 * Codes are stable for ever, and new ones come at the end (a test number has the place of its code); clients
 * act on the verdict and show the code.
 */

/** Weakest first: the verdict of a request is the strongest of its subjects. */
export const VERDICTS = ['allow', 'label', 'indeterminate', 'block'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What being on a list does. `shadow` only reports; `allow` overrides every block of the lists. */
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
] as const;
export type Code = (typeof CODES)[number];

/** Codes that the service finds by itself, or that let a number through. */
const OTHER_CODES: readonly Code[] = [
  'ALLOW_OVERRIDE',
  'EMERGENCY_NEVER_BLOCKED',
  'LIST_STALE',
  'LIST_UNAVAILABLE',
  'TEST_NUMBER',
  'NUMBER_AMBIGUOUS',
];
/** Codes that a list, an entry or a rule can have against a number. */
export const AGAINST_CODES = CODES.filter((code) => !OTHER_CODES.includes(code));

/** How a reason was found. */
export const MATCHES = [
  'exact',
  'range',
  'source',
  'operator',
  'trunk',
  'smsc',
  'rule',
  'data',
  'test',
] as const;
export type Match = (typeof MATCHES)[number];

export interface Reason {
  readonly subject: Subject;
  readonly code: Code;
  /** Name of the list, or of the rule. */
  readonly list: string | null;
  readonly match: Match;
  readonly effect: Effect | 'indeterminate';
  readonly authority: string | null;
  /** RFC 3339 time at which the entry ends, or null. */
  readonly until: string | null;
  /** What to do about it, for codes that need it. */
  readonly detail?: string;
}

/** Position in the order of strength. */
export function strength(verdict: Verdict): number {
  return VERDICTS.indexOf(verdict);
}
