/**
 * Checks for drift, and for a candidate whose rate of suspicious texts has jumped. Such a candidate is withdrawn at once,
 * because it is only on trial, and the release in force stays.
 */
import { type CanaryComparison, type ClientRates, compareCanary } from '../../shared/drift/canary-rate.ts';
import { driftOf, isRepresentative, type ModelDrift } from '../../shared/drift/drift.ts';
import { DRIFT_BASE_DAYS, DRIFT_WAIT_MS, TEXT_DRIFT_PSI_MAX } from '../../shared/limits/drift.ts';
import { koreanDayOf } from '../../shared/time.ts';
import { suspiciousOf, textsOf } from '../../shared/usage/text-counts.ts';
import { warn } from '../log.ts';
import type { TextCanary, TextCanaryState } from '../storage/drift-port.ts';
import { within } from '../storage/single-flight.ts';
import { clientOf, type DriftRows, type SourceCounts } from './drift-rows.ts';

export interface ClientDrift {
  readonly client: string;
  readonly model: string;
  readonly psi: number;
}

/**
 * The clients whose scores have drifted on a day, the largest PSI first.
 * @param counts whether the drift of a model counts; by default, it always does
 */
export function driftingClients(
  rows: DriftRows,
  day: number,
  counts: (drift: ModelDrift) => boolean = () => true,
): ClientDrift[] {
  const byClient = new Map<string, SourceCounts[]>();
  for (const row of rows.counts({ from: day - DRIFT_BASE_DAYS, to: day })) {
    const client = clientOf(row.source);
    const own = byClient.get(client);
    if (own === undefined) byClient.set(client, [row]);
    else own.push(row);
  }
  return [...byClient]
    .flatMap(([client, own]) =>
      driftOf(own, day)
        .filter(counts)
        .flatMap((drift) => drifted(client, drift)),
    )
    .sort((a, b) => b.psi - a.psi);
}

function drifted(client: string, { model, psi }: ModelDrift): ClientDrift[] {
  return psi !== null && psi > TEXT_DRIFT_PSI_MAX ? [{ client, model, psi }] : [];
}

/** Logs the drift of today, each case once a day. @returns all models, and the clients that have drifted */
export function checkDrift(
  rows: DriftRows,
  now: number,
): { readonly models: readonly ModelDrift[]; readonly clients: readonly ClientDrift[] } {
  const day = koreanDayOf(now);
  const models = driftOf(rows.totals({ from: day - DRIFT_BASE_DAYS, to: day }), day);
  const clients = driftingClients(rows, day, isRepresentative);
  const all = models.filter(isRepresentative).flatMap((drift) => drifted('', drift));
  for (const { client, model, psi } of [...all, ...clients])
    if (rows.addAlarm({ day, client, model, psi }))
      warn('textDrift', { client: client === '' ? null : client, model, psi: rounded(psi) });
  return { models, clients };
}

/** @returns null if there is no client to compare */
export function compare(rows: DriftRows, { current, candidate, since }: TextCanaryState, now: number) {
  if (current === null) return null;
  const [begin, today] = [koreanDayOf(since), koreanDayOf(now)];
  const byClient = new Map<string, ClientRates>();
  const add = (side: keyof ClientRates, { source, counts }: SourceCounts): void => {
    const client = clientOf(source);
    const before = byClient.get(client) ?? { candidate: NOTHING, current: NOTHING };
    const { texts, suspicious } = before[side];
    byClient.set(client, {
      ...before,
      [side]: { texts: texts + textsOf(counts), suspicious: suspicious + suspiciousOf(counts) },
    });
  };
  for (const row of rows.countsUnder(candidate, { from: begin, to: today })) add('candidate', row);
  for (const row of rows.countsUnder(current, { from: begin - DRIFT_BASE_DAYS, to: today }))
    add('current', row);
  return compareCanary([...byClient.values()]);
}

const NOTHING = { texts: 0, suspicious: 0 };

/** Withdraws a candidate whose rate has jumped. @returns whether it was withdrawn @throws if the text store does not respond */
export async function checkCanary(rows: DriftRows, text: TextCanary, now: number): Promise<boolean> {
  const state = await within(text.canary(), DRIFT_WAIT_MS);
  const compared = state === null ? null : compare(rows, state, now);
  if (state === null || compared === null || !compared.hasJumped) return false;
  const isWithdrawn = await within(
    text.withdrawCandidate(state.candidate, reasonOf(compared)),
    DRIFT_WAIT_MS,
  );
  if (isWithdrawn)
    warn('textCandidateWithdrawn', {
      ...{ release: state.candidate, texts: compared.texts, clients: compared.clients },
      ...{ rate: rounded(compared.rate), expectedRate: rounded(compared.expected) },
    });
  return isWithdrawn;
}

function reasonOf({ rate, expected, texts }: CanaryComparison): string {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  return `suspicious texts: ${percent(rate)} of ${texts}, and ${percent(expected)} were expected`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
