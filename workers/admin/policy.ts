/**
 * `/v1/admin/policy`: the rules for traffic at gateways.
 */
import { putPolicySchema } from '../../shared/admin.ts';
import { forAdmins, forChanges, preconditionOf, toResponse } from './context.ts';

export const getPolicy = forAdmins('read', async ({ reply, coordinator: authority }) => {
  const policy = await authority.policy();
  reply.header('etag', `"${policy.version}"`);
  return reply.json(policy);
});

export const putPolicy = forChanges(
  'releases',
  putPolicySchema,
  async (context, changeRequest, { policy }) => {
    const done = await context.coordinator.putPolicy(changeRequest, policy, preconditionOf(context));
    if (done.ok) context.reply.header('etag', `"${done.value.version}"`);
    return toResponse(context, done);
  },
);
