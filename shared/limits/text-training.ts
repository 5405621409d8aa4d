/**
 * Limits of training: the data that `numgate text train` reads and keeps in memory.
 */

/** Texts of all files, and their characters. A character takes some 50 bytes during training: under 1 GiB in total. */
export const TRAINING_TEXTS_MAX = 250_000;
export const TRAINING_CHARS_MAX = 12_000_000;
/** A row of an input, in bytes: 2,000 escaped characters in JSON take 12,000. */
export const TRAINING_ROW_BYTES_MAX = 16_384;
/** Wrong rows that an error lists. */
export const TRAINING_PROBLEMS_SHOWN = 20;
/** Domains of legitimate text. */
export const TEXT_DOMAINS_MAX = 32;
/** Folds of a cross-validation. */
export const FOLDS_MIN = 2;
export const FOLDS_MAX = 20;
/** Fewest texts of each label for training. With fewer, no figure means anything. */
export const TRAINING_LABEL_MIN = 50;
/**
 * A rate can be measured if the sample should contain at least this many events. With no event among n, the rate is below
 * 3/n with 95 % confidence (the "rule of three", Hanley and Lippman-Hand 1983).
 */
export const RATE_EVENTS_MIN = 3;
