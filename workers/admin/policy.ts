/**
 * `/v1/admin/policy`: what gateways are told about traffic from abroad.
 */
import { putPolicySchema } from '../../shared/admin.ts';
import { answer, conditionOf, forAdmins, forChanges } from './admin-call.ts';

export const getPolicy = forAdmins('read', async ({ reply, authority }) => {
  const policy = await authority.policy();
  reply.header('etag', `"${policy.version}"`);
  return reply.json(policy);
});

export const putPolicy = forChanges('releases', putPolicySchema, async (call, order, { policy }) => {
  const done = await call.authority.putPolicy(order, policy, conditionOf(call));
  if (done.ok) call.reply.header('etag', `"${done.value.version}"`);
  return answer(call, done);
});
