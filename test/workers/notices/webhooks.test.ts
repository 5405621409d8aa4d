/** Webhooks over HTTP: which tokens may manage them, what is refused, and that secrets are shown once. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { AuditVerifier } from '../../../shared/audit.ts';
import { WEBHOOK_CHANGES_PER_HOUR_MAX, WEBHOOKS_MAX } from '../../../shared/limits/notices.ts';
import { bareOrganisation } from '../../../shared/organisations.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import { NoticeStore } from '../../../workers/notices/notice-store.ts';
import { freshControl, logged, putToken, send } from '../support/admin.ts';
import { coordinator } from '../support/coordinator.ts';
import { add, deliver, HOST, notice, pass, Receiver, resetBatches, store, stub } from '../support/notices.ts';

freshControl();

const PATH = 'organisations/acme/webhooks';
const URL_ONE = `https://${HOST}/one`;
let receiver: Receiver;

beforeEach(async () => {
  resetBatches();
  const organisation = { ...bareOrganisation('acme'), roles: ['operator', 'relay'], webhookHosts: [HOST] };
  await send('root', 'PUT organisations/acme', { organisation });
  await send('root', 'PUT organisations/other', {
    organisation: { ...organisation, id: 'other', roles: ['regulator', 'association', 'operator'] },
  });
  await putToken('acme', { role: 'relay', scopes: undefined, organisation: 'acme' });
  await putToken('stranger', { role: 'operator', scopes: undefined, organisation: 'other' });
  await putToken('regulator', { role: 'regulator', scopes: undefined, organisation: 'other' });
  receiver = new Receiver();
});

const addOne = async (url = URL_ONE, token = 'acme') => send(token, `POST ${PATH}`, { url });
const idOf = ({ answer }: { readonly answer: Record<string, unknown> }): string =>
  (answer.webhook as { readonly id: string }).id;

describe('webhooks', () => {
  it('are managed by their organisation, and by others only with the scope override', async () => {
    const id = idOf(await addOne());
    for (const [token, request, status] of [
      ['acme', `GET ${PATH}`, 200],
      ['acme', `GET ${PATH}/${id}`, 200],
      ['acme', 'GET organisations/acme/notices', 200],
      ['acme', 'GET organisations/other/webhooks', 403],
      ['stranger', `GET ${PATH}`, 403],
      ['stranger', `GET ${PATH}/${id}/deliveries`, 403],
      ['stranger', 'GET organisations/acme/notices', 403],
      ['stranger', `POST ${PATH}/${id}/rotate`, 403],
      ['regulator', `GET ${PATH}/${id}`, 200],
      ['regulator', `POST ${PATH}/${id}/disable`, 200],
      ['root', 'GET organisations/nobody/webhooks', 404],
      ['root', `GET ${PATH}/0a0b0c0d0e0f`, 404],
    ] as const) {
      const body = request.startsWith('POST') ? {} : null;
      expect([token, request, (await send(token, request, body)).status]).toEqual([token, request, status]);
    }
  });

  it.each([
    ['http://hooks.acme.example/', 422, 'WEBHOOK_URL_INSECURE'],
    ['https://2130706433/', 422, 'WEBHOOK_URL_ADDRESS'],
    ['https://[::ffff:127.0.0.1]/', 422, 'WEBHOOK_URL_ADDRESS'],
    ['https://printer.local/', 422, 'WEBHOOK_HOST_PRIVATE'],
    ['https://evil.example/', 422, 'WEBHOOK_HOST_NOT_ALLOWED'],
    ['https://user@hooks.acme.example/', 422, 'WEBHOOK_URL_INVALID'],
    ['http://localhost:9000/', 422, 'WEBHOOK_URL_INSECURE'],
    [1, 400, 'FIELD_TYPE'],
  ])('to %s are refused, and nothing is stored', async (url, status, code) => {
    const refused = await send('acme', `POST ${PATH}`, { url });
    expect([refused.status, refused.code, refused.answer.field]).toEqual([status, code, 'url']);
    expect((await send('acme', `GET ${PATH}`)).answer).toEqual({ webhooks: [] });
    expect(await store().audit(0, 10)).toEqual([]);
  });

  it('have types that exist, one for each URL, and so many at most', async () => {
    const refused = await send('acme', `POST ${PATH}`, { url: URL_ONE, types: ['test'] });
    expect([refused.status, refused.answer.field]).toEqual([400, 'types.0']);
    await addOne();
    expect(await addOne('HTTPS://HOOKS.acme.example/one')).toMatchObject({
      status: 409,
      code: 'WEBHOOK_KNOWN',
    });
    for (let index = 1; index < WEBHOOKS_MAX; index++) await addOne(`${URL_ONE}/${index}`);
    expect(await addOne(`${URL_ONE}/more`)).toMatchObject({ status: 409, code: 'WEBHOOKS_TOO_MANY' });
  });

  it('can be changed so often in an hour, and always be disabled and removed', async () => {
    const id = idOf(await addOne());
    for (let index = 1; index < WEBHOOK_CHANGES_PER_HOUR_MAX; index++)
      await store().rotateWebhook({ ...anybody, repeat: null }, id);
    const over = await send('acme', `POST ${PATH}/${id}/rotate`, {});
    expect(over).toMatchObject({ status: 429, code: 'BUDGET_EXCEEDED' });
    expect(Number(over.retryAfter)).toBeGreaterThan(0);
    expect((await send('acme', `POST ${PATH}/${id}/disable`, {})).status).toBe(200);
    expect((await send('acme', `DELETE ${PATH}/${id}`, {})).status).toBe(200);
  });

  it('show their secrets once, also to a repeated request, and nowhere else', async () => {
    const headers = { 'idempotency-key': 'one' };
    const added = await send('acme', `POST ${PATH}`, { url: URL_ONE }, { headers });
    const again = await send('acme', `POST ${PATH}`, { url: URL_ONE }, { headers });
    expect(again.answer).toEqual(added.answer);
    const id = idOf(added);
    const { secret, publicKey } = added.answer as { secret: string; publicKey: string };
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
    const rotated = (await send('acme', `POST ${PATH}/${id}/rotate`, {})).answer as { secret: string };
    expect(rotated.secret).not.toBe(secret);
    await add(notice('a'));
    await deliver();
    const answers = [
      ...(await Promise.all(
        [PATH, `${PATH}/${id}`, `${PATH}/${id}/deliveries`, 'organisations/acme/notices/1'].map((path) =>
          send('acme', `GET ${path}`),
        ),
      )),
      await send('acme', `POST ${PATH}/${id}/test`, {}),
    ].map(({ status, answer }) => {
      expect(status).toBe(200);
      return JSON.stringify(answer);
    });
    const stored = JSON.stringify(await store().audit(0, 100)) + JSON.stringify(logged);
    const rows = await runInDurableObject(stub(), (_, { storage }) =>
      ['answers', 'webhooks', 'audit', 'deliveries'].flatMap((table) =>
        storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
      ),
    );
    for (const text of [...answers, stored, JSON.stringify(rows)]) {
      for (const each of [secret, rotated.secret]) expect(text).not.toContain(each.slice(6));
    }
    expect(stored).not.toContain('/one');
  });

  it('can be tried with a notice that is marked as mock, and say what became of it', async () => {
    const id = idOf(await addOne());
    await send('acme', `POST ${PATH}`, { url: `${URL_ONE}/other` });
    receiver.answer = () => 302;
    const failed = await send('acme', `POST ${PATH}/${id}/test`, {});
    expect(failed.answer).toMatchObject({
      state: 'failed',
      type: 'test',
      log: [{ status: 302, error: 'REDIRECT' }],
    });
    receiver.answer = () => 200;
    await send('acme', `POST ${PATH}/${id}/disable`, {});
    const done = await send('acme', `POST ${PATH}/${id}/test`, {}, { headers: { 'idempotency-key': 'two' } });
    expect(done.answer).toMatchObject({ state: 'delivered', version: 2 });
    await send('acme', `POST ${PATH}/${id}/test`, {}, { headers: { 'idempotency-key': 'two' } });
    await deliver();
    // Only the tested webhook gets a request, and the repeated request sends nothing again.
    expect(receiver.received.map(({ path, version }) => [path, version])).toEqual([
      ['one', 1],
      ['one', 2],
    ]);
    expect(JSON.parse(receiver.received[1]!.body)).toMatchObject({ type: 'kr.numgate.test.v1', mock: true });
    expect(await store().totals('2000-01', '2100-01')).toEqual([]);
  });

  it('are refused without SHARING_KEY, and what waits goes on waiting', async () => {
    const id = idOf(await addOne());
    await add(notice('a'));
    const results = await runInDurableObject(stub(), async (_, state) => {
      const { SHARING_KEY: _key, ...rest } = env as unknown as ControlEnv;
      const object = new NoticeStore(state, rest);
      const request = { ...anybody, repeat: null };
      const refused = [
        await object.addWebhook(request, 'acme', { url: `${URL_ONE}/new`, types: [] }),
        await object.rotateWebhook(request, id),
        await object.testWebhook(request, id),
      ];
      await object.alarm();
      const { position, waiting, attempts, secretNumber } = (await object.webhooks())[0]!;
      return [
        ...refused.map((each) => (each.ok ? 'ok' : each.code)),
        position,
        waiting,
        attempts,
        secretNumber,
      ];
    });
    expect(results).toEqual([...Array<string>(3).fill('NOT_CONFIGURED'), 0, 1, 0, 1]);
    expect(logged.map(({ event, what }) => [event, what])).toEqual([['webhooksBlocked', 'SHARING_KEY']]);
    expect(receiver.received).toEqual([]);
    await pass(3_600_000);
    expect(receiver.versions()).toEqual([1]);
  });

  it('go to hosts that whoever manages clients allows', async () => {
    await putToken('manager', { role: 'association', scopes: undefined, organisation: 'other' });
    const put = (hosts: unknown, token = 'manager', headers = {}) =>
      send(token, 'PUT organisations/acme/webhook-hosts', { webhookHosts: hosts }, { headers });
    expect(await put(['a.example'], 'acme')).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
    expect(await put(['10.0.0.1'])).toMatchObject({ status: 400, code: 'FIELD_VALUE' });
    expect(await put(['a.example'], 'manager', { 'if-match': '"0000000000000000"' })).toMatchObject({
      status: 412,
    });
    expect(await put(['a.example', HOST])).toMatchObject({ status: 200 });
    expect(await coordinator().organisation('acme')).toMatchObject({
      ...{ webhookHosts: ['a.example', HOST], roles: ['operator', 'relay'] },
    });
    expect((await addOne('https://a.example/x')).status).toBe(200);
  });

  it('keep their organisation from being removed', async () => {
    const path = 'organisations/other/webhooks';
    const id = idOf(await send('root', `POST ${path}`, { url: URL_ONE }));
    for (const token of ['stranger', 'regulator']) await send('root', `DELETE tokens/${token}`, {});
    const remove = async () => send('root', 'DELETE organisations/other', {});
    expect(await remove()).toMatchObject({ status: 409, code: 'ORGANISATION_IN_USE' });
    await send('root', `DELETE ${path}/${id}`, {});
    expect(await remove()).toMatchObject({ status: 200 });
  });

  it('have an audit chain, whose end is in the audit log', async () => {
    const id = idOf(await addOne());
    await send('acme', `POST ${PATH}/${id}/disable`, {});
    await send('acme', `POST ${PATH}/${id}/enable`, { skip: true });
    await pass(3_600_000);
    const records = await store().audit(0, 10);
    const verifier = new AuditVerifier();
    for (const record of records) expect(verifier.next(record)).toBeNull();
    expect(records.map(({ action, subject }) => `${action} ${subject}`)).toEqual(
      ['add', 'disable', 'enable'].map((action) => `webhooks.${action} webhook ${id}`),
    );
    expect(records[0]!.after).toMatchObject({ host: HOST, secretNumber: 1 });
    const log = await coordinator().audit(0, 100);
    expect(log.find(({ action }) => action === 'webhooks.anchor')).toMatchObject({
      ...{ subject: 'acme', after: { n: 3, hash: records[2]!.hash } },
    });
  });
});

const anybody = {
  ...{ actor: { name: 'token:acme', organisation: 'acme', authority: null, scopes: [], root: false } },
  reason: 'test',
};
