/**
 * `/v1/admin/status`, `/v1/admin/me`, `/v1/admin/enumeration`, `/v1/admin/audit` and `/v1/admin/blocks`: status,
 * identity, detections, audit log and block records.
 */
import type { MeInfo } from '../../shared/admin/actor.ts';
import { trimAuditSchema } from '../../shared/admin/trim-audit.ts';
import { fieldError } from '../../shared/fields.ts';
import { VALUE_BYTES_MAX } from '../../shared/limits/lists.ts';
import { RECORDS_PREFIX, recordsPrefix, recordsTime } from '../../shared/release/kv-keys.ts';
import { ok } from '../../shared/result.ts';
import { openRecords } from '../../shared/screening/block-record.ts';
import { type ControlEnv, openSecrets } from '../env.ts';
import { parametersOf } from '../http/parameters.ts';
import type { Reply } from '../http/reply.ts';
import { warn } from '../log.ts';
import { readFresh } from '../storage/kv-values.ts';
import { forAdmins, forChanges, pageLimit } from './context.ts';
import { registrationsInfo } from './registry.ts';
import { responseInfo } from './rule-blocks.ts';

const sendLines = (reply: Reply, lines: readonly unknown[]) => reply.ndjson(lines);

export const status = forAdmins('read', async ({ coordinator, env }) => {
  const [known, registrations, response] = await Promise.all([
    coordinator.status(),
    registrationsInfo(env as unknown as ControlEnv),
    responseInfo(env as unknown as ControlEnv),
  ]);
  const info = {
    ...known,
    ...(registrations === null ? {} : { registrations }),
    ...(response === null ? {} : { response }),
  };
  const { listKeys } = info;
  // A listing of KV is billed, and only the end of a rotation needs it.
  const isEnding =
    listKeys !== undefined && listKeys.ids.length > 1 && listKeys.rotated?.to === listKeys.ids[0];
  if (!isEnding) return ok(info);
  const page = await env.LISTS.list({ prefix: RECORDS_PREFIX, limit: 1 }).catch(() => null);
  if (page === null) return ok(info);
  const name = page.keys[0]?.name;
  return ok({
    ...info,
    listKeys: { ...listKeys, oldestRecords: name === undefined ? null : recordsTime(name) },
  });
});

export const me = forAdmins('read', async ({ actor: { name, organisation, authority, scopes, root } }) =>
  ok<MeInfo>({ name, organisation, authority, scopes, root }),
);

/** Detections of enumeration, newest first: one for each organisation and day. */
export const detections = forAdmins('read', async ({ coordinator }) =>
  ok({ detections: await coordinator.detections() }),
);

/** A page of the audit log as NDJSON. An empty page is the end. */
export const audit = forAdmins(
  'read',
  async ({ url, coordinator }) => {
    const parameters = parametersOf(url, { after: 'number', limit: 'number' });
    if (!parameters.ok) return parameters;
    const { after = 0, limit } = parameters.value.number;
    return ok(await coordinator.audit(after, pageLimit(limit)));
  },
  sendLines,
);

export const trimAudit = forChanges('root', trimAuditSchema, ({ coordinator, change, body }) =>
  coordinator.trimAudit(change, body.n, body.hash),
);

/**
 * The block records of one day, for clients with `recordBlocks`, as NDJSON. A page is one value of KV. The
 * header `x-next` holds the cursor of the next page and is absent on the last page. `x-refused` holds the key
 * of a value that was not sealed as records for this key.
 */
export const blocks = forAdmins(
  'read',
  async ({ reply, url, env }) => {
    const parameters = parametersOf(url, { day: 'text', after: 'text' });
    if (!parameters.ok) return parameters;
    const { day = '', after = null } = parameters.value.text;
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) {
      return fieldError('FIELD_VALUE', 'day', 'must be a day of UTC, as in 2026-11-24');
    }
    const secrets = await openSecrets(env);
    if (!secrets.ok) return secrets;
    const page = await env.LISTS.list({ prefix: recordsPrefix(day), cursor: after, limit: 1 });
    const name = page.keys[0]?.name;
    if (!page.list_complete) reply.header('x-next', page.cursor);
    const bytes = name === undefined ? null : await readFresh(name, VALUE_BYTES_MAX, env.LISTS);
    if (name === undefined || bytes === null) return ok([]);
    const opened = await secrets.value.keys.open((keys) => openRecords(bytes, keys, name));
    // Numbers can only be revealed with the key that they were recorded with.
    if (opened !== null) return ok(opened.value.map((record) => ({ ...record, keyId: opened.keys.keyId })));
    // One bad value must not hide the other records of the day.
    warn('valueRefused', { code: 'RECORDS_INVALID', message: 'block records were not sealed for their key' });
    reply.header('x-refused', encodeURI(name));
    return ok([]);
  },
  sendLines,
);
