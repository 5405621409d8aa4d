/**
 * PASSporTs at the edge. They are verified once with the certificates that the head names, without any outgoing request, and
 * charged to the quota of the gateway.
 */
import { beforeEach, expect, test, vi } from 'vitest';
import { digestOf } from '../../../shared/credentials/keys.ts';
import type { PassportRow } from '../../../shared/credentials/passport-table.ts';
import { PASSPORTS_PER_SECOND_MAX, VERIFICATION_NUMBERS } from '../../../shared/limits/credentials.ts';
import { UNKNOWN_SIGNERS_LOG_MS } from '../../../shared/limits/passport.ts';
import { currentIsolate } from '../../../workers/edge/isolate.ts';
import { makeSigner, signPassport } from '../../shared/support/passport-signer.ts';
import { client, publishClients } from '../support/clients.ts';
import { publishCredentials } from '../support/credentials.ts';
import { coldIsolate } from '../support/isolate.ts';
import { send, sendAndSettle } from '../support/send.ts';
import { build, NEXT_POLL_MS, NOW, publish, putHead, smallLists } from '../support/world.ts';

coldIsolate();

const X5U = 'https://certs.example.kr/kt01.pem';
const FROM = '14155550100';
const TO = '821033334444';
const NOW_S = Math.floor(NOW / 1000);

const signer = await makeSigner();
const ROW: PassportRow = {
  ...{ x5u: await digestOf(X5U), key: { alg: 'ES256', bytes: signer.point } },
  ...{ notBefore: NOW_S - 1_000, notAfter: NOW_S + 1_000, spans: [{ from: 1, to: 999_999_999_999_999 }] },
};
const built = await build(smallLists());
let count = 0;

/** A new PASSporT of the call. */
function passport(x5u = X5U): Promise<string> {
  const claims = {
    ...{ attest: 'A', dest: { tn: [TO] }, iat: NOW_S, orig: { tn: FROM } },
    origid: `123e4567-e89b-12d3-a456-${String(count++).padStart(12, '0')}`,
  };
  return signPassport({ alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u }, claims, signer);
}

async function publishRows(passports: readonly PassportRow[], version: number): Promise<void> {
  const { head } = await publishCredentials({ passports, version });
  await putHead({ seq: version, ...head });
  // The next request polls the head, and the one after it uses the new head.
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
  await check();
}

function check(fields: object = {}, name = 'gateway') {
  const body = { channel: 'voice', from: `+${FROM}`, to: `+${TO}`, ...fields };
  return sendAndSettle({ path: '/v1/gateway/check', body, client: name });
}

const verifications = (): number => currentIsolate().passports.verifications;
const VERIFIED = {
  attestation: { level: 'A', source: 'verified' },
  identity: { ppt: 'shaken', verified: true },
};

let warned: { event: string }[];
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  warned = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(JSON.parse(line)));
  vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('the edge fetches nothing'));
  await publish(built);
  await publishClients([
    await client('gateway', { rights: ['gateway'] }),
    await client('flooder', { rights: ['gateway'], quotaNumbers: 1_000_000 }),
    await client('little', { rights: ['gateway'], quotaNumbers: VERIFICATION_NUMBERS + 10 }),
  ]);
  await publishRows([ROW], 2);
});

test('a PASSporT is verified once, in checks and in batches', async () => {
  const identity = await passport();
  expect((await check({ identity })).body).toMatchObject(VERIFIED);
  expect((await check({ identity: [identity] })).body).toMatchObject(VERIFIED);
  const items = [{ from: `+${FROM}`, to: `+${TO}` }, { from: `+${FROM}` }, { from: '+14155550199' }];
  const { body } = await send({
    ...{ path: '/v1/gateway/check/batch', client: 'gateway' },
    body: { defaults: { channel: 'voice', identity }, items },
  });
  expect(body.results).toMatchObject([VERIFIED, VERIFIED, { identity: { code: 'TOKEN_INVALID' } }]);
  expect(verifications()).toBe(1);
  expect(fetch).not.toHaveBeenCalled();
});

