/** The cost of a lookup in the changes to registered senders since the release, if one client has all of them. */

import { REGISTRATION_SEGMENT_ROWS_MAX } from '../../shared/limits/registrations.ts';
import { SUFFIX_COUNT } from '../../shared/numbers/number.ts';
import { RegistrationOverlay } from '../../shared/senders/registration-overlay.ts';
import { encodeRegistrationSegment, RegistrationSegment } from '../../shared/senders/registration-segment.ts';
import type { BenchOptions } from '../lib/options.ts';
import { PREFIX, randomFrom, randomPlaces } from '../lib/random-lists.ts';
import { type Row, row, withCommas } from '../lib/table.ts';

const CHANGES = [375_000, 1_000_000];
const CHANGES_SMALL = [20_000];
const CLIENT = 'default/client-0';
const LOOKUPS = 20_000;
const ROUNDS = 25;
const ROUNDS_SMALL = 3;

export function registrationChanges({ small, seed }: BenchOptions): Row[] {
  return (small ? CHANGES_SMALL : CHANGES).map((count) =>
    changesRow(count, small ? ROUNDS_SMALL : ROUNDS, seed),
  );
}

function changesRow(count: number, rounds: number, seed: number): Row {
  const random = randomFrom(seed);
  // In random order, so that each segment has numbers of the whole range.
  const numbers = Array.from(randomPlaces(count, seed, 1), (place) => PREFIX * SUFFIX_COUNT + place);
  const segments: RegistrationSegment[] = [];
  for (let first = 0; first < count; first += REGISTRATION_SEGMENT_ROWS_MAX) {
    const rows = numbers.slice(first, first + REGISTRATION_SEGMENT_ROWS_MAX).map((n, index) => {
      return { client: CLIENT, from: n, to: n, op: 'add' as const, version: first + index + 1 };
    });
    segments.push(new RegistrationSegment(encodeRegistrationSegment(rows)));
  }
  const overlay = new RegistrationOverlay(
    0,
    segments,
    new RegistrationSegment(encodeRegistrationSegment([])),
  );
  // Half of the looked-up numbers have a change.
  const looked = Float64Array.from({ length: LOOKUPS }, (_, index) =>
    index % 2 === 0 ? numbers[random() % count]! : PREFIX * SUFFIX_COUNT + (random() % SUFFIX_COUNT),
  );
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    let found = 0;
    for (const n of looked) if (overlay.find(n, CLIENT, 0) !== null) found++;
    if (found < LOOKUPS / 2) throw new Error(`${found} changes found`);
    return performance.now() - start;
  });
  const name = `a look-up among ${withCommas(count)} changes of one client`;
  return row(name, (Math.min(...times) / LOOKUPS) * 1e6, 'ns', `${segments.length} segments`);
}
