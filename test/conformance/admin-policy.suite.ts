/** The gateway policy in the admin API, and the effect of its changes at a gateway. */
import { describe, expect, it } from 'vitest';
import type { StatusInfo } from '../../shared/admin/status.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import type { Policy, VersionedPolicy } from '../../shared/policy/policy.ts';
import { send } from './support/send.ts';
import {
  adminLines,
  adminValue,
  checkOnceVisible,
  expectAdminRefused,
  sendAdmin,
} from './support/send-admin.ts';
import { world } from './support/world.ts';

const FROM = '02-123-4567';

/** The effect and version of the rule at a gateway, with or without a release. */
async function atGateway(): Promise<{ effect: string | undefined; version: number | undefined }> {
  const { json } = await send('/v1/gateway/check', {
    ...{ method: 'POST', client: 'bulk', base: world().admin, body: { from: FROM } },
  });
  const reason = json.reasons.find(({ list }) => list === json.policy?.rule);
  return { effect: reason?.effect, version: json.policy?.version };
}

function put(policy: unknown, headers: Record<string, string> = {}) {
  return ['policy', { method: 'PUT', headers, body: { policy, reason: 'tests' } }] as const;
}

describe('the gateway policy', () => {
  it('the policy starts as the standard one, is replaced as a whole, and shows at the edge', async () => {
    const before = await adminValue<VersionedPolicy>('policy');
    expect(before.version).toBe(0);
    expect(await atGateway()).toEqual({ effect: 'block', version: 0 });
    const rules = before.policy.rules.map((rule) =>
      rule.id === 'kr-number-from-abroad' ? { ...rule, effect: 'label' as const, withholdCli: true } : rule,
    );
    const policy: Policy = { ...before.policy, rules, redress: { email: 'redress@numgate.example' } };
    const reply = await sendAdmin(...put(policy, { 'if-match': '"0"' }));
    const version = reply.json.seq;
    expect(reply.headers.get('etag')).toBe(`"${version}"`);
    await checkOnceVisible(version, { from: FROM });
    expect(await atGateway()).toEqual({ effect: 'label', version });
    expect(await adminValue<VersionedPolicy>('policy')).toEqual({ version, policy });
  });

  it('If-Match binds a change to the version that was read', async () => {
    await expectAdminRefused(put({ rules: [], label: 'x', redress: null }, { 'if-match': '"0"' }), [
      412,
      'PRECONDITION_FAILED',
    ]);
  });

  it.each([
    [
      'a rule without an effect',
      { rules: [{ id: 'a', when: {} }], label: 'x', redress: null },
      'policy.rules.0.effect',
    ],
    [
      'an unknown kind of sender',
      { rules: [{ id: 'a', when: { sender: ['kr'] }, effect: 'allow' }], label: 'x', redress: null },
      'policy.rules.0.when.sender.0',
    ],
    ['a field too many', { rules: [], label: 'x', redress: null, mode: 'shadow' }, 'policy.mode'],
    [
      'an attestation that allows',
      { rules: [{ id: 'a', when: { attestation: ['A'] }, effect: 'allow' }], label: 'x', redress: null },
      'policy.rules.0.when.attestation',
    ],
  ])('a policy with %s is rejected with the name of the field', async (_what, policy, field) => {
    const { status, json } = await sendAdmin(...put(policy));
    expect([status, json.field]).toEqual([400, field]);
  });

  it('the audit log has the policy before and after a change', async () => {
    const { n } = (await adminValue<StatusInfo>('status')).audit;
    const records = await adminLines<AuditRecord>('AuditRecord', `audit?after=${Math.max(0, n - 20)}`);
    const record = records.findLast(({ action }) => action === 'policy.put');
    expect(record).toMatchObject({
      subject: 'policy',
      reason: 'tests',
      before: { version: 0 },
      after: { version: expect.any(Number) },
    });
  });

  it('the scope read may read the policy; only the scope releases may replace it', async () => {
    const [path, request] = put({ rules: [], label: 'x', redress: null });
    for (const token of ['read', 'entries', 'clients'] as const) {
      expect((await sendAdmin(path, { ...request, token })).status).toBe(403);
    }
    expect((await sendAdmin('policy', { token: 'read' })).status).toBe(200);
    expect((await sendAdmin('policy', { token: 'releases' })).status).toBe(403);
  });
});
