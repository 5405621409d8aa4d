/**
 * `/v1/admin/entries`: the live layer.
 */
import { entryChangeSchema, findSchema, undoSchema } from '../../shared/admin/entries.ts';
import { fieldError } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX, BULK_BODY_BYTES_MAX } from '../../shared/limits/control.ts';
import { ok } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import { readBody } from '../http/json-body.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { forAdmins, forChanges, pageLimit } from './context.ts';
import { afterEntryChange, terminatedBy } from './number-events.ts';

export const changeEntries = forChanges(
  'entries',
  entryChangeSchema,
  async ({ coordinator, change, body, env, ctx }) => {
    if (body.until !== null && body.op === 'clear') {
      return fieldError('FIELD_VALUE', 'until', 'must not be set for "clear"');
    }
    // The coordinator rejects a past `until`, after it has looked up the result of a repeated request.
    const numbers = terminatedBy(body);
    // A repeated request must not suspend a registration again that a reviewer has resumed since.
    const isFresh = numbers.length > 0 && !(await coordinator.isRepeat(change));
    const done = await coordinator.changeEntries(change, body);
    if (done.ok && isFresh) {
      const operation = done.value.operation ?? null;
      ctx.waitUntil(afterEntryChange(change, numbers, operation, coordinator, env as unknown as ControlEnv));
    }
    return done;
  },
  { bytesMax: BULK_BODY_BYTES_MAX },
);

export const undoOperation = forChanges(
  'entries',
  undoSchema,
  async ({ coordinator, change, body, params }) => {
    const operation = Number(params.operation);
    if (!/^[1-9]\d{0,14}$/.test(params.operation!)) {
      return problem(
        'OPERATION_UNKNOWN',
        'the number of an operation has only digits: use the number from the response to the change',
      );
    }
    return coordinator.undoOperation(change, operation, body);
  },
);

export const listEntries = forAdmins('read', async ({ url, coordinator }) => {
  const parameters = parametersOf(url, { after: 'text', upTo: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const { after = '' } = text;
  if (!/^(\d+\.\d+\.\d+\.\d+(\.[0-9a-f]{16})?)?$/.test(after)) {
    return fieldError('FIELD_VALUE', 'after', 'must be the "next" value of a page');
  }
  return ok(await coordinator.entries(after, number.upTo ?? null, pageLimit(number.limit)));
});

/** A lookup, but with POST: numbers do not belong in URLs. */
export const findEntries = forAdmins('read', async (context) => {
  const read = await readBody(context, findSchema, ADMIN_BODY_BYTES_MAX);
  if (!read.ok) return read;
  const found = await context.coordinator.findEntries(read.value.body);
  return found.ok ? ok({ entries: found.value }) : found;
});
