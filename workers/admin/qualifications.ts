/**
 * `/v1/admin/organisations/{id}/qualification` and `/v1/admin/qualifications`: the graded state of relays and resellers.
 */
import { fieldError, oneOf } from '../../shared/fields.ts';
import { ok } from '../../shared/result.ts';
import { timeSchema } from '../../shared/schemas.ts';
import { putQualificationSchema, QUALIFICATION_STATES } from '../../shared/senders/qualification.ts';
import { validateJson } from '../../shared/validate-json.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { forAdmins, forChanges, pageLimit } from './context.ts';

export const getQualification = forAdmins(
  ['read', 'qualification'],
  async ({ reply, coordinator, params }) => {
    const found = await coordinator.qualification(params.id!);
    if (found === null)
      return problem('QUALIFICATION_UNKNOWN', 'no organisation with this id has a qualification');
    reply.header('etag', `"${found.version}"`);
    return ok(found.info);
  },
);

/** Sorted by organisation. `next` is the `after` of the next page, or null on the last page. */
export const listQualifications = forAdmins(['read', 'qualification'], async ({ url, coordinator }) => {
  const parameters = parametersOf(url, {
    ...{ state: 'text', inspectionDueBefore: 'text', after: 'text', limit: 'number' },
  });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const state = text.state === undefined ? ok(undefined) : oneOf(QUALIFICATION_STATES, 'state', text.state);
  if (!state.ok) return state;
  const due = text.inspectionDueBefore;
  const isTime = due === undefined || validateJson(timeSchema, due).ok;
  if (!isTime)
    return fieldError('FIELD_VALUE', 'inspectionDueBefore', 'must be a time such as 2026-11-24T03:12:09Z');
  const limit = pageLimit(number.limit);
  const qualifications = await coordinator.qualifications({
    ...(state.value === undefined ? {} : { state: state.value }),
    ...(due === undefined ? {} : { inspectionDueBefore: Date.parse(due) }),
    ...(text.after === undefined ? {} : { after: text.after }),
    limit,
  });
  const next = qualifications.length < limit ? null : qualifications.at(-1)!.organisation;
  return ok({ qualifications, next });
});

/** For the regulator, which cannot set the qualification of its own organisation. */
export const putQualification = forChanges('qualification', putQualificationSchema, async (context) => {
  const { reply, actor, coordinator, params, condition, change, body } = context;
  const id = params.id!;
  if (actor.organisation === id)
    return problem(
      'QUALIFICATION_OWN',
      'the regulator can set only the qualifications of other organisations',
    );
  const { reason: _, ...settings } = body;
  const done = await coordinator.putQualification(change, id, settings, condition);
  const stored = done.ok ? await coordinator.qualification(id) : null;
  if (stored !== null) reply.header('etag', `"${stored.version}"`);
  return done;
});
