/**
 * `/v1/admin/releases`, `/v1/admin/values`, `/v1/admin/rollback`, `/v1/admin/lists`: what is published.
 */
import { promoteSchema, rollbackSchema, stageSchema } from '../../shared/admin.ts';
import { SHARD_PREFIX } from '../../shared/release/kv-keys.ts';
import { problem } from '../http.ts';
import { readValue } from '../kv-values.ts';
import { answer, conditionOf, forAdmins, forChanges } from './admin-call.ts';

/** Releases that are listed. */
const RELEASES_LISTED = 50;

export const listReleases = forAdmins('read', async ({ reply, authority }) =>
  reply.json({ releases: await authority.releases(RELEASES_LISTED) }),
);

export const listLists = forAdmins('read', async ({ reply, authority }) =>
  reply.json(await authority.lists()),
);

export const getManifest = forAdmins('read', async ({ reply, url, authority, params }) => {
  const manifest = await authority.manifest(params.release ?? '');
  if (manifest !== null) return reply.json(manifest);
  return reply.problem(problem('RELEASE_UNKNOWN', 'there is no such release'), url.pathname);
});

/** A value of a release, as it is in KV: permuted or sealed, of no use without LIST_KEY. */
export const getValue = forAdmins('read', async ({ reply, url, env, params }) => {
  const digest = params.digest ?? '';
  const known = /^[0-9a-f]{32}$/.test(digest);
  const bytes = known ? await readValue(`${SHARD_PREFIX}${digest}`, env.LISTS) : null;
  if (bytes !== null) return reply.bytes(bytes);
  return reply.problem(problem('NOT_FOUND', 'there is no such value in KV'), url.pathname);
});

export const planRelease = forAdmins('read', async (call) =>
  answer(call, await call.authority.plan(call.params.release ?? '')),
);

export const stageRelease = forChanges('releases', stageSchema, async (call, order, { signed, signature }) =>
  answer(call, await call.authority.stage(order, { signed, signature }), 201),
);

export const promoteRelease = forChanges('releases', promoteSchema, async (call, order, wish) => {
  const { match } = conditionOf(call);
  if (match !== null && match !== (wish.base ?? 'none')) {
    return problem('PRECONDITION_FAILED', 'If-Match names another release than base');
  }
  return answer(call, await call.authority.promote(order, call.params.release ?? '', wish));
});

export const rollback = forChanges('releases', rollbackSchema, async (call, order, wish) => {
  const release = wish.release ?? conditionOf(call).match;
  return answer(call, await call.authority.rollback(order, release === null ? wish : { ...wish, release }));
});
