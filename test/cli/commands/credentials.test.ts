/**
 * `issuers`, `certificates`, `delegations` and `status-lists` against a real service: from a new issuer to a chain of two links
 * that passes a check, and to its revocation. The issuer is the example.
 */
import '../support/workspace.ts';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { push } from '../../../cli/commands/push.ts';
import { newKey } from '../../../cli/secrets.ts';
import { Issuer } from '../../../examples/issuer/issuer.ts';
import type { CertificateInfo, DelegationInfo } from '../../../shared/admin/credentials.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { buildOf } from '../support/builds.ts';
import { numgate, start } from '../support/command.ts';
import { addSenders, as, type Senders } from '../support/senders.ts';
import { startTestService } from '../support/service.ts';
import { FOLDER, write } from '../support/workspace.ts';

const WAIT = { timeout: HANG_MS, interval: 200 };
const ISS = 'https://issuer.example';
/** Nothing listens there, because the lists are pushed. */
const HOST = '127.0.0.1:9';
const fileOf = (name: string): string => join(FOLDER, name);
const [ACME_KEY, RELAY_KEY] = [fileOf('acme.jwk'), fileOf('relay.jwk')];
let issuer: Issuer;
let jwks: string;
let tokens: Senders & { readonly relay: string };
let clientKey: string;

beforeAll(async () => {
  const service = await startTestService();
  const { admin } = service;
  const put = (path: string, body: object) => admin.change('PUT', path, { ...body, reason: 'a test' });
  const relay = await newKey('relay');
  const role = { role: 'relay', organisation: 'relay' };
  await put('organisations/relay', { organisation: { id: 'relay', displayName: 'Relay', roles: ['relay'] } });
  await put('tokens/relay', { token: { id: 'relay', secretSha256: [relay.secretSha256], ...role } });
  tokens = { ...(await addSenders(service)), relay: relay.key };
  const gate = await newKey('gate');
  await put('clients/gate', {
    client: { id: 'gate', secretSha256: [gate.secretSha256], rights: ['check'], organisation: 'default' },
  });
  clientKey = gate.key;
  await push((await buildOf('credentials')).folder, service, { unproven: true, reason: 'a test' });
  const names = { iss: ISS, statusUri: `https://${HOST}/status-lists/1` };
  issuer = await Issuer.create(fileOf('issuer'), names);
  jwks = write('jwks.json', JSON.stringify(issuer.keys()));
});

/** Runs a command that must succeed. @returns its `--json` output */
async function done<Value = unknown>(...args: string[]): Promise<Value> {
  const { code, out, errors } = await numgate(...args, '--json');
  expect([args, code, errors]).toEqual([args, 0, '']);
  return JSON.parse(out) as Value;
}

const acme = <Value>(...args: string[]) =>
  as(tokens.sender, () => done<Value>(...args, '--organisation', 'acme'));
const relay = <Value>(...args: string[]) =>
  as(tokens.relay, () => done<Value>(...args, '--organisation', 'relay'));

async function pushList(): Promise<unknown> {
  return done('status-lists', 'push', write('status-list.jwt', `${await issuer.statusList()}\n`));
}

