/**
 * Limits of evidence files: everything about one sender in a period, signed. Making a file reads many objects, so these
 * limits bound the cost of a request.
 */

/** Longest period, in days. */
export const EVIDENCE_PERIOD_DAYS_MAX = 400;
/** Cost of a file, in entries that a token may change per hour: allows 100 files an hour. */
export const EVIDENCE_COST_ENTRIES = 2_500;
/** Registered numbers of an organisation. An organisation with more needs a file for each of its numbers. */
export const EVIDENCE_NUMBERS_MAX = 100;
/** Organisations that have registered the number, or had. */
export const EVIDENCE_ORGANISATIONS_MAX = 20;
/** Organisations whose notices are read: those that registered the number, and operators. */
export const EVIDENCE_RECEIVERS_MAX = 64;
/** Records of the audit log, and of each other chain. Each has a proof of some 1 KB. */
export const EVIDENCE_RECORDS_MAX = 5_000;
/** Records of the audit log that one call to the coordinator scans, in a few milliseconds. */
export const EVIDENCE_SCANNED_AT_ONCE = 10_000;
/** Calls that scan, for one file: 20 million records of the period. */
export const EVIDENCE_SCANS_MAX = 2_000;
/** Records that one call to the coordinator proves. */
export const EVIDENCE_PROVEN_AT_ONCE = 250;
/** Records that are looked up by time: of rules, of entries in force, of a release. */
export const EVIDENCE_LOOKED_UP_MAX = 500;
/** Registrations, certificates, delegations, rule blocks, appeals and notices in a file, of each kind. */
export const EVIDENCE_ITEMS_MAX = 2_000;
/** Earlier checkpoints that a file names: the newest ones. Anyone who kept one of them can compare it. */
export const EVIDENCE_CHECKPOINTS_MAX = 32;
/** Objects that are read at the same time. */
export const EVIDENCE_READS_AT_ONCE = 6;
/** How long one read of an object may take, in ms. */
export const EVIDENCE_READ_WAIT_MS = 20_000;

/** All parts together, in bytes. Nothing longer is made or unpacked. */
export const EVIDENCE_BYTES_MAX = 33_554_432;
/** The archive, in bytes: the uncompressed parts, and their names. */
export const EVIDENCE_ARCHIVE_BYTES_MAX = EVIDENCE_BYTES_MAX + 1_048_576;
/** Files in an archive. */
export const EVIDENCE_PARTS_MAX = 64;
/** Keys of a JWK set that is passed to a verifier. */
export const EVIDENCE_KEYS_MAX = 64;

/** How long counts of a subject's reports by day are kept, in days. */
export const REPORT_DAYS_KEPT = 400;
/** Rows of these counts that one call removes. The next call follows at once. */
export const REPORT_DAYS_REMOVED_AT_ONCE = 5_000;

/** Records that one anchor of another chain covers. A proof recomputes their tree, which takes 33 to 81 ms of a busy core. */
export const ANCHOR_RECORDS_MAX = 2_048;
/** Time between two anchors of a chain that has more records than one anchor covers, in ms: 40,000 records a minute. */
export const ANCHOR_BACKLOG_MS = 3_000;
/** Records of each chain over which the proofs of one file may recompute trees: at least 64 anchors. */
export const EVIDENCE_LEAVES_MAX = 131_072;
