/** A second person over HTTP: a change that waits, the decisions on it, and turning approvals off again. */
import { describe, expect, it } from 'vitest';
import type { Approvals, PendingChange, Proposal, ProposalInfo } from '../../shared/proposals.ts';
import { adminValue, expectAdminRefused, sendAdmin } from './support/send-admin.ts';

const reason = 'a test';
const setApprovals = (approvals: Approvals) =>
  sendAdmin('approvals', { method: 'PUT', body: { approvals, reason } });

/** Proposes other guards. The response is checked against the OpenAPI document. */
async function propose(addShare: number, headers: Record<string, string> = {}): Promise<Proposal> {
  const guards = { ...(await adminValue('guards')), addShare };
  const request = { method: 'PUT', body: { guards, reason }, headers, token: 'guards' } as const;
  const { status, json } = await sendAdmin('guards', request);
  expect(status).toBe(202);
  return (json as unknown as PendingChange).proposal;
}

describe('a second person', () => {
  it('by default nothing waits; a kind that waits is answered with 202 and the proposal', async () => {
    expect(await adminValue('approvals')).toEqual({ kinds: [], waitSeconds: 86_400 });
    expect((await setApprovals({ kinds: ['guards'], waitSeconds: 3_600 })).status).toBe(200);
    const proposal = await propose(0.41);
    expect(proposal).toMatchObject({ state: 'pending', kinds: ['guards'], proposer: 'token:only-guards' });
    const guards = { ...(await adminValue('guards')), addShare: 0.41 };
    const request = { command: 'putGuards', fields: { guards } };
    expect(await adminValue(`proposals/${proposal.id}`)).toEqual({ ...proposal, request });
    const { proposals } = await adminValue<{ proposals: ProposalInfo[] }>('proposals');
    expect(proposals[0]).toMatchObject({ id: proposal.id, sha256: proposal.sha256 });
    expect((await adminValue('status')).proposals).toMatchObject({ pending: 1 });
    expect((await adminValue('guards')).addShare).not.toBe(0.41);
    const body = { sha256: proposal.sha256 };
    const done = await adminValue(`proposals/${proposal.id}/approve`, { body, token: 'approve' });
    expect(done).toMatchObject({ state: 'approved', decidedBy: 'token:only-approve' });
    expect((await adminValue('guards')).addShare).toBe(0.41);
  });

  it('a repeat of the request gets the same proposal', async () => {
    const headers = { 'idempotency-key': 'the same proposal' };
    const first = await propose(0.42, headers);
    expect((await propose(0.42, headers)).id).toBe(first.id);
    await adminValue(`proposals/${first.id}/reject`, { body: { reason }, token: 'approve' });
  });

  it('its problems have a status, a code, and the field', async () => {
    const { id, sha256 } = await propose(0.43);
    const approve = `proposals/${id}/approve`;
    const sent = (body: object, token: 'approve' | 'guards' = 'approve') => ({ body, token });
    await expectAdminRefused([approve, sent({ sha256 }, 'guards')], [403, 'PERMISSION_DENIED']);
    await expectAdminRefused([approve, sent({ sha256: '0'.repeat(64) })], [409, 'PROPOSAL_CHANGED']);
    await expectAdminRefused([approve, sent({})], [400, 'FIELD_MISSING', 'sha256']);
    await expectAdminRefused([`proposals/${id}/reject`, sent({})], [400, 'FIELD_MISSING', 'reason']);
    await expectAdminRefused(['proposals/999999', {}], [404, 'PROPOSAL_UNKNOWN']);
    await expectAdminRefused(['proposals/one', {}], [400, 'FIELD_VALUE', 'id']);
    await expectAdminRefused(
      [`proposals/${id}`, { method: 'DELETE', body: { reason } }],
      [403, 'APPROVER_REFUSED'],
    );
    await adminValue(`proposals/${id}/reject`, sent({ reason }));
    await expectAdminRefused([approve, sent({ sha256 })], [409, 'PROPOSAL_DECIDED']);
    const short = { approvals: { kinds: ['guards'], waitSeconds: 1 }, reason };
    await expectAdminRefused(
      ['approvals', { method: 'PUT', body: short }],
      [400, 'FIELD_VALUE', 'approvals.waitSeconds'],
    );
  });

  it('break-glass needs its own scope, and applies at once', async () => {
    const guards = { ...(await adminValue('guards')), addShare: 0.44 };
    const body = { guards, reason, breakGlass: true };
    const put = { method: 'PUT', body } as const;
    await expectAdminRefused(['guards', { ...put, token: 'guards' }], [403, 'PERMISSION_DENIED']);
    expect(await adminValue('guards', put)).toMatchObject({ addShare: 0.44 });
    const { proposals } = await adminValue<{ proposals: ProposalInfo[] }>('proposals');
    const taken = proposals.find(({ state }) => state === 'unreviewed')!;
    const rejected = await adminValue(`proposals/${taken.id}/reject`, { body: { reason }, token: 'approve' });
    expect(rejected).toMatchObject({ state: 'reverted' });
    expect((await adminValue('guards')).addShare).toBe(0.41);
  });

  it('is switched off only by two', async () => {
    const { status, json } = await setApprovals({ kinds: [], waitSeconds: 3_600 });
    expect(status).toBe(202);
    const { id, sha256 } = (json as unknown as PendingChange).proposal;
    await expectAdminRefused([`proposals/${id}/approve`, { body: { sha256 } }], [403, 'APPROVER_REFUSED']);
    await adminValue(`proposals/${id}/approve`, { body: { sha256 }, token: 'approve' });
    expect((await adminValue<Approvals>('approvals')).kinds).toEqual([]);
  });
});
