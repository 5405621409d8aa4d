/** `GET /v1/admin/usage`: checks are counted exactly once, and the counts are shown only to those who may see them. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import type { UsageReport } from '../../shared/usage/report.ts';
import { HANG_MS } from '../shared/support/hang.ts';
import { type Reply, send } from './support/send.ts';
import { adminValue, expectAdminRefused } from './support/send-admin.ts';
import { world } from './support/world.ts';

const CLIENT = 'counted';
const WAIT = { timeout: HANG_MS, interval: 500 };
let key: string;

/** @param base URL of the control plane, and of the edge that gets the requests */
async function addClient(id: string, base: string, organisation = 'default'): Promise<string> {
  const made = await newKey(id);
  const client = { id, secretSha256: [made.secretSha256], rights: ['check', 'gateway'], organisation };
  await adminValue(`clients/${id}`, { base, method: 'PUT', body: { client, reason: 'a test' } });
  return made.key;
}

function sendAs(
  path: string,
  body: unknown,
  base = world().admin,
  type = 'application/json',
): Promise<Reply> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': type };
  return send(path, { base, client: null, method: 'POST', body, headers });
}

async function report(query: string, base = world().admin): Promise<UsageReport> {
  return adminValue<UsageReport>(`usage?${query}`, { base });
}

describe('usage', () => {
  afterAll(() => adminValue(`clients/${CLIENT}`, { method: 'DELETE', body: { reason: 'a test' } }));

  beforeAll(async () => {
    key = await addClient(CLIENT, world().admin);
    // Refused requests with an unknown key are not counted.
    await vi.waitFor(async () => expect((await sendAs('/v1/check', { to: '112' })).status).toBe(200), WAIT);
  });

  it('the counts of known requests are exact, by every dimension', async () => {
    const [blocked, passes] = ['+82100000090', '+821044445555'];
    const ingress = { type: 'international', operator: '45204', country: 'VN' };
    const replies = [
      await sendAs('/v1/check', { from: '+12125550123', to: passes }),
      await sendAs('/v1/check', { to: passes, channel: 'voice' }),
      await sendAs('/v1/check', { too: passes }),
      await sendAs('/v1/check/batch', {
        items: [{ to: blocked }, { to: blocked }, { to: 'x' }, { to: passes }],
      }),
      await sendAs('/v1/check/stream', `${blocked}\n${passes}\nx\n`, world().admin, 'text/plain'),
      await sendAs('/v1/gateway/check', { channel: 'sms', from: '+84912345678', to: passes, ingress }),
    ];
    const sent = replies.map(({ text }) => text).join('\n');
    // The responses are JSON, or lines of text.
    const received = (verdict: string): number =>
      sent.split(new RegExp(`"verdict":"${verdict}"|,${verdict},`)).length - 1;
    await vi.waitFor(async () => {
      const { clients } = await report(`client=${CLIENT}`);
      expect(clients[0]!.numbers).toBe(11);
    }, WAIT);
    const { clients, next } = await report(`client=${CLIENT}&by=channel`);
    const [counted] = clients;
    expect(next).toBeNull();
    expect(counted).toMatchObject({
      ...{ client: CLIENT, organisation: 'default', requests: 7, errors: 1, numbers: 11, invalidItems: 2 },
      ...{ lostNumbers: 0, recordBytes: 0 },
    });
    // The set-up also sent one check, which was allowed.
    const { allow, ...others } = counted!.verdicts;
    expect(allow).toBe(received('allow') + 1);
    for (const [verdict, count] of Object.entries(others))
      expect([verdict, count]).toEqual([verdict, received(verdict)]);
    expect(others.block).toBeGreaterThanOrEqual(3);
    expect(counted!.periods!.map(({ at }) => at).at(-1)).toBe(counted!.lastUsedAt);
    const names = async (by: string): Promise<Record<string, number>> => {
      const [one] = (await report(`client=${CLIENT}&by=${by}`)).clients;
      return Object.fromEntries(
        one!.names!.map((each) => [each.name, each.allow + each.label + each.indeterminate + each.block]),
      );
    };
    expect(await names('channel')).toEqual({ sms: 8, voice: 1 });
    expect(await names('country')).toEqual({ US: 1, VN: 1, '(none)': 7 });
    expect(await names('operator')).toEqual({ 45204: 1, '(none)': 8 });
    expect(await names('code')).toMatchObject({ NUMBER_FORMAT_INVALID: 3 });
    expect(await names('list')).toMatchObject({ 'numbering-plan': 3 });
  });

  it('counts of an edge arrive at control', async () => {
    const { control, edge } = world();
    key = await addClient('counted-apart', control);
    await vi.waitFor(async () => {
      expect((await sendAs('/v1/check', { to: '112' }, edge)).status).toBe(200);
    }, WAIT);
    await vi.waitFor(async () => {
      const { clients } = await report('client=counted-apart', control);
      expect(clients[0]).toMatchObject({ requests: 1, errors: 0, numbers: 1 });
    }, WAIT);
  });

  it('a token sees the clients of its organisation, and with `statistics` all', async () => {
    const organisation = {
      id: 'counted-org',
      displayName: 'Counted',
      authority: null,
      roles: ['operator', 'auditor'],
    };
    await adminValue('organisations/counted-org', {
      method: 'PUT',
      body: { organisation, reason: 'a test' },
    });
    await addClient('counted-own', world().admin, 'counted-org');
    const seen = async (role: string): Promise<string[]> => {
      const made = await newKey(`counted-${role}`);
      const token = {
        id: `counted-${role}`,
        secretSha256: [made.secretSha256],
        role,
        organisation: 'counted-org',
      };
      await adminValue(`tokens/${token.id}`, { method: 'PUT', body: { token, reason: 'a test' } });
      const { clients } = await adminValue<UsageReport>('usage', { token: { key: made.key } });
      const foreign = await adminValue<UsageReport>(`usage?client=${CLIENT}`, {
        token: { key: made.key },
      }).catch(() => null);
      return [...clients.map(({ client }) => client), ...(foreign === null ? ['foreign refused'] : [])];
    };
    try {
      expect(await seen('operator')).toEqual(['counted-own', 'foreign refused']);
      expect(await seen('auditor')).toEqual(expect.arrayContaining(['counted-own', CLIENT]));
    } finally {
      const remove = { method: 'DELETE', body: { reason: 'a test' } };
      for (const id of ['counted-operator', 'counted-auditor']) await adminValue(`tokens/${id}`, remove);
      await adminValue('clients/counted-own', remove);
    }
  });

  it.each([
    ['a time with minutes', 'from=2026-11-24T03:30Z', 'FIELD_VALUE', 'from'],
    ['a day that does not exist', 'to=2026-02-30', 'FIELD_VALUE', 'to'],
    ['an end before the start', 'from=2026-11-24&to=2026-11-23', 'FIELD_CONTRADICTION', 'from'],
    ['more than the stored days', 'from=2024-01-01&to=2026-01-01', 'FIELD_VALUE', 'from'],
    ['an unknown dimension', 'by=number', 'FIELD_VALUE', 'by'],
    ['an unknown parameter', 'number=1', 'FIELD_UNKNOWN', 'number'],
  ])('%s is refused by name', async (_what, query, code, field) => {
    await expectAdminRefused([`usage?${query}`, {}], [400, code, field]);
  });

  it('an unknown client is 404', async () => {
    await expectAdminRefused(['usage?client=nobody', {}], [404, 'CLIENT_UNKNOWN']);
  });
});
