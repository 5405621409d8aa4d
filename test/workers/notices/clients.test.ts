/** `/v1/notices`: the clients of an organisation read only its own notices, and answer guidance. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '../../../shared/bytes.ts';
import type { Right } from '../../../shared/clients.ts';
import { NOTICE_REQUESTS_MAX } from '../../../shared/limits/notices.ts';
import type { Notice, NoticePage } from '../../../shared/notices/notice.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import worker from '../../../workers/main.ts';
import { freshControl, send as sendAdmin } from '../support/admin.ts';
import { add, notice, resetBatches } from '../support/notices.ts';

freshControl();

const SECRET = 's'.repeat(43);

beforeEach(async () => {
  resetBatches();
  for (const id of ['acme', 'other'])
    await sendAdmin('root', `PUT organisations/${id}`, {
      organisation: { ...bareOrganisation(id), roles: [] },
    });
  await putClient('acme-main', { rights: ['check', 'notices'] });
  await putClient('acme-mock', { rights: ['notices'], mock: true });
  await putClient('acme-check', { rights: ['check'] });
  await putClient('other-main', { rights: ['notices'], organisation: 'other' });
  await add(
    notice('a'),
    notice('b', { type: 'recipients.guidance', respondBy: Date.now() + 86_400_000 }),
    notice('c', { type: 'recipients.guidance', respondBy: Date.now() + 86_400_000, mock: true }),
  );
});

async function putClient(id: string, rest: { rights: Right[]; organisation?: string; mock?: boolean }) {
  const client = { id, secretSha256: [await sha256Hex(SECRET)], organisation: 'acme', ...rest };
  expect((await sendAdmin('root', `PUT clients/${id}`, { client })).status).toBe(200);
}

async function send<Value = Record<string, unknown>>(client: string, request: string, body?: object) {
  const [method = '', path = ''] = request.split(' ');
  const ctx = createExecutionContext();
  const response = await worker.fetch(
    new Request(`https://numgate.test/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${client}.${SECRET}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }) as never,
    env as never,
    ctx,
  );
  const json = (await response.json()) as Value & { code?: string; field?: string };
  await waitOnExecutionContext(ctx);
  return { status: response.status, json };
}

const answer = (rest: object = {}) => ({ informed: 12, at: new Date(Date.now()).toISOString(), ...rest });

describe('the notices of an organisation', () => {
  it('are for its own clients with the right', async () => {
    const page = await send<NoticePage>('acme-main', 'GET notices');
    expect(page.json.notices.map(({ version, mock }) => [version, mock])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
    expect(page.json.next).toBeNull();
    expect((await send<NoticePage>('other-main', 'GET notices')).json).toEqual({ notices: [], next: null });
    expect(await send('other-main', 'GET notices/1')).toMatchObject({
      status: 404,
      json: { code: 'NOTICE_UNKNOWN' },
    });
    expect(await send('acme-check', 'GET notices')).toMatchObject({ status: 401 });
    expect(await send('nobody', 'GET notices')).toMatchObject({ status: 401 });
  });

  it('come in pages, and one by one', async () => {
    const page = await send<NoticePage>('acme-main', 'GET notices?after=1&limit=1');
    expect([page.json.notices.length, page.json.next]).toEqual([1, 2]);
    expect((await send<Notice>('acme-main', 'GET notices/1')).json).toMatchObject({
      ...{ version: 1, type: 'kr.numgate.sender.blocked.v1', subject: 'reference-a', respondBy: null },
      data: { number: '+821012345678' },
    });
    for (const [request, status, code] of [
      ['GET notices/0', 404, 'NOTICE_UNKNOWN'],
      ['GET notices/01', 404, 'NOTICE_UNKNOWN'],
      ['GET notices/a', 404, 'NOTICE_UNKNOWN'],
      ['GET notices/999999999999999999', 404, 'NOTICE_UNKNOWN'],
      ['GET notices?after=-1', 400, 'FIELD_VALUE'],
      ['GET notices?before=1', 400, 'FIELD_UNKNOWN'],
    ] as const) {
      expect([request, await send('acme-main', request)]).toMatchObject([
        request,
        { status, json: { code } },
      ]);
    }
  });

  it('are answered by field, once, and as mock only by mock clients', async () => {
    const path = 'POST notices/2/acknowledge';
    for (const [body, code, field] of [
      [{}, 'FIELD_MISSING', 'informed'],
      [answer({ informed: -1 }), 'FIELD_VALUE', 'informed'],
      [answer({ informed: 1.5 }), 'FIELD_VALUE', 'informed'],
      [answer({ at: 'today' }), 'FIELD_VALUE', 'at'],
      [answer({ at: '2000-01-01T00:00:00Z' }), 'FIELD_VALUE', 'at'],
      [answer({ note: 'two\nlines' }), 'FIELD_VALUE', 'note'],
      [answer({ count: 1 }), 'FIELD_UNKNOWN', 'count'],
    ] as const) {
      const { status, json } = await send('acme-main', path, body);
      expect([body, status, json.code, json.field]).toEqual([body, 400, code, field]);
    }
    expect((await send<Notice>('acme-main', 'GET notices/2')).json.acknowledgement).toBeNull();
    const given = answer({ note: 'by text message' });
    const done = await send<Notice>('acme-main', path, given);
    expect(done).toMatchObject({ status: 200, json: { acknowledgement: given } });
    expect((await send('acme-main', path, given)).json).toEqual(done.json);
    expect(await send('acme-main', 'POST notices/1/acknowledge', answer())).toMatchObject({
      ...{ status: 409, json: { code: 'NOTICE_UNANSWERABLE' } },
    });
    expect(await send('acme-mock', path, answer())).toMatchObject({ status: 409 });
    expect(await send('acme-mock', 'POST notices/3/acknowledge', answer())).toMatchObject({ status: 200 });
    vi.setSystemTime(Date.now() + 86_400_001);
    const late = await send('acme-main', path, answer({ informed: 13 }));
    expect(late).toMatchObject({ status: 409, json: { code: 'NOTICE_ANSWERED' } });
  });

  it('can be read so often in a minute', async () => {
    for (let index = 0; index < NOTICE_REQUESTS_MAX; index++) await send('acme-main', 'GET notices/9');
    expect(await send('acme-main', 'GET notices')).toMatchObject({
      status: 429,
      json: { code: 'QUOTA_EXCEEDED' },
    });
    expect((await send('acme-mock', 'GET notices')).status).toBe(200);
  });
});
