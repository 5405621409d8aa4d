/**
 * The result of parsing what somebody wrote as a sender or recipient: see `parse.ts`.
 */

/** Why a text is no party. */
export type ParseError = 'NUMBER_MISSING' | 'NUMBER_TOO_LONG' | 'NUMBER_CHARACTER';

/** One sender or recipient. */
export type Party =
  | NumberParty
  /** 3 to 5 digits that begin with 1, written without plus or 0: 112, 1335, 10114. */
  | { readonly kind: 'shortCode'; readonly code: string }
  /** 7 or 8 digits without area code: 2123-4567 exists in several areas, and can be 02-123-4567 without its 0. */
  | { readonly kind: 'localNumber'; readonly digits: string }
  /** An alphanumeric sender ID, trimmed: its letters do more than decorate a number. */
  | { readonly kind: 'source'; readonly text: string };

export interface NumberParty {
  readonly kind: 'number';
  /** E.164 digits as an integer; not always a number that somebody can have (`isValidNumber`). */
  readonly n: number;
  /** The Korean international prefix, or `00`, that stood before it: evidence of overseas ingress. */
  readonly carrierPrefix: string | null;
}

export type ParsedParty =
  | Party
  /** At least two numbers, any of which can be meant. */
  | { readonly kind: 'ambiguous'; readonly readings: readonly NumberParty[] }
  | { readonly kind: 'invalid'; readonly code: ParseError };
