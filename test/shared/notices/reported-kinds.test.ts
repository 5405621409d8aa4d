/** Small counts are never given to a sender, whatever the other counts are. */
import { expect, it } from 'vitest';
import { REPORTED_COUNT_MIN } from '../../../shared/limits/notice-sources.ts';
import { reportedKinds } from '../../../shared/notices/reported-kinds.ts';

it('a kind with fewer than three reports has no count, and there is no total', () => {
  expect(
    reportedKinds(
      new Map([
        ['loan', 12],
        ['adult', 2],
        ['phishing', 1],
        ['other', 3],
      ] as const),
    ),
  ).toEqual([
    { kind: 'loan', reports: 12 },
    { kind: 'adult', fewerThan: REPORTED_COUNT_MIN },
    { kind: 'phishing', fewerThan: REPORTED_COUNT_MIN },
    { kind: 'other', reports: 3 },
  ]);
});
