/**
 * PASSporTs with the real service. An admin configures root and certificate, control fetches the chain, and the edge verifies
 * signatures of secsipidx. secsipidx also accepts the signatures of another signer that the edge accepts. It does not support
 * `msg`, so this file signs `msg` PASSporTs with only Node's crypto module.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skipMissing } from '../../bench/lib/skip-missing.ts';
import vectors from '../vectors/passport.json' with { type: 'json' };
import { FOREIGN, Gateway, missing } from './support/ends.ts';
import { isAcceptedBySecsipidx, isSecsipidxInstalled, signWithSecsipidx } from './support/secsipidx.ts';
import { gatewayService, numgate } from './support/service.ts';
import { headerOf, type SipRequest } from './support/sip.ts';

const PEER = 'secsipidx';
if (!isSecsipidxInstalled)
  skipMissing(PEER, `PASSporTs are not verified by others: ${PEER} is not installed`);

/** Numbers that the certificate `signer` of the vectors names, and a number that it does not name. */
const CALLER = '82221230042';
const OTHER = '82221239999';
const CALLED = '821055550000';
/** Interval between two requests, in ms. */
const CHECK_EVERY_MS = 50;

const folder = mkdtempSync(join(tmpdir(), 'numgate-passport-'));
const keyFile = join(folder, 'signer.key');
const publicFile = join(folder, 'signer.pub');
const foreignFile = join(folder, 'foreign.key');
let server: Server | undefined;
let x5u: string;

interface GatewayBody {
  readonly verdict: string;
  readonly attestation: object | null;
  readonly identity: object | null;
  readonly sip: { readonly status: number } | null;
}

async function check(fields: object): Promise<GatewayBody> {
  const { url, key } = gatewayService();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const ingress = { type: 'domestic' };
  const body = { channel: 'voice', from: `+${CALLER}`, to: `+${CALLED}`, ingress, ...fields };
  const response = await fetch(`${url}/v1/gateway/check`, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as GatewayBody;
}

/** A PASSporT that this file signs. */
function signHere(header: object, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: 'ES256', typ: 'passport', x5u, ...header })}.${part(claims)}`;
  const key = { key: createPrivateKey(vectors['signer.key']), dsaEncoding: 'ieee-p1363' } as const;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

const now = (): number => Math.floor(Date.now() / 1000);
const PARTIES = { dest: { tn: [CALLED] }, orig: { tn: CALLER } };
const shaken = (): string =>
  signHere({ ppt: 'shaken' }, { ...PARTIES, attest: 'B', iat: now(), origid: randomUUID() });
const bySecsipidx = (from = CALLER, key = keyFile): string =>
  signWithSecsipidx({ from, to: CALLED, attest: 'A', x5u }, key);

beforeAll(async () => {
  writeFileSync(keyFile, vectors['signer.key']);
  const publicKey = createPublicKey(vectors['signer.key']);
  writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }));
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  writeFileSync(foreignFile, foreign.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(folder, 'root.pem'), vectors['root.pem']);
  server = createServer((_request, response) => response.end(vectors['signer.pem'] + vectors['middle.pem']));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(server!.address() as AddressInfo).port}`;
  x5u = `http://${host}/kt01.pem`;
  const because = ['--reason', 'tests'];
  await numgate(
    'passport',
    'root',
    'kr',
    '--certificate',
    join(folder, 'root.pem'),
    '--hosts',
    host,
    ...because,
  );
  // The numbers of its service provider code: foreign numbers, for the calls through Kamailio.
  const numbers = ['--numbers', '+639000000000..+639999999999'];
  await numgate('passport', 'certificate', 'kt', '--url', x5u, ...numbers, ...because);
  // Waits until the edge has the certificate.
  while (((await check({ identity: shaken() })).identity as { verified: boolean }).verified !== true)
    await setTimeout(CHECK_EVERY_MS);
});

afterAll(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true });
});