/** Returns the verdict and the first code of a check by the service. */
async function check(from: string, senderToken: string): Promise<string> {
  const response = await fetch(`${process.env.NUMGATE_URL}/v1/check`, {
    method: 'POST',
    headers: { authorization: `Bearer ${clientKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ from, senderToken }),
  });
  const { verdict, reasons } = (await response.json()) as { verdict: string; reasons: { code: string }[] };
  return [verdict, ...reasons.map(({ code }) => code)].join(' ');
}

const tokenOf = async (key: string, from: string, ...chain: string[]): Promise<string> =>
  (
    await done<{ token: string }>(
      ...['holder-keys', 'sign-token', key, '--audience', 'default', '--from', from, '--chain', ...chain],
    )
  ).token;

describe('an issuer', () => {
  const SET = ['issuers', 'set', 'carrier', '--keys', 'jwks.json', '--iss', ISS];

  it('is added, changed and shown, and keeps its other settings', async () => {
    const args = SET.map((word) => (word === 'jwks.json' ? jwks : word));
    const rest = ['--numbers', '+8215881200..+8215881299', '--status-hosts', HOST];
    expect(await done(...args, ...rest)).toEqual({ id: 'carrier', added: true, certificates: 0, held: 0 });
    expect(await done('issuers', 'set', 'carrier', '--operators', 'kt,skt')).toMatchObject({ changed: true });
    const shown = await numgate('issuers', 'show', 'carrier');
    for (const words of ['+8215881200..+8215881299', 'kt skt', HOST, 'active'])
      expect(shown.out).toContain(words);
    expect((await numgate('issuers', 'list')).out).toContain('carrier');
    await pushList();
    expect((await numgate('status-lists', 'list')).out).toContain(issuer.names.statusUri);
  });

  it.each([
    [['issuers', 'set', 'new'], 2, 'give at least one setting to change'],
    [['issuers', 'set', 'new', '--state', 'active'], 2, 'iss'],
    [['issuers', 'set', 'carrier', '--status-hosts', 'https://a.example'], 2, 'must be a host in lower case'],
    [['issuers', 'set', 'carrier', '--status-hosts', 'a.example:443'], 2, 'with a port if it is not 443'],
    [['issuers', 'set', 'carrier', '--operators', 'nobody'], 1, '"issuer.operators.0" must be one of kt'],
    [['issuers', 'set', 'carrier', '--numbers', '+44207123..+44207129'], 2, 'numbers[0] must be Korean'],
    [['issuers', 'set', 'carrier', '--keys', 'missing.json'], 1, 'missing.json: does not exist'],
    [['issuers', 'show', 'nobody'], 1, 'no issuer has this id'],
    [['status-lists', 'push', 'missing.jwt'], 1, 'missing.jwt: does not exist'],
  ])('%j is refused', async (args, code, message) => {
    const result = await numgate(...args);
    expect([result.code, result.errors]).toEqual([code, expect.stringContaining(message)]);
  });

  it('with a private key is refused, and the key is not printed', async () => {
    const privateJwk = { ...issuer.keys().keys[0], d: 'c2VjcmV0LWtleS1vZi1hbi1pc3N1ZXI' };
    const args = ['issuers', 'set', 'carrier', '--keys', write('private.json', JSON.stringify(privateJwk))];
    const { code, out, errors } = await numgate(...args);
    expect([code, errors]).toEqual([2, expect.stringContaining('is a private key')]);
    expect(out + errors).not.toContain(privateJwk.d);
  });
});

describe('a certificate', () => {
  const certificate = fileOf('certificate.jwt');
  const delegation = fileOf('delegation.jwt');
  const ADD = ['certificates', 'add', certificate, '--clients', 'acme-main', '--key'];
  let id: string;

  it('registers its numbers, once, for who has its key', async () => {
    const { publicKey } = await done<{ publicKey: object }>('holder-keys', 'new', ACME_KEY);
    await done('holder-keys', 'new', RELAY_KEY);
    const numbers = ['+8215881210', '+8215881220..+8215881229'];
    const request = { holder: 'Acme', numbers, line: 'representative', key: publicKey, days: 30 } as const;
    write('certificate.jwt', `${await issuer.issue(request)}\n`);
    const foreign = await as(tokens.sender, () => numgate(...ADD, RELAY_KEY, '--organisation', 'acme'));
    expect([foreign.code, foreign.errors]).toEqual([
      1,
      expect.stringMatching(
        /"cnf\.jkt" of the certificate names another key[\s\S]*--key must be the key that the certificate was issued for/,
      ),
    ]);
    const added = await acme<CertificateInfo>(...ADD, ACME_KEY, '--reference', 'care');
    expect(added).toMatchObject({ state: 'valid', numbers, issuer: 'carrier' });
    expect(await acme<CertificateInfo>(...ADD, ACME_KEY)).toMatchObject({ digest: added.digest });
    await expect
      .poll(
        async () => (await acme<CertificateInfo>('certificates', 'show', added.digest)).registrations,
        WAIT,
      )
      .toHaveLength(2);
    const { certificates } = await acme<{ certificates: object[] }>('certificates', 'list');
    expect(certificates).toHaveLength(1);
  });

  it('is suspended by a change of its issuer, which says so', async () => {
    const set = (...rest: string[]) => numgate('issuers', 'set', 'carrier', ...rest);
    const narrowed = await set('--numbers', '+8215881290');
    expect(narrowed.out).toContain('1 certificate of carrier is suspended now: the issuer no longer has');
    expect((await set('--operators', 'kt')).out).toBe('carrier changed\n');
    expect((await set('--state', 'suspended')).out).toBe('carrier changed\n');
    expect((await numgate('issuers', 'show', 'carrier')).out).toMatch(/suspended certificates\s.*1/);
    const back = await set('--numbers', '+8215881200..+8215881299', '--state', 'active');
    expect(back.out).toContain('1 certificate of carrier may be used again; 0 still suspended');
    await pushList();
  });

  it('is delegated to a relay, whose tokens pass until the principal revokes that', async () => {
    const propose = [
      'delegations',
      'propose',
      '--organisation',
      'acme',
      '--agent',
      'relay',
      '--link',
      certificate,
    ];
    const { child, result } = await as(tokens.sender, async () =>
      start([...propose, '--numbers', '-', '--expires', '2099-01-01', '--json'], 'pipe'),
    );
    child.stdin!.end('+8215881210\n');
    const tooLong = await result;
    expect(tooLong).toMatchObject({ code: 1, errors: expect.stringContaining('expires') });
    const expires = new Date(Date.now() + 86_400_000).toISOString();
    const proposed = await acme<DelegationInfo>(
      ...['delegations', 'propose', '--agent', 'relay', '--link', certificate],
      ...['--numbers', '+8215881210', '--expires', expires],
    );
    ({ id } = proposed);
    expect(proposed).toMatchObject({ state: 'proposed', chain: ['acme', 'relay'], scope: ['sms'] });
    const early = await as(tokens.sender, () =>
      numgate('delegations', 'confirm', id, '--key', ACME_KEY, '--organisation', 'acme'),
    );
    expect([early.code, early.errors]).toEqual([1, expect.stringContaining('is proposed, not accepted')]);
    expect(await relay('delegations', 'accept', id, '--key', RELAY_KEY)).toMatchObject({ state: 'accepted' });
    const foreign = await as(tokens.sender, () =>
      numgate('delegations', 'confirm', id, '--key', RELAY_KEY, '--organisation', 'acme'),
    );
    expect([foreign.code, foreign.errors]).toEqual([
      1,
      expect.stringContaining(`${RELAY_KEY} is not the key of your link`),
    ]);
    expect(await acme('delegations', 'confirm', id, '--key', ACME_KEY)).toMatchObject({ state: 'active' });
    const { jws } = await relay<{ jws: string }>('delegations', 'show', id, '--jws');
    write('delegation.jwt', jws);
    expect(decodeJwt(jws)).toMatchObject({ iss: 'acme', sub: 'relay', nums: ['+8215881210'] });

    const token = await tokenOf(RELAY_KEY, '+8215881210', certificate, delegation);
    await expect.poll(() => check('1588-1210', token), WAIT).toBe('allow');
    expect(await check('1588-1221', token)).toBe('block CERTIFICATE_MISMATCH');
    const wrong = await as(tokens.relay, () =>
      numgate('delegations', 'revoke', id, '--organisation', 'relay'),
    );
    expect([wrong.code, wrong.errors]).toEqual([
      4,
      'error: DELEGATION_STATE: only the principal, "acme", can revoke it; you can do nothing now\n',
    ]);
    expect(await acme('delegations', 'suspend', id)).toMatchObject({ state: 'suspended' });
    expect(await acme('delegations', 'resume', id)).toMatchObject({ state: 'active' });
    expect(await acme('delegations', 'revoke', id)).toMatchObject({ state: 'revoked' });
    await expect.poll(() => check('1588-1210', token), WAIT).toBe('block DELEGATION_REVOKED');
    const late = await as(tokens.sender, () =>
      numgate('delegations', 'resume', id, '--organisation', 'acme'),
    );
    expect([late.code, late.errors]).toEqual([4, expect.stringContaining('it has ended')]);
    expect(
      (await as(tokens.relay, () => numgate('delegations', 'list', '--organisation', 'relay'))).out,
    ).toContain('acme > relay');
  });

  it('is refused from a pushed list on, and the list before it is refused too', async () => {
    const token = await tokenOf(ACME_KEY, '+8215881210', certificate);
    expect(await check('1588-1210', token)).toBe('allow');
    const before = write('older.jwt', await issuer.statusList());
    const { certificates } = await acme<{ certificates: CertificateInfo[] }>('certificates', 'list');
    issuer.setStatus(String(decodeJwt(certificates[0]!.certificate).jti), 'revoked');
    expect(await pushList()).toMatchObject({ changed: 1 });
    const older = await numgate('status-lists', 'push', before);
    expect([older.code, older.errors]).toEqual([4, expect.stringContaining('has a later "iat"')]);
    await expect.poll(() => check('1588-1210', token), WAIT).toBe('block CERTIFICATE_REVOKED');
    const { out } = await as(tokens.sender, () => numgate('certificates', 'list', '--organisation', 'acme'));
    expect(out).toContain('revoked');
    const removed = await numgate('issuers', 'remove', 'carrier');
    expect([removed.code, removed.errors]).toEqual([4, expect.stringContaining('suspend it instead')]);
    issuer.close();
  });
});
