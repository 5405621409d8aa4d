/**
 * The result of parsing a written sender or recipient: see `parse.ts`.
 */

/** Why a text is not a party. */
export type ParseError = 'NUMBER_MISSING' | 'NUMBER_TOO_LONG' | 'NUMBER_CHARACTER';

/** One sender or recipient. */
export type Party =
  | NumberParty
  /** 3 to 5 digits that begin with 1, written without plus or 0: 112, 1335, 10114. */
  | { readonly kind: 'shortCode'; readonly code: string }
  /** 7 or 8 digits without area code: 2123-4567 exists in several areas, or is 02-123-4567 without its 0. */
  | { readonly kind: 'localNumber'; readonly digits: string }
  /** An alphanumeric sender ID, trimmed: its letters do more than decorate a number. */
  | { readonly kind: 'source'; readonly text: string };

export interface NumberParty {
  readonly kind: 'number';
  /** E.164 digits as an integer; not always a valid number (`isValidNumber`). */
  readonly n: number;
  /** The Korean carrier prefix, or `00`, before the number: evidence that the traffic came from abroad. */
  readonly carrierPrefix: string | null;
}

export type ParsedParty =
  | Party
  /** At least two numbers that the text can mean. */
  | { readonly kind: 'ambiguous'; readonly readings: readonly NumberParty[] }
  | { readonly kind: 'invalid'; readonly code: ParseError };
