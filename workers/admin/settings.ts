/**
 * `/v1/admin/guards`, `/v1/admin/canaries`, `/v1/admin/policy` and `/v1/admin/list-key`: the guard settings, the canary
 * numbers, the rules for traffic at gateways, and the key for the data that the coordinator stores.
 */

import { rotateKeySchema } from '../../shared/admin/list-key.ts';
import { putCanariesSchema, putGuardsSchema, putPolicySchema } from '../../shared/admin/settings.ts';
import { ok } from '../../shared/result.ts';
import { forAdmins, forChanges } from './context.ts';

export const getGuards = forAdmins('read', async ({ coordinator }) => ok(await coordinator.guards()));

export const putGuards = forChanges('guards', putGuardsSchema, ({ coordinator, change, body }) =>
  coordinator.putGuards(change, body.guards),
);

/** The scope `read` is not enough, because whoever knows a canary number avoids it. */
export const getCanaries = forAdmins('guards', async ({ coordinator }) =>
  ok({ numbers: await coordinator.canaries() }),
);

export const putCanaries = forChanges('guards', putCanariesSchema, ({ coordinator, change, body }) =>
  coordinator.putCanaries(change, body.numbers),
);

export const getPolicy = forAdmins('read', async ({ reply, coordinator }) => {
  const policy = await coordinator.policy();
  reply.header('etag', `"${policy.version}"`);
  return ok(policy);
});

export const putPolicy = forChanges('policy', putPolicySchema, async (context) => {
  const { reply, coordinator, condition, change, body } = context;
  const done = await coordinator.putPolicy(change, body.policy, condition);
  if (done.ok) reply.header('etag', `"${done.value.version}"`);
  return done;
});

/** Re-keys the data that the coordinator stores. The releases are built again with the new key. */
export const rotateListKey = forChanges('root', rotateKeySchema, ({ coordinator, change, body }) =>
  coordinator.rotateListKey(change, body),
);
