/**
 * `/v1/admin/releases`, `/v1/admin/values`, `/v1/admin/rollback`, `/v1/admin/lists`: releases and their
 * lists.
 */
import { promoteSchema, rollbackSchema, stageSchema } from '../../shared/admin.ts';
import { SHARD_BYTES_MAX } from '../../shared/limits.ts';
import { SHARD_PREFIX } from '../../shared/release/kv-keys.ts';
import { problem } from '../http/reply.ts';
import { readImmutable } from '../storage/kv-values.ts';
import { forAdmins, forChanges, preconditionOf, toResponse } from './context.ts';

/** Maximum releases in the list. */
const RELEASES_LISTED = 50;

export const listReleases = forAdmins('read', async ({ reply, coordinator: authority }) =>
  reply.json({ releases: await authority.releases(RELEASES_LISTED) }),
);

export const listLists = forAdmins('read', async ({ reply, coordinator: authority }) =>
  reply.json(await authority.lists()),
);

export const getManifest = forAdmins('read', async ({ reply, coordinator: authority, params }) => {
  const manifest = await authority.manifest(params.release ?? '');
  if (manifest !== null) return reply.json(manifest);
  return problem('RELEASE_UNKNOWN', 'no release has this name');
});

/** A value of a release as stored in KV: permuted or sealed, and useless without LIST_KEY. */
export const getValue = forAdmins('read', async ({ reply, env, params }) => {
  const digest = params.digest ?? '';
  const known = /^[0-9a-f]{32}$/.test(digest);
  const bytes = known ? await readImmutable(`${SHARD_PREFIX}${digest}`, SHARD_BYTES_MAX, env.LISTS) : null;
  if (bytes !== null) return reply.bytes(bytes);
  return problem('NOT_FOUND', 'KV has no value of this digest');
});

export const planRelease = forAdmins('read', async (context) =>
  toResponse(context, await context.coordinator.plan(context.params.release ?? '')),
);

export const stageRelease = forChanges(
  'releases',
  stageSchema,
  async (context, changeRequest, { signed, signature }) =>
    toResponse(context, await context.coordinator.stage(changeRequest, { signed, signature }), 201),
);

export const promoteRelease = forChanges('releases', promoteSchema, async (context, changeRequest, wish) => {
  const { match } = preconditionOf(context);
  if (match !== null && match !== (wish.base ?? 'none')) {
    return problem('PRECONDITION_FAILED', 'If-Match must name the same release as "base"');
  }
  return toResponse(
    context,
    await context.coordinator.promote(changeRequest, context.params.release ?? '', wish),
  );
});

export const rollback = forChanges('releases', rollbackSchema, async (context, changeRequest, wish) => {
  const release = wish.release ?? preconditionOf(context).match;
  return toResponse(
    context,
    await context.coordinator.rollback(changeRequest, release === null ? wish : { ...wish, release }),
  );
});
