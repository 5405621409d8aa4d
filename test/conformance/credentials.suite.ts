/**
 * Credentials over HTTP: an issuer on this machine, certificates that it signs, delegations, and status lists that revoke them,
 * until a check is refused.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '../../cli/secrets.ts';
import type {
  CertificateInfo,
  DelegationInfo,
  IssuerInfo,
  StatusListDone,
  StatusListInfo,
} from '../../shared/admin/credentials.ts';
import { type AuditRecord, AuditVerifier } from '../../shared/audit.ts';
import { DELEGATION_TYPE, PROOF_TYPE, STATUS_LIST_TYPE } from '../../shared/credentials/claims.ts';
import { digestOf } from '../../shared/credentials/keys.ts';
import { packStatuses, type Status, statusListClaim } from '../../shared/credentials/status-list.ts';
import type { Registration } from '../../shared/senders/registration.ts';
import {
  certificate,
  messageToken,
  newSigner,
  type Signer,
  sign,
} from '../shared/support/credential-world.ts';
import { addClient, addOrganisation, asToken as as, putDocument as put } from './support/organisations.ts';
import { check, type Request } from './support/send.ts';
import { adminLines, adminValue, expectAdminRefused, sendAdmin } from './support/send-admin.ts';
import { world } from './support/world.ts';

const OWNER = 'credential-owner';
const RELAY = 'credential-relay';
const ASSOCIATION = 'credential-ktoa';
const NUMBER = '8215991234';
const reason = 'a test';
const nowS = () => Math.floor(Date.now() / 1000);

let issuer: Signer;
let holder: Signer;
let relay: Signer;
let client: Request;
let list = '';
let pulls = 0;
const server = createServer((_, response) => {
  pulls++;
  response.end(list);
});
const host = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;
const uri = () => `http://${host()}/list`;

async function statusList(statuses: [number, Status][], later = 0): Promise<string> {
  const status_list = await statusListClaim(packStatuses(new Map(statuses), 1_000));
  const claims = { sub: uri(), iat: nowS() + later, exp: nowS() + 3_600, ttl: 3_600, status_list };
  return sign(issuer, STATUS_LIST_TYPE, claims, { kid: 'k1' });
}

const issuerBody = (rest: object = {}) => ({
  ...{ id: 'test-carrier', organisation: ASSOCIATION, iss: 'https://carrier.example', statusHosts: [host()] },
  ...{ keys: { keys: [{ ...issuer.jwk, kid: 'k1' }] }, numbers: ['+8215990000..+8215999999'], ...rest },
});
const putIssuer = (rest: object = {}) => ({
  ...{ method: 'PUT', body: { issuer: issuerBody(rest), reason }, ...as(ASSOCIATION) },
});

async function upload(index: number, some: object = {}) {
  const jws = await certificate(issuer, holder, {
    ...{ iat: nowS(), nbf: nowS() - 60, exp: nowS() + 86_400, nums: [`+${NUMBER}`] },
    ...{ status: { status_list: { idx: index, uri: uri() } }, ...some },
  });
  const crt = await digestOf(jws);
  const proof = await sign(holder, PROOF_TYPE, { aud: OWNER, iat: nowS(), crt });
  return { certificate: jws, key: holder.jwk, proof, clients: [`${OWNER}-main`] };
}
const CERTIFICATES = `organisations/${OWNER}/certificates`;
const add = (body: object) => ({ body, ...as(OWNER) });

/** The codes of a check with a token of this chain. */
async function codesOf(signer: Signer, chain: readonly string[]): Promise<string[]> {
  const times = { iat: nowS() - 5, exp: nowS() + 600 };
  const senderToken = await messageToken(signer, chain, { aud: OWNER, orig: { tn: NUMBER }, ...times });
  const { reasons } = await check({ from: `+${NUMBER}`, senderToken }, client);
  return reasons
    .map(({ code }) => code)
    .filter((code) => /^(CERTIFICATE|DELEGATION|TOKEN|LIST_STALE)/.test(code));
}

async function untilCodes(signer: Signer, chain: readonly string[], codes: readonly string[]): Promise<void> {
  while ((await codesOf(signer, chain)).join() !== codes.join())
    await new Promise((resolve) => setTimeout(resolve, 250));
}

