/**
 * The gateway policy as admins see it, and how a change of it shows at a gateway.
 */
import { describe, expect, it } from 'vitest';
import type { StatusInfo } from '../../shared/admin.ts';
import type { AuditRecord } from '../../shared/audit.ts';
import type { Policy, VersionedPolicy } from '../../shared/policy/policy.ts';
import { ask } from './support/ask.ts';
import { askAdmin, checkFrom, refusedAdmin, told, toldLines } from './support/ask-admin.ts';
import { world } from './support/world.ts';

const FROM = '02-123-4567';

/** What the rule says there, whether or not there is a release. */
async function atGateway(): Promise<{ effect: string | undefined; version: number | undefined }> {
  const { json } = await ask('/v1/gateway/check', {
    ...{ method: 'POST', client: 'bulk', base: world().admin, body: { from: FROM } },
  });
  const reason = json.reasons.find(({ list }) => list === json.policy?.rule);
  return { effect: reason?.effect, version: json.policy?.version };
}

function put(policy: unknown, headers: Record<string, string> = {}) {
  return ['policy', { method: 'PUT', headers, body: { policy, reason: 'tests' } }] as const;
}

describe('the gateway policy', () => {
  it('is the one that comes with the code, is changed as a whole, and shows at the edge from its seq on', async () => {
    const before = await told<VersionedPolicy>('policy');
    expect(before.version).toBe(0);
    expect(await atGateway()).toEqual({ effect: 'block', version: 0 });
    const rules = before.policy.rules.map((rule) =>
      rule.id === 'kr-number-from-abroad' ? { ...rule, effect: 'label' as const, withholdCli: true } : rule,
    );
    const policy: Policy = { ...before.policy, rules, redress: { email: 'redress@numgate.example' } };
    const reply = await askAdmin(...put(policy, { 'if-match': '"0"' }));
    const version = reply.json.seq;
    expect(reply.headers.get('etag')).toBe(`"${version}"`);
    await checkFrom(version, { from: FROM });
    expect(await atGateway()).toEqual({ effect: 'label', version });
    expect(await told<VersionedPolicy>('policy')).toEqual({ version, policy });
  });

  it('is changed only as it was read, where that is asked for', async () => {
    await refusedAdmin(put({ rules: [], label: 'x', redress: null }, { 'if-match': '"0"' }), [
      412,
      'PRECONDITION_FAILED',
    ]);
  });

  it.each([
    [
      'a rule of no effect',
      { rules: [{ id: 'a', when: {} }], label: 'x', redress: null },
      'policy.rules.0.effect',
    ],
    [
      'a sender that is none',
      { rules: [{ id: 'a', when: { sender: ['kr'] }, effect: 'allow' }], label: 'x', redress: null },
      'policy.rules.0.when.sender.0',
    ],
    ['a field too many', { rules: [], label: 'x', redress: null, mode: 'shadow' }, 'policy.mode'],
    [
      'an attestation that lets through',
      { rules: [{ id: 'a', when: { attestation: ['A'] }, effect: 'allow' }], label: 'x', redress: null },
      'policy.rules.0.when.attestation',
    ],
  ])('is refused with %s, by the name of the field', async (_what, policy, field) => {
    const { status, json } = await askAdmin(...put(policy));
    expect([status, json.field]).toEqual([400, field]);
  });

  it('stands in the audit log, as it was before and after', async () => {
    const { n } = (await told<StatusInfo>('status')).audit;
    const records = await toldLines<AuditRecord>('AuditRecord', `audit?after=${Math.max(0, n - 20)}`);
    const record = records.findLast(({ action }) => action === 'policy.put');
    expect(record).toMatchObject({
      subject: 'policy',
      reason: 'tests',
      before: { version: 0 },
      after: { version: expect.any(Number) },
    });
  });

  it('is only read with the scope read, and only set with the scope releases', async () => {
    const [path, request] = put({ rules: [], label: 'x', redress: null });
    for (const token of ['read', 'entries', 'clients'] as const) {
      expect((await askAdmin(path, { ...request, token })).status).toBe(403);
    }
    expect((await askAdmin('policy', { token: 'read' })).status).toBe(200);
    expect((await askAdmin('policy', { token: 'releases' })).status).toBe(403);
  });
});
