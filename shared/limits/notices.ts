/** Bounds of notices and webhooks. */

/** Notices in one batch from a sender. */
export const NOTICE_BATCH_MAX = 256;
/** The data of one notice, as JSON in UTF-8. */
export const NOTICE_DATA_BYTES_MAX = 8_192;
export const NOTICE_KEY_CHARS_MAX = 200;
export const NOTICE_SUBJECT_CHARS_MAX = 200;
/** Notices are kept as long as this, whether they were delivered or not. */
export const NOTICE_KEPT_MS = 90 * 86_400_000;
/** Notices of one organisation that are kept. Beyond, the oldest go that no webhook waits for. */
export const NOTICES_MAX = 100_000;
/** Notices in one answer. */
export const NOTICES_PAGE_MAX = 200;
/** Subjects in one query for evidence. */
export const NOTICE_SUBJECTS_MAX = 50;

/** Subscribers that one answer to guidance may say were informed. */
export const INFORMED_MAX = 100_000_000;
export const ACKNOWLEDGEMENT_NOTE_CHARS_MAX = 500;
/** An answer can be corrected as long as this after the first one. */
export const ACKNOWLEDGEMENT_CORRECTED_MS = 86_400_000;
