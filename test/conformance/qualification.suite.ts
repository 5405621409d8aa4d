/**
 * Qualifications: set by the regulator, in force at the edge, and in the public register, whose documents a relay verifies with
 * third-party software.
 */
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import { type Answer, openApi, type Request, send } from './support/send.ts';
import { adminValue, checkOnceVisible, expectAdminRefused, sendAdmin } from './support/send-admin.ts';
import { world } from './support/world.ts';

const PATH = 'organisations/graded/qualification';
const TOKEN = { token: 'qualification' } as const;
const set = (state: string, rest: object = {}) => ({
  ...{ ...TOKEN, method: 'PUT', body: { state, reason: 'committee', ...rest } },
});

let client: Request = {};
async function make(): Promise<void> {
  const reason = 'tests';
  const organisation = { id: 'graded', displayName: 'Graded Relay', senderCode: 'GRADED01' };
  await adminValue('organisations/graded', { method: 'PUT', body: { organisation, reason } });
  const { key, secretSha256 } = await newKey('graded');
  const own = { id: 'graded', organisation: 'graded', secretSha256: [secretSha256], rights: ['check'] };
  await adminValue('clients/graded', { method: 'PUT', body: { client: own, reason } });
  client = { base: world().admin, client: null, headers: { authorization: `Bearer ${key}` } };
  const isKnown = async () => (await send('/v1/check', { ...client, body: { to: '112' } })).status === 200;
  while (!(await isKnown())) await new Promise((resolve) => setTimeout(resolve, 250));
}

/** Reads a public document and checks it against the OpenAPI document. Caches may keep it, so `send` cannot. */
async function get(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(world().admin + path);
  const { status, headers } = response;
  const body: unknown = await (/json$/.test(headers.get('content-type')!)
    ? response.json()
    : response.text());
  expect((await openApi()).responseErrors(path, 'GET', response, body)).toBe('');
  return { status, body };
}

/** The qualification reason in a check, once the change is visible. The service may have no lists yet. */
async function reasonAt(seq: number): Promise<Partial<Answer['reasons'][number]> | undefined> {
  const { reasons } = await checkOnceVisible(seq, { from: '02-312-1234' }, client);
  return reasons.find(({ list }) => list === 'qualification');
}

describe('a qualification', () => {
  it('is set by the regulator for others, in possible moves, and listed', async () => {
    await make();
    await expectAdminRefused([PATH, TOKEN], [404, 'QUALIFICATION_UNKNOWN']);
    await expectAdminRefused([PATH, set('suspended')], [409, 'QUALIFICATION_STATE']);
    await expectAdminRefused([PATH, set('rateReduced')], [400, 'FIELD_VALUE', 'factor']);
    await expectAdminRefused([PATH, set('certified', { grade: 1 })], [400, 'FIELD_UNKNOWN', 'grade']);
    const own = PATH.replace('graded', 'default');
    await expectAdminRefused([own, set('certified')], [403, 'QUALIFICATION_OWN']);
    const { headers } = await sendAdmin(PATH, set('certified', { nextInspectionBy: '2040-01-01T00:00:00Z' }));
    const etag = headers.get('etag')!;
    expect(await adminValue(PATH, TOKEN)).toMatchObject({ organisation: 'graded', state: 'certified' });
    const late = { ...set('certified'), headers: { 'if-match': '"0123456789abcdef"' } };
    await expectAdminRefused([PATH, late], [412, 'PRECONDITION_FAILED']);
    await adminValue(PATH, { ...set('certified'), headers: { 'if-match': etag } });
    const { qualifications } = await adminValue<{ qualifications: object[] }>(
      'qualifications?state=certified',
    );
    expect(qualifications).toMatchObject([{ organisation: 'graded', nextInspectionBy: null }]);
    await expectAdminRefused(['qualifications?state=good', TOKEN], [400, 'FIELD_VALUE', 'state']);
    const due = 'qualifications?inspectionDueBefore=soon';
    await expectAdminRefused([due, TOKEN], [400, 'FIELD_VALUE', 'inspectionDueBefore']);
  });

  it('stops the texts of its organisation, and the token that a relay holds', async () => {
    // The relay keeps the keys and the token, and reads the status list.
    const keys = createLocalJWKSet((await get('/.well-known/jwks.json')).body as JSONWebKeySet);
    const token = (await get('/v1/register/GRADED01/token')).body as string;
    const { payload } = await jwtVerify(token, keys, { typ: 'qualification+jwt' });
    expect(payload).toMatchObject({ sub: 'graded', osc: 'GRADED01', state: 'certified' });
    const { idx, uri } = (payload.status as { status_list: { idx: number; uri: string } }).status_list;
    const statusNow = async (): Promise<number> => {
      const list = (await get(new URL(uri).pathname)).body as string;
      await jwtVerify(list, keys, { typ: 'statuslist+jwt', subject: uri });
      return getListFromStatusListJWT(list).getStatus(idx);
    };
    expect(await statusNow()).toBe(0);
    const { seq } = await adminValue<{ seq: number }>(PATH, set('suspended'));
    expect(await reasonAt(seq)).toMatchObject({
      ...{ code: 'SENDER_SUSPENDED', effect: 'block', detail: 'see /v1/register/graded' },
    });
    while ((await statusNow()) !== 2) await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await get('/v1/register/graded/token')).status).toBe(404);
  });

  it('is public by name, and reveals nothing else', async () => {
    const { body } = await get(`/v1/register/${encodeURIComponent('graded RELAY')}`);
    const [found, ...others] = (body as { matches: Record<string, unknown>[] }).matches;
    expect(others).toEqual([]);
    expect(Object.keys(found!).sort()).toEqual([
      ...['factor', 'id', 'inspectedAt', 'name', 'nextInspectionBy', 'senderCode', 'since', 'state'],
      'validUntil',
    ]);
    // Without a qualification, an organisation is as unknown as one that does not exist.
    for (const name of ['default', 'nobody']) expect((await get(`/v1/register/${name}`)).status).toBe(404);
    const download = (await get('/v1/register')).body as string;
    const keys = createLocalJWKSet((await get('/.well-known/jwks.json')).body as JSONWebKeySet);
    const { payload } = await jwtVerify(download, keys, { typ: 'register+jwt' });
    expect(payload.register).toMatchObject([{ id: 'graded', senderCode: 'GRADED01' }]);
    expect((await get('/v1/status-lists/other')).status).toBe(404);
  });
});
