/**
 * `/v1/admin/entries`: the live layer.
 */
import { entryChangeSchema, findSchema } from '../../shared/admin.ts';
import { ADMIN_BODY_BYTES_MAX, BULK_BODY_BYTES_MAX, PAGE_MAX } from '../../shared/limits.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { type AdminContext, forAdmins, forChanges, readBody, toResponse } from './context.ts';

export const changeEntries = forChanges(
  'entries',
  entryChangeSchema,
  async (context, changeRequest, change) => {
    const { op, until } = change;
    if (until !== null && op === 'clear') {
      return problem('FIELD_VALUE', 'until is not for clear', { field: 'until' });
    }
    // The coordinator rejects a past `until`, after it has looked up the result of a repeated request.
    return toResponse(context, await context.coordinator.changeEntries(changeRequest, change));
  },
  BULK_BODY_BYTES_MAX,
);

export const listEntries = forAdmins('read', async ({ reply, url, coordinator: authority }) => {
  const given = parametersOf(url, { after: 'text', upTo: 'number', limit: 'number' });
  if ('code' in given) return reply.problem(given, url.pathname);
  const after = given.text.after ?? '';
  if (!/^(\d+\.\d+\.\d+\.\d+)?$/.test(after)) {
    const message = 'after is the "next" of a page';
    return reply.problem(problem('FIELD_VALUE', message, { field: 'after' }), url.pathname);
  }
  const limit = Math.max(1, Math.min(given.number.limit ?? PAGE_MAX, PAGE_MAX));
  return reply.json(await authority.entries(after, given.number.upTo ?? null, limit));
});

/** A lookup, but with POST: numbers do not belong in URLs. */
export const findEntries = forAdmins('read', async (context: AdminContext) => {
  const body = await readBody(context, findSchema, ADMIN_BODY_BYTES_MAX);
  if ('code' in body) return context.reply.problem(body, context.url.pathname);
  const found = await context.coordinator.findEntries(body.value);
  return toResponse(context, found.ok ? { ok: true, value: { entries: found.value } } : found);
});