test('a PASSporT is verified again once the certificates have changed', async () => {
  const identity = await passport();
  expect((await check({ identity })).body).toMatchObject(VERIFIED);
  const other = await makeSigner();
  await publishRows([{ ...ROW, key: { alg: 'ES256', bytes: other.point } }], 3);
  expect((await check({ identity })).body).toMatchObject({ identity: { code: 'TOKEN_INVALID' } });
  await publishRows([], 4);
  expect((await check({ identity })).body).toMatchObject({ identity: { code: 'CERTIFICATE_INVALID' } });
  await publishRows([ROW], 5);
  expect((await check({ identity })).body).toMatchObject(VERIFIED);
});

test('a refused PASSporT is verified again only if its certificate has changed', async () => {
  const broken = `${await passport()}.`;
  const unsigned = (await passport()).replace(/\.[^.]*$/, '.AAAA');
  for (const [identity, again] of [
    [broken, 0],
    [unsigned, 1],
  ] as const) {
    expect((await check({ identity })).body).toMatchObject({ identity: { code: 'TOKEN_INVALID' } });
    const before = verifications();
    await publishRows([{ ...ROW, notAfter: ROW.notAfter + 1 + again }], 3 + again);
    expect((await check({ identity })).body).toMatchObject({ identity: { code: 'TOKEN_INVALID' } });
    expect(verifications() - before).toBe(again);
  }
});

test('new PASSporTs cost many numbers of the quota, and known ones none', async () => {
  const identity = await passport();
  expect((await check({ identity }, 'little')).status).toBe(200);
  expect((await check({ identity }, 'little')).status).toBe(200);
  const { status, body } = await check({ identity: await passport() }, 'little');
  expect([status, body]).toMatchObject([429, { code: 'QUOTA_EXCEEDED', field: 'identity' }]);
  const emergency = await check({ to: '119', identity: await passport() }, 'little');
  expect(emergency.body.verdict).toBe('allow');
  expect(emergency.body.reasons![0]).toMatchObject({ code: 'EMERGENCY_NEVER_BLOCKED' });
  // Another gateway is not affected.
  expect((await check({ identity: await passport() })).body).toMatchObject(VERIFIED);
});

test('in one second, a gateway has a bounded count of new PASSporTs, and another gateway has its own', async () => {
  const items = Array.from({ length: PASSPORTS_PER_SECOND_MAX + 1 }, (_, index) => ({
    ...{ channel: 'voice', from: `+${FROM}`, identity: `garbage-${index}` },
  }));
  const { body } = await sendAndSettle({
    ...{ path: '/v1/gateway/check/batch', client: 'flooder', body: { items } },
  });
  expect(body.summary).toMatchObject({ total: items.length, error: 1 });
  expect(body.results!.at(-1)).toMatchObject({ error: { code: 'QUOTA_EXCEEDED', field: 'identity' } });
  const identity = await passport();
  const refused = await check({ identity }, 'flooder');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect((await check({ identity })).body).toMatchObject(VERIFIED);
  // The PASSporT is known now.
  expect((await check({ identity }, 'flooder')).body).toMatchObject(VERIFIED);
  vi.setSystemTime(Date.now() + 1_000);
  expect((await check({ identity: await passport() }, 'flooder')).body).toMatchObject(VERIFIED);
});

test('certificates that control does not know are logged once a minute, by their digest', async () => {
  const events = () => warned.filter(({ event }) => event === 'passportSignerUnknown');
  const unknown = 'https://other.example/a.pem';
  for (let n = 0; n < 3; n++) await check({ identity: await passport(unknown) });
  expect(events()).toEqual([
    { event: 'passportSignerUnknown', x5u: await digestOf(unknown), passports: 1, signers: 1 },
  ]);
  vi.setSystemTime(Date.now() + UNKNOWN_SIGNERS_LOG_MS);
  await check({ identity: await passport('https://rare.example/a.pem') });
  expect(events()[1]).toEqual({
    ...{ event: 'passportSignerUnknown', x5u: await digestOf(unknown), passports: 2, signers: 2 },
  });
  expect(JSON.stringify(warned)).not.toMatch(/example|8210|1415/);
});

test('a PASSporT is refused in a URL', async () => {
  const path = `/v1/gateway/check?from=%2B${FROM}&identity=a.b.c`;
  const { status, body } = await send({ path, client: 'gateway' });
  expect([status, body]).toMatchObject([400, { code: 'FIELD_UNKNOWN', field: 'identity' }]);
});
