/**
 * The registered senders of all organisations, page by page, for a build.
 */
import * as v from 'valibot';
import { CURSOR_CHARS_MAX, REGISTRATION_PAIRS_PAGE_MAX } from '../limits/registrations.ts';

/** `POST /v1/admin/registrations/pairs`. A lookup, but with POST: the cursor contains a number. */
export const pairsSchema = v.strictObject({
  /** `next` of the page before; null for the first. */
  after: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(CURSOR_CHARS_MAX))), null),
  limit: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(REGISTRATION_PAIRS_PAGE_MAX)),
    REGISTRATION_PAIRS_PAGE_MAX,
  ),
});

/** Numbers of a client that are registered and in force. */
export interface PairInfo {
  /** `<organisation>/<client>` */
  readonly client: string;
  /** First and last number, E.164 integers, both inclusive. */
  readonly from: number;
  readonly to: number;
  /** Whether the number belongs to the organisation of the client itself. */
  readonly own: boolean;
}

export interface PairsPage {
  /**
   * The last change that the registry had before it read the page. A build takes that of its first page: all changes
   * up to it are in the pages, and later ones may be.
   */
  readonly version: number;
  readonly pairs: readonly PairInfo[];
  readonly next: string | null;
}
