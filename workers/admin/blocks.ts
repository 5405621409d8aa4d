/**
 * `/v1/admin/blocks`: the block records of one day, for clients with `recordBlocks`.
 */

import { recordsPrefix } from '../../shared/release/kv-keys.ts';
import { openRecords } from '../../shared/screening/block-record.ts';
import { openSecrets } from '../env.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { forAdmins } from './context.ts';

/** KV values read per page. */
const VALUES_PER_PAGE = 1;

/** NDJSON. The header `x-next` holds the cursor of the next page and is absent on the last page. */
export const blocks = forAdmins('read', async (context) => {
  const { reply, url, env } = context;
  const given = parametersOf(url, { day: 'text', after: 'text' });
  if ('code' in given) return reply.problem(given, url.pathname);
  const { day = '', after = null } = given.text;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) {
    return reply.problem(
      problem('FIELD_VALUE', 'day is a day of UTC, as in 2026-11-24', { field: 'day' }),
      url.pathname,
    );
  }
  const secrets = await openSecrets(env);
  if (!secrets.ok) return reply.problem(problem(secrets.code, secrets.message), url.pathname);
  const { keys } = secrets.value;
  const page = await env.LISTS.list({ prefix: recordsPrefix(day), cursor: after, limit: VALUES_PER_PAGE });
  const values = await Promise.all(
    page.keys.map(async ({ name }) => {
      const bytes = await env.LISTS.get(name, 'arrayBuffer');
      return bytes === null ? [] : ((await openRecords(new Uint8Array(bytes), keys)) ?? []);
    }),
  );
  if (!page.list_complete) reply.header('x-next', page.cursor);
  return reply.ndjson(values.flat());
});
