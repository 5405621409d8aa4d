/**
 * `/v1/admin/entries`: the live layer.
 */
import { entryChangeSchema, findSchema } from '../../shared/admin.ts';
import { fieldError } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX, BULK_BODY_BYTES_MAX, PAGE_MAX } from '../../shared/limits.ts';
import { parametersOf } from '../http/parameters.ts';
import { type AdminContext, forAdmins, forChanges, readBody, toResponse } from './context.ts';

export const changeEntries = forChanges(
  'entries',
  entryChangeSchema,
  async (context, changeRequest, change) => {
    const { op, until } = change;
    if (until !== null && op === 'clear') {
      return fieldError('FIELD_VALUE', 'until', 'must not be set for "clear"');
    }
    // The coordinator rejects a past `until`, after it has looked up the result of a repeated request.
    return toResponse(context, await context.coordinator.changeEntries(changeRequest, change));
  },
  BULK_BODY_BYTES_MAX,
);

export const listEntries = forAdmins('read', async ({ reply, url, coordinator: authority }) => {
  const parameters = parametersOf(url, { after: 'text', upTo: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { text, number } = parameters.value;
  const after = text.after ?? '';
  if (!/^(\d+\.\d+\.\d+\.\d+)?$/.test(after)) {
    return fieldError('FIELD_VALUE', 'after', 'must be the "next" of a page');
  }
  const limit = Math.max(1, Math.min(number.limit ?? PAGE_MAX, PAGE_MAX));
  return reply.json(await authority.entries(after, number.upTo ?? null, limit));
});

/** A lookup, but with POST: numbers do not belong in URLs. */
export const findEntries = forAdmins('read', async (context: AdminContext) => {
  const body = await readBody(context, findSchema, ADMIN_BODY_BYTES_MAX);
  if (!body.ok) return body;
  const found = await context.coordinator.findEntries(body.value.content);
  return found.ok ? context.reply.json({ entries: found.value }) : found;
});
