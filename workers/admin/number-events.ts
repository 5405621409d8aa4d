/**
 * Handles numbers that change hands: `POST /v1/admin/registrations/number-events`, live blocks of terminated numbers, and
 * the lists of each new release. Each organisation has its own store of registrations, so the stores of all organisations
 * that have published any are called: at most ORGANISATIONS_MAX, a few at a time.
 */
import type { EntryChange, EntryInfo } from '../../shared/admin/entries.ts';
import { fieldError } from '../../shared/fields.ts';
import { READS_AT_ONCE } from '../../shared/limits/edge.ts';
import { CHECK_ROUND_MINUTES } from '../../shared/limits/registrations.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import { ok, type Result } from '../../shared/result.ts';
import {
  type AffectedRegistration,
  type NumberChange,
  type NumberEventDone,
  numberEventSchema,
} from '../../shared/senders/number-event.ts';
import { MINUTE_MS } from '../../shared/time.ts';
import type { Waiting } from '../coordinator/change-request.ts';
import type { ControlEnv } from '../env.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import { listedNumbers } from '../registrations/release-check.ts';
import type { StoreRequest } from '../storage/store-request.ts';
import { forChanges } from './context.ts';
import type { CoordinatorStub } from './coordinator-stub.ts';
import { registrationStore } from './registration-context.ts';
import { registryOf } from './registry.ts';

export const numberEvent = forChanges('review', numberEventSchema, async (context) => {
  const { body, change, coordinator } = context;
  const env = context.env as unknown as ControlEnv;
  const party = parseListed(body.number);
  if (party.kind !== 'number') {
    return fieldError('FIELD_VALUE', 'number', 'must be one number with its area code, not a short code');
  }
  const at = body.at === undefined ? Date.now() : Date.parse(body.at);
  if (at > Date.now()) return fieldError('FIELD_VALUE', 'at', 'must not be in the future');
  const { n } = party;
  const isListed = body.event === 'terminated' ? await isTerminated(n, coordinator, env) : ok(false);
  if (!isListed.ok) return isListed;
  const listed = isListed.value ? [n] : [];
  const numbers = { event: body.event, at, numbers: [n], listed, operation: null };
  const registrations = await raise(change, numbers, coordinator, env);
  return registrations.ok ? ok<NumberEventDone>({ registrations: registrations.value }) : registrations;
});

function isTermination({ op, code, subjects }: EntryInfo): boolean {
  return op === 'block' && code === 'NUMBER_TERMINATED' && subjects.includes('from');
}

/** Whether a live block, or a list of the current release, says that the number was terminated. */
async function isTerminated(
  n: number,
  coordinator: CoordinatorStub,
  env: ControlEnv,
): Promise<Result<boolean, Problem | Waiting>> {
  const entries = await coordinator.findEntries({ number: `+${n}` });
  if (!entries.ok) return entries;
  if (entries.value.some(isTermination)) return ok(true);
  const { release } = await coordinator.lists();
  if (release === null) return ok(false);
  const listed = await listedNumbers(release, env);
  const found = await listed?.find([n], Math.floor(Date.now() / 1000));
  if (found == null) return problem('UNAVAILABLE', 'a value of the release is not in KV yet: try again');
  return ok(found.has(n));
}

/** Organisations that may have registrations in force. Others are left out, because a call would create their store. */
async function publishers(coordinator: CoordinatorStub, env: ControlEnv): Promise<string[]> {
  const published = await registryOf(env).publishers();
  const ids = (await coordinator.organisations()).map(({ id }) => id);
  if (published === null) return ids;
  const known = new Set(published);
  return ids.filter((id) => known.has(id));
}

/** Calls the stores. A repeated request changes nothing twice, because each store keeps its first answer. */
async function raise(
  request: StoreRequest,
  change: NumberChange,
  coordinator: CoordinatorStub,
  env: ControlEnv,
): Promise<Result<AffectedRegistration[], Problem>> {
  const affected: AffectedRegistration[] = [];
  const organisations = await publishers(coordinator, env).catch((error: unknown) =>
    warnFailed('numberEventFailed', error),
  );
  if (organisations === undefined)
    return problem('UNAVAILABLE', 'the registrations do not respond; try again');
  for (let first = 0; first < organisations.length; first += READS_AT_ONCE) {
    const some = organisations.slice(first, first + READS_AT_ONCE);
    const called = some.map((id) => registrationStore(env, id).numbersChanged(request, id, change));
    const done = await Promise.all(called).catch((error: unknown) => warnFailed('numberEventFailed', error));
    if (done === undefined) return problem('UNAVAILABLE', 'the registrations do not respond; try again');
    for (const each of done) {
      if (!each.ok) return each;
      affected.push(...each.value);
    }
  }
  return ok(affected);
}

/** The numbers that a change of live entries blocks as terminated senders. */
export function terminatedBy({ op, code, items, dryRun, subjects }: EntryChange): number[] {
  if (op !== 'block' || code !== 'NUMBER_TERMINATED' || dryRun === true || !subjects.includes('from'))
    return [];
  return items.flatMap((item) => {
    const party = 'number' in item ? parseListed(item.number) : null;
    return party?.kind === 'number' ? [party.n] : [];
  });
}

/** The operation of the newest live block that says that the number was terminated. */
async function operationOf(n: number, coordinator: CoordinatorStub): Promise<number | null> {
  const entries = await coordinator.findEntries({ number: `+${n}` });
  const blocks = entries.ok ? entries.value.filter(isTermination) : [];
  return blocks.sort((a, b) => b.seq - a.seq)[0]?.operation ?? null;
}

/**
 * Passes a live block of terminated numbers on to the registrations, after the response to the block. If that fails, the
 * next release lists the numbers, and its check finds them.
 * @param made the operation of the block; null if it is not known, such as after an approval
 */
export async function afterEntryChange(
  { actor, reason }: StoreRequest,
  numbers: readonly number[],
  made: number | null,
  coordinator: CoordinatorStub,
  env: ControlEnv,
): Promise<void> {
  const operation = made ?? (await operationOf(numbers[0]!, coordinator));
  const change: NumberChange = { event: 'terminated', at: Date.now(), numbers, listed: numbers, operation };
  await raise({ actor, reason, repeat: null }, change, coordinator, env).catch((error: unknown) =>
    warnFailed('numberEventFailed', error),
  );
}

/**
 * Checks the registered numbers of some organisations against the current release. The cron calls it each minute, and it
 * reaches each organisation once in CHECK_ROUND_MINUTES. An organisation that was checked already costs one call.
 */
export async function checkRegisteredNumbers(coordinator: CoordinatorStub, env: ControlEnv): Promise<void> {
  const { release } = await coordinator.lists();
  if (release === null) return;
  const turn = Math.floor(Date.now() / MINUTE_MS) % CHECK_ROUND_MINUTES;
  const organisations = await publishers(coordinator, env);
  const due = organisations.filter((_, index) => index % CHECK_ROUND_MINUTES === turn);
  for (let first = 0; first < due.length; first += READS_AT_ONCE) {
    const some = due.slice(first, first + READS_AT_ONCE);
    await Promise.all(
      some.map((id) =>
        registrationStore(env, id)
          .checkRelease(release)
          .catch((error: unknown) => warnFailed('registeredNumbersNotChecked', error)),
      ),
    );
  }
}
