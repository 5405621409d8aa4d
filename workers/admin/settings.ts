/**
 * `/v1/admin/guards` and `/v1/admin/policy`: the guard settings, and the rules for traffic at gateways.
 */
import { putGuardsSchema, putPolicySchema } from '../../shared/put-settings.ts';
import { ok } from '../../shared/result.ts';
import { forAdmins, forChanges } from './context.ts';

export const getGuards = forAdmins('read', async ({ coordinator }) => ok(await coordinator.guards()));

export const putGuards = forChanges('guards', putGuardsSchema, ({ coordinator, change, body }) =>
  coordinator.putGuards(change, body.guards),
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
