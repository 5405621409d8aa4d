/**
 * What a verdict must be, as data: by the lists that a number is on, whole data, data missing, data old.
 * A verdict is followed by the codes of its reasons, the deciding one first.
 */
import type { Place, releases } from './screen-world.ts';

/** The order of precedence. */
export const PRECEDENCE: readonly [Place[], string][] = [
  [[], 'allow'],
  [['blockExact'], 'block NUMBER_SUSPENDED'],
  [['blockRange'], 'block NUMBER_UNALLOCATED'],
  [['labelExact'], 'label SENDER_REPORTED'],
  [['labelRange'], 'label OVERSEAS_RANGE_LISTED'],
  [['shadowExact'], 'allow SUBSCRIBER_DNO'],
  [['allowExact'], 'allow ALLOW_OVERRIDE'],
  [['allowRange'], 'allow ALLOW_OVERRIDE'],
  [['blockExact', 'blockRange'], 'block NUMBER_SUSPENDED NUMBER_UNALLOCATED'],
  [['allowExact', 'blockExact'], 'allow ALLOW_OVERRIDE NUMBER_SUSPENDED'],
  [['allowExact', 'blockRange'], 'allow ALLOW_OVERRIDE NUMBER_UNALLOCATED'],
  [['allowRange', 'blockExact'], 'allow ALLOW_OVERRIDE NUMBER_SUSPENDED'],
  [['allowRange', 'blockRange'], 'allow ALLOW_OVERRIDE NUMBER_UNALLOCATED'],
  [['allowRange', 'labelExact'], 'allow ALLOW_OVERRIDE SENDER_REPORTED'],
  [
    ['allowExact', 'allowRange', 'blockExact', 'blockRange'],
    'allow ALLOW_OVERRIDE NUMBER_SUSPENDED NUMBER_UNALLOCATED ALLOW_OVERRIDE',
  ],
  [['labelExact', 'labelRange'], 'label SENDER_REPORTED OVERSEAS_RANGE_LISTED'],
  [['blockRange', 'labelExact'], 'block NUMBER_UNALLOCATED SENDER_REPORTED'],
  [['blockExact', 'shadowExact'], 'block NUMBER_SUSPENDED SUBSCRIBER_DNO'],
  [['labelRange', 'shadowExact'], 'label OVERSEAS_RANGE_LISTED SUBSCRIBER_DNO'],
  [['allowExact', 'shadowExact'], 'allow ALLOW_OVERRIDE SUBSCRIBER_DNO'],
];

/** With part of the data not loaded. */
export const MISSING: readonly [keyof typeof releases, Place[], string][] = [
  ['none', [], 'indeterminate LIST_UNAVAILABLE'],
  ['withoutShards', [], 'indeterminate LIST_UNAVAILABLE'],
  ['withoutShards', ['blockExact'], 'indeterminate LIST_UNAVAILABLE'],
  ['withoutShards', ['blockRange'], 'indeterminate LIST_UNAVAILABLE NUMBER_UNALLOCATED'],
  ['withoutShards', ['labelRange'], 'indeterminate LIST_UNAVAILABLE OVERSEAS_RANGE_LISTED'],
  ['withoutShards', ['allowRange'], 'allow ALLOW_OVERRIDE LIST_UNAVAILABLE'],
  ['withoutRanges', [], 'indeterminate LIST_UNAVAILABLE'],
  ['withoutRanges', ['blockExact'], 'indeterminate LIST_UNAVAILABLE NUMBER_SUSPENDED'],
  ['withoutRanges', ['shadowExact'], 'indeterminate LIST_UNAVAILABLE SUBSCRIBER_DNO'],
  ['withoutRanges', ['allowExact'], 'allow ALLOW_OVERRIDE LIST_UNAVAILABLE'],
];

/** With data older than the client bears. */
export const OLD: readonly [Place[], string][] = [
  [[], 'indeterminate LIST_STALE'],
  [['blockExact'], 'block NUMBER_SUSPENDED LIST_STALE'],
  [['blockRange'], 'block NUMBER_UNALLOCATED LIST_STALE'],
  [['labelExact'], 'indeterminate LIST_STALE SENDER_REPORTED'],
  [['shadowExact'], 'indeterminate LIST_STALE SUBSCRIBER_DNO'],
  [['allowExact'], 'indeterminate LIST_STALE ALLOW_OVERRIDE'],
];
