/** The report of drift for the admin API. */
import type { DriftCanary, DriftDay, DriftReport } from '../../shared/admin/text-drift.ts';
import { driftOf, type ModelDrift } from '../../shared/drift/drift.ts';
import { DRIFT_BASE_DAYS, DRIFT_CLIENTS_PER_PAGE, TEXT_DRIFT_PSI_MAX } from '../../shared/limits/drift.ts';
import { koreanDayText } from '../../shared/time.ts';
import { BANDS, bandsOf, binsOf, labelledOf, textsOf } from '../../shared/usage/text-counts.ts';
import type { DaySpan, TextCanaryState } from '../storage/drift-port.ts';
import type { DriftRows } from './drift-rows.ts';
import { compare, driftingClients } from './drift-watch.ts';

/** @param client null for all @param state of the canary; null if there is none */
export function reportOf(
  rows: DriftRows,
  { from, to }: DaySpan,
  client: string | null,
  state: TextCanaryState | null,
  now: number,
): DriftReport {
  const span = { from: from - DRIFT_BASE_DAYS, to };
  const counts = client === null ? rows.totals(span) : [...rows.countsOf(client, span)];
  const days = Array.from({ length: to - from + 1 }, (_, at) => driftOf(counts, from + at)).flat();
  return {
    ...{ from: koreanDayText(from), to: koreanDayText(to), client },
    days: days.map(dayOf),
    drifting: driftingClients(rows, to)
      .filter((each) => client === null || each.client === client)
      .slice(0, DRIFT_CLIENTS_PER_PAGE),
    psiMax: TEXT_DRIFT_PSI_MAX,
    canary: state === null || state.current === null ? null : canaryOf(rows, state, state.current, now),
  };
}

function dayOf({ day, model, counts, psi, baseTexts }: ModelDrift): DriftDay {
  const bands = bandsOf(counts);
  return {
    ...{ day: koreanDayText(day), model, texts: textsOf(counts), labelled: labelledOf(counts) },
    bands: Object.fromEntries(BANDS.map((band, index) => [band, bands[index]!])) as DriftDay['bands'],
    ...{ histogram: binsOf(counts), psi, baseTexts },
  };
}

function canaryOf(rows: DriftRows, state: TextCanaryState, current: string, now: number): DriftCanary {
  const { candidate, since } = state;
  const compared = compare(rows, state, now);
  return {
    ...{ candidate, current, since: new Date(since).toISOString() },
    ...{ clients: compared?.clients ?? 0, texts: compared?.texts ?? 0 },
    ...{ rate: compared?.rate ?? null, expectedRate: compared?.expected ?? null },
  };
}
