/**
 * Expected verdicts, as data: by the lists of a number and its live entry, with whole, missing and old data. A
 * verdict is followed by the codes of its reasons, and the deciding code comes first.
 */
import type { LiveOp } from '../../../shared/live/entry.ts';
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
  [['foldedBlock'], 'block CERTIFICATE_REVOKED'],
  [['foldedAllow', 'blockExact'], 'allow ALLOW_OVERRIDE NUMBER_SUSPENDED'],
];

/** With a live entry. The code of a live block is SENDER_UNQUALIFIED. */
export const LIVE: readonly [LiveOp, Place[], string][] = [
  ['block', [], 'block SENDER_UNQUALIFIED'],
  ['block', ['allowExact'], 'allow ALLOW_OVERRIDE SENDER_UNQUALIFIED'],
  ['block', ['allowRange'], 'allow ALLOW_OVERRIDE SENDER_UNQUALIFIED'],
  ['block', ['blockExact'], 'block SENDER_UNQUALIFIED NUMBER_SUSPENDED'],
  ['block', ['blockRange'], 'block SENDER_UNQUALIFIED NUMBER_UNALLOCATED'],
  ['block', ['labelExact'], 'block SENDER_UNQUALIFIED SENDER_REPORTED'],
  ['block', ['labelRange'], 'block SENDER_UNQUALIFIED OVERSEAS_RANGE_LISTED'],
  ['block', ['shadowExact'], 'block SENDER_UNQUALIFIED SUBSCRIBER_DNO'],
  ['block', ['foldedBlock'], 'block SENDER_UNQUALIFIED'],
  ['block', ['foldedAllow'], 'block SENDER_UNQUALIFIED'],
  ['block', ['foldedAllow', 'blockExact'], 'block SENDER_UNQUALIFIED NUMBER_SUSPENDED'],
  ['unblock', [], 'allow ALLOW_OVERRIDE'],
  ['unblock', ['allowExact'], 'allow ALLOW_OVERRIDE ALLOW_OVERRIDE'],
  ['unblock', ['blockExact'], 'allow ALLOW_OVERRIDE NUMBER_SUSPENDED'],
  ['unblock', ['blockRange'], 'allow ALLOW_OVERRIDE NUMBER_UNALLOCATED'],
  ['unblock', ['blockExact', 'blockRange'], 'allow ALLOW_OVERRIDE NUMBER_SUSPENDED NUMBER_UNALLOCATED'],
  ['unblock', ['labelExact'], 'allow ALLOW_OVERRIDE SENDER_REPORTED'],
  ['unblock', ['shadowExact'], 'allow ALLOW_OVERRIDE SUBSCRIBER_DNO'],
  ['unblock', ['foldedBlock'], 'allow ALLOW_OVERRIDE'],
  ['unblock', ['foldedBlock', 'blockExact'], 'allow ALLOW_OVERRIDE NUMBER_SUSPENDED'],
  ['clear', [], 'allow'],
  ['clear', ['allowExact', 'blockExact'], 'allow ALLOW_OVERRIDE NUMBER_SUSPENDED'],
  ['clear', ['blockExact'], 'block NUMBER_SUSPENDED'],
  ['clear', ['blockRange'], 'block NUMBER_UNALLOCATED'],
  ['clear', ['labelExact'], 'label SENDER_REPORTED'],
  ['clear', ['foldedBlock'], 'allow'],
  ['clear', ['foldedAllow', 'blockExact'], 'block NUMBER_SUSPENDED'],
  ['clear', ['foldedBlock', 'labelExact'], 'label SENDER_REPORTED'],
];

/** With part of the data not loaded. */
export const LIVE_MISSING: readonly [keyof typeof releases, LiveOp, Place[], string][] = [
  ['none', 'block', [], 'block SENDER_UNQUALIFIED LIST_UNAVAILABLE'],
  ['none', 'unblock', [], 'allow ALLOW_OVERRIDE LIST_UNAVAILABLE'],
  ['none', 'clear', [], 'indeterminate LIST_UNAVAILABLE'],
  ['withoutShards', 'block', ['blockExact'], 'indeterminate LIST_UNAVAILABLE SENDER_UNQUALIFIED'],
  ['withoutShards', 'block', ['allowRange'], 'allow ALLOW_OVERRIDE SENDER_UNQUALIFIED LIST_UNAVAILABLE'],
  ['withoutShards', 'unblock', ['blockRange'], 'allow ALLOW_OVERRIDE NUMBER_UNALLOCATED LIST_UNAVAILABLE'],
  ['withoutShards', 'clear', ['foldedBlock'], 'indeterminate LIST_UNAVAILABLE'],
  ['withoutRanges', 'block', [], 'indeterminate LIST_UNAVAILABLE SENDER_UNQUALIFIED'],
  ['withoutRanges', 'unblock', ['blockExact'], 'allow ALLOW_OVERRIDE NUMBER_SUSPENDED LIST_UNAVAILABLE'],
];

/** With data older than the client accepts. */
export const LIVE_OLD: readonly [keyof typeof releases, LiveOp, Place[], string][] = [
  ['whole', 'block', [], 'block SENDER_UNQUALIFIED LIST_STALE'],
  ['whole', 'block', ['allowExact'], 'indeterminate LIST_STALE SENDER_UNQUALIFIED ALLOW_OVERRIDE'],
  ['whole', 'unblock', [], 'indeterminate LIST_STALE ALLOW_OVERRIDE'],
  ['whole', 'unblock', ['blockExact'], 'indeterminate LIST_STALE NUMBER_SUSPENDED ALLOW_OVERRIDE'],
  ['whole', 'clear', [], 'indeterminate LIST_STALE'],
  ['whole', 'clear', ['blockExact'], 'block NUMBER_SUSPENDED LIST_STALE'],
  ['none', 'unblock', [], 'indeterminate LIST_STALE LIST_UNAVAILABLE ALLOW_OVERRIDE'],
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

/** With data older than the client accepts. */
export const OLD: readonly [Place[], string][] = [
  [[], 'indeterminate LIST_STALE'],
  [['blockExact'], 'block NUMBER_SUSPENDED LIST_STALE'],
  [['blockRange'], 'block NUMBER_UNALLOCATED LIST_STALE'],
  [['labelExact'], 'indeterminate LIST_STALE SENDER_REPORTED'],
  [['shadowExact'], 'indeterminate LIST_STALE SUBSCRIBER_DNO'],
  [['allowExact'], 'indeterminate LIST_STALE ALLOW_OVERRIDE'],
];
