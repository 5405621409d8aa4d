/** Korean mobile numbers that a subscriber can have: 010-0001-0000 to 010-9999-9999. The plan leaves 010-0000 unused. */
export const MOBILE_FIRST = 82_10_0001_0000;
export const MOBILE_LAST = 82_10_9999_9999;
