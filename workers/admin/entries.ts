/**
 * `/v1/admin/entries`: the live layer.
 */
import { entryChangeSchema, findSchema } from '../../shared/admin.ts';
import { ADMIN_BODY_BYTES_MAX, BULK_BODY_BYTES_MAX, PAGE_MAX } from '../../shared/limits.ts';
import { problem } from '../http.ts';
import { parametersOf } from '../parameters.ts';
import { type AdminCall, answer, forAdmins, forChanges, readBody } from './admin-call.ts';

export const changeEntries = forChanges(
  'entries',
  entryChangeSchema,
  async (call, order, change) => {
    const { op, until } = change;
    if (until !== null && op === 'clear') {
      return problem('FIELD_VALUE', 'until is not for clear', { field: 'until' });
    }
    // That `until` is past is told by the authority, once it has looked for the answer of a repeated request.
    return answer(call, await call.authority.changeEntries(order, change));
  },
  BULK_BODY_BYTES_MAX,
);

export const listEntries = forAdmins('read', async ({ reply, url, authority }) => {
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

/** A question, and a POST: numbers do not belong into URLs. */
export const findEntries = forAdmins('read', async (call: AdminCall) => {
  const body = await readBody(call, findSchema, ADMIN_BODY_BYTES_MAX);
  if ('code' in body) return call.reply.problem(body, call.url.pathname);
  const found = await call.authority.findEntries(body.value);
  return answer(call, found.ok ? { ok: true, value: { entries: found.value } } : found);
});