describe('PASSporTs', () => {
  it('are verified with the certificate that control has fetched', async () => {
    expect(await numgate('passport', 'show', 'kt')).toMatchObject({
      ...{ status: 'valid', providers: ['KT01'] },
      authorized: ['+8215881234', '+82221230000..+82221230099', '+639000000000..+639999999999'],
    });
    expect(await check({ identity: shaken(), attestation: 'A' })).toMatchObject({
      attestation: { level: 'B', source: 'verified' },
      identity: { ppt: 'shaken', verified: true },
    });
  });

  it('of texts are verified, except for the digest of the text', async () => {
    const claims = { ...PARTIES, iat: now(), msgi: `sha256-${Buffer.alloc(32).toString('base64')}` };
    expect(await check({ channel: 'sms', identity: signHere({ ppt: 'msg' }, claims) })).toMatchObject({
      ...{ attestation: null, identity: { ppt: 'msg', verified: true, msgi: 'unverified' } },
    });
  });
});

describe.skipIf(missing !== null)('Kamailio with VERIFY_IDENTITY', () => {
  const gateway = new Gateway({ settings: { VERIFY_IDENTITY: true } });

  const callWith = (identity: string): SipRequest => ({
    ...{ method: 'INVITE', from: FOREIGN, to: `+${CALLED}`, headers: { Identity: identity } },
  });

  it('passes a call whose PASSporT is right, and refuses one whose PASSporT is wrong', async () => {
    const [caller] = /\d+/.exec(FOREIGN)!;
    const claims = { attest: 'A', iat: now(), origid: randomUUID(), dest: { tn: [CALLED] } };
    const right = signHere({ ppt: 'shaken' }, { ...claims, orig: { tn: caller } });
    const value = `${right};info=<${x5u}>;alg=ES256;ppt=shaken`;
    expect(headerOf(await gateway.passed(callWith(value)), 'Identity')).toBe(value);
    const response = await gateway.refused(callWith('a"b\\.c;ppt=shaken'));
    expect(response.start).toBe('SIP/2.0 438 Invalid Identity Header');
    expect(headerOf(response, 'Reason')).toBe('STIR;cause=438;text="Invalid Identity Header"');
    const other = signHere({ ppt: 'shaken' }, { ...claims, orig: { tn: CALLER } });
    expect((await gateway.refused(callWith(other))).start).toBe('SIP/2.0 438 Invalid Identity Header');
  });
});

describe.skipIf(!isSecsipidxInstalled)('secsipidx', () => {
  it('signs what the service verifies', async () => {
    expect(await check({ identity: bySecsipidx() })).toMatchObject({
      ...{ verdict: 'allow', sip: null },
      attestation: { level: 'A', source: 'verified' },
      identity: { ppt: 'shaken', verified: true },
    });
  });

  it('signs what the service refuses: with another key, for another number, for another call', async () => {
    const refused = async (identity: string, fields: object = {}) => {
      const { verdict, identity: found, sip } = await check({ identity, ...fields });
      return [verdict, (found as { code: string }).code, sip?.status];
    };
    expect(await refused(bySecsipidx(CALLER, foreignFile))).toEqual(['block', 'TOKEN_INVALID', 438]);
    expect(await refused(bySecsipidx(OTHER), { from: `+${OTHER}` })).toEqual([
      ...['block', 'CERTIFICATE_MISMATCH', 437],
    ]);
    expect(await refused(bySecsipidx(), { to: '+821055550001' })).toEqual(['block', 'TOKEN_AUDIENCE', 438]);
  });

  it('accepts what the service accepts, and refuses what it refuses', async () => {
    const identity = shaken();
    expect(isAcceptedBySecsipidx(`${identity};info=<${x5u}>;alg=ES256;ppt=shaken`, publicFile)).toBe(true);
    expect(await check({ identity })).toMatchObject({ identity: { verified: true } });
    const [header, claims, signature] = identity.split('.');
    const damaged = [header, claims, Buffer.alloc(64, signature).toString('base64url')].join('.');
    expect(isAcceptedBySecsipidx(damaged, publicFile)).toBe(false);
    expect(await check({ identity: damaged })).toMatchObject({ identity: { code: 'TOKEN_INVALID' } });
  });
});
