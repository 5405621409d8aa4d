/** `GET /v1/admin/text/drift`: how the scores of texts move, by day and model, for all clients or for one. */

import { fieldError } from '../../shared/fields.ts';
import { DRIFT_BASE_DAYS, DRIFT_DAYS_KEPT } from '../../shared/limits/drift.ts';
import { ok, type Result } from '../../shared/result.ts';
import { isDay } from '../../shared/schemas.ts';
import { DAY_MS, koreanDayOf, koreanDayText } from '../../shared/time.ts';
import type { ControlEnv } from '../env.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { type DaySpan, DRIFT_NAME } from '../storage/drift-port.ts';
import { forAdmins } from './context.ts';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export const textDrift = forAdmins('text', async ({ url, env, coordinator }) => {
  const parameters = parametersOf(url, { client: 'text', from: 'text', to: 'text' });
  if (!parameters.ok) return parameters;
  const { client = null, from, to } = parameters.value.text;
  const span = spanOf({ from, to }, koreanDayOf(Date.now()));
  if (!span.ok) return span;
  if (client !== null && !(await coordinator.clients()).some(({ id }) => id === client))
    return problem('CLIENT_UNKNOWN', 'no client has this id');
  const drift = (env as unknown as ControlEnv).TEXT_DRIFT.getByName(DRIFT_NAME);
  return ok(await drift.read(span.value, client));
});

/** Default: the last 7 days. */
function spanOf(
  given: { readonly from: string | undefined; readonly to: string | undefined },
  today: number,
): Result<DaySpan, Problem> {
  const to = dayOf('to', given.to, today);
  if (!to.ok) return to;
  const from = dayOf('from', given.from, to.value - DRIFT_BASE_DAYS + 1);
  if (!from.ok) return from;
  if (from.value > to.value) return fieldError('FIELD_VALUE', 'from', 'must not be after "to"');
  if (to.value - from.value >= DRIFT_DAYS_KEPT)
    return fieldError('FIELD_VALUE', 'from', `must be less than ${DRIFT_DAYS_KEPT} days before "to"`);
  return ok({ from: from.value, to: to.value });
}

function dayOf(name: string, text: string | undefined, otherwise: number): Result<number, Problem> {
  if (text === undefined) return ok(otherwise);
  if (DAY.test(text) && isDay(text)) return ok(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
  return fieldError('FIELD_VALUE', name, `must be a day in Korea such as ${koreanDayText(otherwise)}`);
}
