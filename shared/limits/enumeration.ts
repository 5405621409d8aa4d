/**
 * Limits of the detection of enumeration: what an isolate and the object of an organisation keep.
 */

/** Places for blocks in the sketch of one client in an isolate, and at first. 16 bytes each: at most 128 KiB. */
export const SKETCH_PLACES_MAX = 8_192;
export const SKETCH_PLACES_MIN = 256;
/** The same in the merged sketch of an organisation: all 10,000 blocks of one prefix fit without sampling. */
export const MERGED_PLACES_MAX = 16_384;
/** Share of the places that may be in use. */
export const SKETCH_FILLED_SHARE = 0.75;
/** The rules are applied again when the sketch of an organisation has grown by this factor. */
export const SKETCH_GROWTH = 1.1;
