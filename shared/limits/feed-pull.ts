/** Limits of a consumer of the feed that keeps its entries: `numgate feed pull`. */

/** Entries that a pull keeps. A pull with 1,000,000 takes up to 550 MB of memory. */
export const PULLED_ENTRIES_MAX = 2_000_000;
/** Campaigns in force that a pull keeps, with room for as many revoked ones; and hosts of lists. */
export const PULLED_CAMPAIGNS_MAX = 50_000;
export const PULLED_HOSTS_MAX = 200_000;
/** Combinations of subject, effect, code, authority, rule and stage among the entries. */
export const PULLED_KINDS_MAX = 4_096;
/** Default of `--lists-max`. A release has 32 lists, so 8 are left for others. */
export const PULLED_LISTS_MAX = 24;
/** Longest response with one page of events, in bytes: 256 events of some 2 KB. */
export const PULLED_PAGE_BYTES_MAX = 4_194_304;
/** Longest line of a snapshot, in characters: a piece of 500 entries is some 170 KB. */
export const PULLED_LINE_CHARS_MAX = 1_048_576;
/** Largest age of the current checkpoint, in ms. Services sign one for each request, but clocks may differ. */
export const PULLED_CHECKPOINT_AGE_MS_MAX = 900_000;
/** Longest signed note that a pull reads, in bytes. */
export const PULLED_NOTE_BYTES_MAX = 16_384;
