/**
 * Limits of the detection of enumeration, in an isolate and in the object of an organisation.
 */

/**
 * Most and initial places for blocks in the sketch of one client in an isolate. 16 bytes each: at most 128 KiB, besides
 * 4 KiB for the senders and recipients that wait to be processed together.
 */
export const SKETCH_PLACES_MAX = 8_192;
export const SKETCH_PLACES_MIN = 256;
/** Most places in the merged sketch of an organisation: all 10,000 blocks of one prefix fit without sampling. */
export const MERGED_PLACES_MAX = 16_384;
/** Share of the places that may be in use. */
export const SKETCH_FILLED_SHARE = 0.75;
/** Quota of a throttled client, in numbers per minute. Allows single checks, but no reading out of ranges. */
export const THROTTLED_NUMBERS = 60;
/** Largest declared volume of an organisation, in numbers a day. */
export const DECLARED_NUMBERS_MAX = 10_000_000_000;
/** Days of the longer of the two windows. Scans that take longer than this for a block are not found. */
export const ENUMERATION_WINDOW_DAYS = 30;
/** How long an object uses the organisation's settings that it read from the coordinator, in ms. */
export const ENUMERATION_SETTINGS_MS = 3_600_000;
/** Time between writes of an organisation's sketches, in ms. Later counts are lost if the object ends. */
export const SKETCH_STORED_MS = 30_000;
/** Days for which the coordinator lists detections. The audit log keeps them too. */
export const DETECTIONS_KEPT_DAYS = 90;
/** Detections in one response, newest first. */
export const DETECTIONS_SHOWN_MAX = 100;
/** Canary numbers. Every head contains them, at some 13 bytes each. */
export const CANARY_NUMBERS_MAX = 1_000;
/** The rules are applied again when the sketch of an organisation has grown by this factor. */
export const SKETCH_GROWTH = 1.1;
