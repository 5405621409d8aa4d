/**
 * Compares the rate of suspicious texts under a candidate with the rate under the release in force. Only some data centres
 * use the candidate, and texts of different clients differ more than any two models. So each client is compared with
 * itself: the expected rate applies each client's own rate under the release in force to its texts under the candidate.
 *
 * The candidate's rate has jumped if it exceeds the expected rate by the factor TEXT_CANARY_RATE_FACTOR, and the Wilson
 * intervals of both (Wilson 1927) lie apart. The comparison is repeated every minute, so the intervals are wide: 4 standard
 * deviations. The rate must also jump without the client that raises it most. Otherwise one client, with one campaign in
 * the right data centre, could have every canary withdrawn.
 */
import { TEXT_CANARY_BASE_MIN, TEXT_CANARY_RATE_FACTOR, TEXT_CANARY_TEXTS_MIN } from '../limits/drift.ts';
import { wilson } from '../wilson.ts';

const DEVIATIONS = 4;

export interface Rate {
  readonly texts: number;
  readonly suspicious: number;
}

/** Texts of one client under both releases. */
export interface ClientRates {
  readonly candidate: Rate;
  readonly current: Rate;
}

export interface CanaryComparison {
  /** Clients that could be compared, and their texts under the candidate. */
  readonly clients: number;
  readonly texts: number;
  /** Rates, 0 to 1. */
  readonly rate: number;
  readonly expected: number;
  readonly hasJumped: boolean;
}

/** Compares all clients that have enough texts. Returns null if no client can be compared. */
export function compareCanary(clients: readonly ClientRates[]): CanaryComparison | null {
  const compared = clients.filter(
    ({ candidate, current }) => candidate.texts > 0 && current.texts >= TEXT_CANARY_BASE_MIN,
  );
  if (compared.length === 0) return null;
  const all = sumOf(compared);
  const excess = ({ candidate, current }: ClientRates): number =>
    candidate.suspicious - (candidate.texts * current.suspicious) / current.texts;
  const [, ...others] = compared.toSorted((a, b) => excess(b) - excess(a));
  const hasJumped = isJump(all) && others.length > 0 && isJump(sumOf(others));
  return { clients: compared.length, texts: all.texts, rate: all.rate, expected: all.expected, hasJumped };
}

interface Sum {
  readonly texts: number;
  readonly rate: number;
  readonly expected: number;
  /** Number of texts of a single client that would give the expected rate the same variance. */
  readonly baseTexts: number;
}

function sumOf(clients: readonly ClientRates[]): Sum {
  let [texts, suspicious, expected, variance] = [0, 0, 0, 0];
  for (const { candidate, current } of clients) {
    texts += candidate.texts;
    suspicious += candidate.suspicious;
    expected += (candidate.texts * current.suspicious) / current.texts;
    variance += candidate.texts ** 2 / current.texts;
  }
  return { texts, rate: suspicious / texts, expected: expected / texts, baseTexts: texts ** 2 / variance };
}

function isJump({ texts, rate, expected, baseTexts }: Sum): boolean {
  return (
    texts >= TEXT_CANARY_TEXTS_MIN &&
    rate > TEXT_CANARY_RATE_FACTOR * expected &&
    wilson(rate, texts, DEVIATIONS).low > wilson(expected, baseTexts, DEVIATIONS).high
  );
}
