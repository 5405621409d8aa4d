/**
 * `/v1/admin/text/releases`, `/v1/admin/text/rollback`, `/v1/admin/text/values`, `/v1/admin/text/status`: text releases.
 */
import {
  promoteTextSchema,
  putTextReleaseSchema,
  rollBackTextSchema,
  withdrawTextSchema,
} from '../../shared/admin/text.ts';
import { TEXT_RELEASE_BODY_BYTES_MAX } from '../../shared/limits/text.ts';
import { TEXT_PREFIX } from '../../shared/release/kv-keys.ts';
import { ok } from '../../shared/result.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { forAdmins, forChanges, pageLimit } from './context.ts';
import { checkApprovals } from './text-approvals.ts';
import { textStoreOf } from './text-stub.ts';

const SEERS = ['read', 'text'] as const;

export const status = forAdmins(SEERS, async (context) => ok(await textStoreOf(context).status()));

export const listReleases = forAdmins(SEERS, async (context) =>
  ok({ releases: await textStoreOf(context).releases() }),
);

export const getRelease = forAdmins(SEERS, async (context) => {
  const found = await textStoreOf(context).release(context.params.release!);
  return found === null ? unknownRelease() : ok(found);
});

/** The manifest as it was signed. */
export const getManifest = forAdmins(SEERS, async (context) => {
  const found = await textStoreOf(context).manifest(context.params.release!);
  return found === null ? unknownRelease() : ok(found);
});

export const planRelease = forAdmins(SEERS, (context) => textStoreOf(context).plan(context.params.release!));

/** A value of a release as stored: sealed, and useless without LIST_KEY. */
export const getValue = forAdmins(
  SEERS,
  async (context) => {
    const digest = context.params.digest!;
    const isKnown = /^[0-9a-f]{32}$/.test(digest);
    const bytes = isKnown ? await textStoreOf(context).value(`${TEXT_PREFIX}${digest}`) : null;
    return bytes === null ? problem('NOT_FOUND', 'no text release has a value with this digest') : ok(bytes);
  },
  (reply, bytes) => reply.bytes(bytes),
);

export const pushRelease = forChanges(
  'text',
  putTextReleaseSchema,
  (context) => {
    const { change, body } = context;
    return textStoreOf(context).pushRelease({ ...change, reason: body.reason ?? 'pushed' }, body);
  },
  { bytesMax: TEXT_RELEASE_BODY_BYTES_MAX, send: (reply, release) => reply.json(release, 201) },
);

export const promoteRelease = forChanges('text', promoteTextSchema, async (context) => {
  const { params, condition, change, body } = context;
  if (condition.match !== null && condition.match !== (body.base ?? 'none'))
    return problem('PRECONDITION_FAILED', 'If-Match must name the same release as "base"');
  const { reason: _, ...options } = body;
  const approved = await checkApprovals(context, options);
  if (!approved.ok) return approved;
  return textStoreOf(context).promote(change, params.release!, options);
});

export const withdrawRelease = forChanges('text', withdrawTextSchema, (context) =>
  textStoreOf(context).withdraw(context.change, context.params.release!),
);

export const rollBack = forChanges('text', rollBackTextSchema, (context) => {
  const { body, condition, change } = context;
  return textStoreOf(context).rollBack(change, body.release ?? condition.match ?? undefined);
});

/** The audit chain of texts, as NDJSON, without texts, hosts or numbers. An empty page is the end. */
export const textAudit = forAdmins(
  'read',
  async (context) => {
    const parameters = parametersOf(context.url, { after: 'number', limit: 'number' });
    if (!parameters.ok) return parameters;
    const { after = 0, limit } = parameters.value.number;
    return ok(await textStoreOf(context).audit(after, pageLimit(limit)));
  },
  (reply, records) => reply.ndjson(records),
);

function unknownRelease() {
  return problem('TEXT_RELEASE_UNKNOWN', 'no text release has this name');
}
