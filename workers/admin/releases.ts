/**
 * `/v1/admin/releases`, `/v1/admin/values`, `/v1/admin/rollback`, `/v1/admin/lists`: releases and their
 * lists.
 */
import { promoteSchema, rollbackSchema, stageSchema } from '../../shared/admin/releases.ts';
import { VALUE_BYTES_MAX } from '../../shared/limits/lists.ts';
import { SHARD_PREFIX } from '../../shared/release/kv-keys.ts';
import type { ReleaseList } from '../../shared/release-list.ts';
import { ok } from '../../shared/result.ts';
import { problem } from '../http/reply.ts';
import { readImmutable } from '../storage/kv-values.ts';
import { forAdmins, forChanges } from './context.ts';

/** Maximum releases in the list. */
const RELEASES_LISTED = 50;

export const listReleases = forAdmins('read', async ({ coordinator }) =>
  ok({
    releases: await coordinator.releases(RELEASES_LISTED),
    refused: await coordinator.stagedRefusals(),
  } satisfies ReleaseList),
);

export const listLists = forAdmins('read', async ({ coordinator }) => ok(await coordinator.lists()));

export const getManifest = forAdmins('read', async ({ coordinator, params }) => {
  const manifest = await coordinator.manifest(params.release!);
  return manifest === null ? problem('RELEASE_UNKNOWN', 'no release has this name') : ok(manifest);
});

/** A value of a release as stored in KV: permuted or sealed, and useless without LIST_KEY. */
export const getValue = forAdmins(
  'read',
  async ({ env, params }) => {
    const digest = params.digest!;
    const known = /^[0-9a-f]{32}$/.test(digest);
    const bytes = known ? await readImmutable(`${SHARD_PREFIX}${digest}`, VALUE_BYTES_MAX, env.LISTS) : null;
    return bytes === null ? problem('NOT_FOUND', 'KV has no value with this digest') : ok(bytes);
  },
  (reply, bytes) => reply.bytes(bytes),
);

export const planRelease = forAdmins('read', ({ coordinator, params }) => coordinator.plan(params.release!));

export const stageRelease = forChanges(
  'releases',
  stageSchema,
  ({ coordinator, change, body: { reason = 'staged', ...staged } }) =>
    coordinator.stage({ ...change, reason }, staged),
  { send: (reply, staged) => reply.json(staged, 201) },
);

export const promoteRelease = forChanges('releases', promoteSchema, async (context) => {
  const { coordinator, params, condition, change, body } = context;
  if (condition.match !== null && condition.match !== (body.base ?? 'none')) {
    return problem('PRECONDITION_FAILED', 'If-Match must name the same release as "base"');
  }
  return coordinator.promote(change, params.release!, body);
});

export const rollback = forChanges('releases', rollbackSchema, ({ coordinator, condition, change, body }) => {
  const release = body.release ?? condition.match;
  return coordinator.rollback(change, release === null ? body : { ...body, release });
});
