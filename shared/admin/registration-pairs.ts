/**
 * The registered senders of all organisations, page by page, for a build.
 */
import * as v from 'valibot';
import { CURSOR_CHARS_MAX, REGISTRATION_PAIRS_PAGE_MAX } from '../limits/registrations.ts';

/** `POST /v1/admin/registrations/pairs`: a lookup. It uses POST because the cursor contains a number. */
export const pairsSchema = v.strictObject({
  /** `next` of the previous page; null for the first page. */
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
  /** Whether the numbers belong to the client's own organisation. */
  readonly own: boolean;
}

export interface PairsPage {
  /**
   * The registry's last change before it read the page. A build records the version of its first page: its pages
   * contain all changes up to that version, and possibly later ones.
   */
  readonly version: number;
  readonly pairs: readonly PairInfo[];
  readonly next: string | null;
}