describe('credentials', () => {
  let digest = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    [issuer, holder, relay] = await Promise.all([newSigner(), newSigner(), newSigner()]);
    await addOrganisation(OWNER, 'relay');
    await addOrganisation(RELAY, 'relay');
    await addOrganisation(ASSOCIATION, 'association');
    await put(`organisations/${OWNER}`, {
      organisation: { id: OWNER, displayName: OWNER, roles: ['relay'], certificateApproval: 'approve' },
    });
    await addClient(OWNER, 'main');
    const { key, secretSha256 } = await newKey(`${OWNER}-checks`);
    const own = {
      id: `${OWNER}-checks`,
      organisation: OWNER,
      secretSha256: [secretSha256],
      rights: ['check'],
    };
    await put(`clients/${own.id}`, { client: own });
    client = { client: null, base: world().admin, headers: { authorization: `Bearer ${key}` } };
    list = await statusList([[900, 'revoked']]);
  });
  afterAll(() => void server.close());

  it('an issuer is set by the association, and refused by field', async () => {
    await expectAdminRefused(['issuers/test-carrier', as(ASSOCIATION)], [404, 'ISSUER_UNKNOWN']);
    const { headers, json } = await sendAdmin('issuers/test-carrier', putIssuer());
    expect(json).toMatchObject({ id: 'test-carrier', operators: [], state: 'active', certificates: 0 });
    const { issuers } = await adminValue<{ issuers: IssuerInfo[] }>('issuers', as(ASSOCIATION));
    expect(issuers.map(({ id }) => id)).toContain('test-carrier');
    const [key] = issuerBody().keys.keys;
    for (const [rest, field] of [
      [{ keys: { keys: [{ ...key, d: 'x'.repeat(43) }] } }, 'issuer.keys.keys.0'],
      [{ keys: { keys: [issuer.jwk] } }, 'issuer.keys.keys.0'],
      [{ operators: ['nobody'] }, 'issuer.operators.0'],
      [{ numbers: ['+8215990000', '+442071234567'] }, 'issuer.numbers.1'],
      [{ numbers: ['+8215990000..+8315990000'] }, 'issuer.numbers.0'],
      [{ organisation: 'nobody' }, 'issuer.organisation'],
      [{ id: 'other' }, 'issuer.id'],
    ] as const)
      await expectAdminRefused(['issuers/test-carrier', putIssuer(rest)], [400, 'FIELD_VALUE', field]);
    const stale = { ...putIssuer(), headers: { 'if-match': '"0123456789abcdef"' } };
    await expectAdminRefused(['issuers/test-carrier', stale], [412, 'PRECONDITION_FAILED']);
    await adminValue('issuers/test-carrier', {
      ...putIssuer(),
      headers: { 'if-match': headers.get('etag')! },
    });
    const taken = { ...putIssuer({ id: 'second' }), body: { issuer: issuerBody({ id: 'second' }), reason } };
    await expectAdminRefused(['issuers/second', taken], [409, 'ISSUER_TAKEN']);
    await expectAdminRefused(['issuers', as(OWNER)], [403, 'PERMISSION_DENIED']);
  });

  it('a certificate pulls its list, approves its numbers, and its token passes', async () => {
    const body = await upload(1);
    const added = await adminValue<CertificateInfo>(CERTIFICATES, add(body));
    expect([added.state, added.registrations.length, pulls]).toEqual(['valid', 1, 1]);
    digest = added.digest;
    const [id] = added.registrations;
    const path = `organisations/${OWNER}/registrations/${id}`;
    expect(await adminValue<Registration>(path, as(OWNER))).toMatchObject({
      state: 'approved',
      certificate: digest,
    });
    expect(await adminValue(`${CERTIFICATES}/${digest}`, as(OWNER))).toEqual(added);
    expect(await adminValue(CERTIFICATES, as(OWNER))).toEqual({ certificates: [added], next: null });
    expect(await adminValue(CERTIFICATES, add(body))).toEqual(added);
    await untilCodes(holder, [digest], []);
  });

  it('a certificate is refused by its code, and nothing is stored', async () => {
    for (const [some, status, code] of [
      [{ nums: ['+821012345678'] }, 422, 'CERTIFICATE_MISMATCH'],
      [{ exp: nowS() - 1_000, nbf: nowS() - 2_000 }, 422, 'CERTIFICATE_EXPIRED'],
      [{ nbf: nowS() + 1_000 }, 422, 'CERTIFICATE_NOT_YET_VALID'],
      [{ iss: 'https://nobody.example' }, 422, 'CERTIFICATE_INVALID'],
      [{ status: { status_list: { idx: 900, uri: uri() } } }, 422, 'CERTIFICATE_REVOKED'],
      [{ nums: ['+8215991240..+8215991299'], cnf: { jkt: relay.kid } }, 422, 'PROOF_INVALID'],
    ] as const)
      await expectAdminRefused([CERTIFICATES, add(await upload(2, some))], [status, code]);
    const body = await upload(2, { nums: ['+8215991250'] });
    await expectAdminRefused(
      [CERTIFICATES, add({ ...body, certificate: 'x'.repeat(4_097) })],
      [400, 'FIELD_VALUE', 'certificate'],
    );
    await expectAdminRefused(
      [CERTIFICATES, add({ ...body, clients: ['nobody'] })],
      [422, 'REGISTRATION_INVALID'],
    );
    await expectAdminRefused([CERTIFICATES, { body, ...as(RELAY) }], [403, 'PERMISSION_DENIED']);
    await expectAdminRefused([`${CERTIFICATES}/nothing`, as(OWNER)], [404, 'CERTIFICATE_UNKNOWN']);
    await expectAdminRefused([`${CERTIFICATES}?after=nothing`, as(OWNER)], [400, 'FIELD_VALUE', 'after']);
    expect((await adminValue<{ certificates: object[] }>(CERTIFICATES, as(OWNER))).certificates).toHaveLength(
      1,
    );
    const foreign = await upload(2, { status: { status_list: { idx: 2, uri: `http://${host()}/other` } } });
    await expectAdminRefused([CERTIFICATES, add(foreign)], [503, 'STATUS_LIST_UNAVAILABLE']);
  });

  it('a delegation is proposed, accepted, confirmed and revoked, and its chain passes until then', async () => {
    const own = `organisations/${OWNER}/delegations`;
    const others = `organisations/${RELAY}/delegations`;
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    const delegation = { agent: RELAY, link: digest, numbers: [`+${NUMBER}`], scope: ['sms'], expires };
    await expectAdminRefused(
      [own, { body: { delegation: { ...delegation, agent: 'nobody' } }, ...as(OWNER) }],
      [400, 'FIELD_VALUE', 'delegation.agent'],
    );
    await expectAdminRefused(
      [own, { body: { delegation: { ...delegation, agent: OWNER } }, ...as(OWNER) }],
      [422, 'DELEGATION_LOOP'],
    );
    const { id } = await adminValue<DelegationInfo>(own, { body: { delegation }, ...as(OWNER) });
    await expectAdminRefused(
      [`${own}/${id}/confirm`, { body: { delegation: 'x' }, ...as(OWNER) }],
      [409, 'DELEGATION_STATE'],
    );
    await expectAdminRefused([`${own}/${id}/sell`, { body: {}, ...as(OWNER) }], [404, 'NOT_FOUND']);
    await expectAdminRefused([`${own}/999`, as(OWNER)], [404, 'DELEGATION_UNKNOWN']);
    const accepted = await adminValue<DelegationInfo>(`${others}/${id}/accept`, {
      body: { key: relay.jwk },
      ...as(RELAY),
    });
    const { claims, header } = accepted.toSign!;
    const wrong = await sign(holder, DELEGATION_TYPE, { ...claims, exp: 4_000_000_000 }, header);
    await expectAdminRefused(
      [`${own}/${id}/confirm`, { body: { delegation: wrong }, ...as(OWNER) }],
      [422, 'DELEGATION_INVALID'],
    );
    const signed = await sign(holder, DELEGATION_TYPE, claims, header);
    const active = await adminValue<DelegationInfo>(`${own}/${id}/confirm`, {
      body: { delegation: signed },
      ...as(OWNER),
    });
    expect(active).toMatchObject({ state: 'active', chain: [OWNER, RELAY], key: relay.kid });
    expect(await adminValue(others, as(RELAY))).toEqual({ delegations: [active], next: null });
    const chain = [digest, active.digest!];
    await untilCodes(relay, chain, []);
    const removed = await expectAdminRefused(
      [`organisations/${RELAY}`, { method: 'DELETE', body: { reason } }],
      [409, 'ORGANISATION_IN_USE'],
    );
    expect(removed.json).toMatchObject({ message: expect.stringContaining('1 delegations') });
    await adminValue(`${own}/${id}/revoke`, { body: { reason }, ...as(OWNER) });
    await untilCodes(relay, chain, ['DELEGATION_REVOKED']);
  });

  it('a pushed list revokes within seconds, and never goes back', async () => {
    const newer = await statusList(
      [
        [1, 'revoked'],
        [900, 'revoked'],
      ],
      1,
    );
    const headers = { 'content-type': 'application/statuslist+jwt' };
    const raw = { method: 'POST', body: new TextEncoder().encode(newer), headers, ...as(ASSOCIATION) };
    const done = await adminValue<StatusListDone>('status-lists', raw);
    expect(done).toMatchObject({ uri: uri(), changed: 1 });
    await untilCodes(holder, [digest], ['CERTIFICATE_REVOKED']);
    expect(await adminValue(`${CERTIFICATES}/${digest}`, as(OWNER))).toMatchObject({ state: 'revoked' });
    const body = { statusList: await statusList([], -100), reason };
    await expectAdminRefused(['status-lists', { body, ...as(ASSOCIATION) }], [409, 'STATUS_LIST_OLD']);
    await expectAdminRefused(
      ['status-lists', { body: { statusList: 'x' }, ...as(ASSOCIATION) }],
      [422, 'STATUS_LIST_INVALID'],
    );
    const { statusLists } = await adminValue<{ statusLists: StatusListInfo[] }>(
      'status-lists',
      as(ASSOCIATION),
    );
    expect(statusLists).toContainEqual(
      expect.objectContaining({ uri: uri(), certificates: 1, problem: null }),
    );
    const used = { method: 'DELETE', body: { reason }, ...as(ASSOCIATION) };
    await expectAdminRefused(['issuers/test-carrier', used], [409, 'ISSUER_IN_USE']);
  });

  it('the audit chain has every change, without a number', async () => {
    const records = await adminLines<AuditRecord>('AuditRecord', 'credentials/audit', as(ASSOCIATION));
    const verifier = new AuditVerifier();
    for (const record of records) expect(verifier.next(record)).toBeNull();
    const actions = new Set(records.map(({ action }) => action));
    for (const action of ['issuers.put', 'certificates.add', 'delegations.revoke', 'status.accept'])
      expect(actions).toContain(action);
    expect(JSON.stringify(records)).not.toMatch(/\+?8215\d{6}/);
  });
});
