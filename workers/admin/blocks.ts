/**
 * `/v1/admin/blocks`: the block records of one day, for clients with `recordBlocks`.
 */

import { fieldError } from '../../shared/fields.ts';
import { recordsPrefix } from '../../shared/release/kv-keys.ts';
import { openRecords } from '../../shared/screening/block-record.ts';
import { openSecrets } from '../env.ts';
import { parametersOf } from '../http/parameters.ts';
import { forAdmins } from './context.ts';

/** KV values read per page. */
const VALUES_PER_PAGE = 1;

/** NDJSON. The header `x-next` holds the cursor of the next page and is absent on the last page. */
export const blocks = forAdmins('read', async (context) => {
  const { reply, url, env } = context;
  const parameters = parametersOf(url, { day: 'text', after: 'text' });
  if (!parameters.ok) return parameters;
  const { day = '', after = null } = parameters.value.text;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) {
    return fieldError('FIELD_VALUE', 'day', 'must be a day of UTC, as in 2026-11-24');
  }
  const secrets = await openSecrets(env);
  if (!secrets.ok) return secrets;
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
