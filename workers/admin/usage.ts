/**
 * `GET /v1/admin/usage`: what clients checked, by hour. Each client has objects of its own (workers/usage/), so a page
 * has few clients. Tokens see the clients of their organisation; `root` and the scope `statistics` see all clients.
 */
import type { Actor } from '../../shared/admin/actor.ts';
import type { Client } from '../../shared/clients.ts';
import { type FieldError, fieldError, oneOf } from '../../shared/fields.ts';
import { USAGE_CLIENTS_PER_PAGE, USAGE_DAYS_KEPT } from '../../shared/limits/control.ts';
import { ok, type Result } from '../../shared/result.ts';
import { isDay } from '../../shared/schemas.ts';
import { HOUR_MS, HOURS_PER_DAY } from '../../shared/time.ts';
import { DIMENSIONS, type Dimension } from '../../shared/usage/counts.ts';
import {
  type ClientReport,
  figuresOf,
  formatHour,
  namesOf,
  totalOf,
  type UsageReport,
} from '../../shared/usage/report.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { type HourSpan, historyOf } from '../storage/usage-history.ts';
import type { UsageObjects } from '../storage/usage-port.ts';
import { forAdmins } from './context.ts';

const PARAMETERS = { client: 'text', from: 'text', to: 'text', by: 'text', after: 'text' } as const;
/** A UTC day, or a whole UTC hour. */
const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:00(?::00(?:\.000)?)?Z)?$/;

export const usage = forAdmins('read', async ({ url, env, coordinator, actor }) => {
  const parameters = parametersOf(url, PARAMETERS);
  if (!parameters.ok) return parameters;
  const { client, after = '', ...given } = parameters.value.text;
  const span = spanOf(given);
  if (!span.ok) return span;
  const by = given.by === undefined ? ok(null) : oneOf(DIMENSIONS, 'by', given.by);
  if (!by.ok) return by;
  if (env.USAGE === undefined) return problem('NOT_CONFIGURED', 'USAGE is not bound: see wrangler.toml');
  const visible = (await coordinator.clients()).filter((each) => isVisible(each, actor));
  const chosen = visible.filter(({ id }) => (client === undefined ? id > after : id === client));
  if (client !== undefined && chosen.length === 0) {
    return problem('CLIENT_UNKNOWN', 'no client of your organisation has this id');
  }
  const page = chosen.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, USAGE_CLIENTS_PER_PAGE);
  const reports = await reportsOf(page, span.value, by.value, client !== undefined, env.USAGE);
  if (!reports.ok) return reports;
  const { from, to } = span.value;
  return ok({
    ...{ from: formatHour(from), to: formatHour(to), by: by.value, clients: reports.value },
    next: chosen.length > page.length ? page.at(-1)!.id : null,
  } satisfies UsageReport);
});

/** The start of the last hour in which each client sent a request, RFC 3339; null for a client that never sent one. */
export async function lastUsedAt(
  clients: readonly string[],
  objects: UsageObjects,
): Promise<Map<string, string | null>> {
  const all = clients.map(async (client) => {
    const { lastHour } = await historyOf(client, { from: 0, to: 0 }, objects);
    return [client, lastHour === null ? null : formatHour(lastHour)] as const;
  });
  return new Map(await Promise.all(all));
}

function isVisible({ organisation }: Client, actor: Actor): boolean {
  return actor.root || actor.scopes.includes('statistics') || organisation === actor.organisation;
}

async function reportsOf(
  clients: readonly Client[],
  span: HourSpan,
  by: Dimension | null,
  isSingle: boolean,
  objects: UsageObjects,
): Promise<Result<ClientReport[], Problem>> {
  const report = async ({ id, organisation }: Client): Promise<ClientReport> => {
    const { lastHour, periods } = await historyOf(id, span, objects);
    const counts = totalOf(periods);
    const figures = periods.map(({ hour, hours, counts: own }) => ({
      ...{ at: formatHour(hour), hours },
      ...figuresOf(own),
    }));
    return {
      ...{ client: id, organisation, lastUsedAt: lastHour === null ? null : formatHour(lastHour) },
      ...figuresOf(counts),
      names: by === null ? null : namesOf(counts, by),
      ...(isSingle ? { periods: figures } : {}),
    };
  };
  try {
    return ok(await Promise.all(clients.map(report)));
  } catch {
    return problem('UNAVAILABLE', 'the counts of a client do not respond; try again');
  }
}

/** By default, `to` is the end of the current hour, and `from` is 24 hours before `to`. */
function spanOf(given: Readonly<Record<string, string>>): Result<HourSpan, FieldError> {
  const now = Math.ceil((Date.now() + 1) / HOUR_MS);
  const to = given.to === undefined ? ok(now) : hourOf('to', given.to);
  if (!to.ok) return to;
  const from = given.from === undefined ? ok(to.value - HOURS_PER_DAY) : hourOf('from', given.from);
  if (!from.ok) return from;
  if (from.value >= to.value) return fieldError('FIELD_CONTRADICTION', 'from', 'must be before "to"');
  if (to.value - from.value > USAGE_DAYS_KEPT * HOURS_PER_DAY) {
    return fieldError('FIELD_VALUE', 'from', `must be at most ${USAGE_DAYS_KEPT} days before "to"`);
  }
  return ok({ from: from.value, to: to.value });
}

function hourOf(field: string, text: string): Result<number, FieldError> {
  const ms = TIME.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    return fieldError('FIELD_VALUE', field, 'must be a UTC day or hour: 2026-11-24 or 2026-11-24T03:00Z');
  }
  return ok(ms / HOUR_MS);
}
