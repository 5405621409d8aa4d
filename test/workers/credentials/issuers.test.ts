/** Issuers and their status lists over time: hosts that change hands, pulls, and lists that arrive with a certificate. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, expect, test, vi } from 'vitest';
import { fromBase64Url, fromHex, toBase64Url, toHex } from '../../../shared/bytes.ts';
import { PROOF_TYPE } from '../../../shared/credentials/claims.ts';
import { digestOf } from '../../../shared/credentials/keys.ts';
import type { Status } from '../../../shared/credentials/status-list.ts';
import { DEFAULT_GUARDS } from '../../../shared/release/guard-settings.ts';
import type { CredentialStore } from '../../../workers/credentials/credential-store.ts';
import { RegistrationSync } from '../../../workers/credentials/registration-sync.ts';
import { nextPullAt } from '../../../workers/credentials/status-list-changes.ts';
import type { Tables } from '../../../workers/credentials/tables.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { CertifiedRegistrations } from '../../../workers/storage/certified-port.ts';
import { newSigner, sign } from '../../shared/support/credential-world.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { asAdmin, coordinator, unwrap } from '../support/coordinator.ts';
import {
  asToken,
  credentials,
  credentialsStub,
  credentialWorld,
  HOST,
  issuerOf,
  LIST_URI,
  nowS,
  readCredentials,
  rowsOf,
  statusList,
  upload,
  uploaded,
} from '../support/credential-store.ts';
import { accepted, facts, store } from '../support/registrations.ts';
import { ANY } from '../support/room.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
});

test('a list that revokes a certificate while it is uploaded is not missed', async () => {
  const world = await credentialWorld();
  const body = await upload(world.issuer, world.holder, 1);
  const revoked = await statusList(world.issuer, { 1: 'revoked' });
  // The list arrives while the store of registrations checks the numbers.
  const registrations = vi
    .spyOn((env as unknown as ControlEnv).REGISTRATIONS, 'getByName')
    .mockImplementation(
      () =>
        ({
          checkCertified: async () => {
            accepted(await credentials().pushStatusList(asToken(), revoked));
            return [];
          },
        }) as never,
    );
  const done = await credentials().addCertificate(asToken('acme'), facts(), body);
  registrations.mockRestore();
  expect(done).toMatchObject({ code: 'CERTIFICATE_REVOKED' });
  expect(await rowsOf('certificates')).toBe(0);
});

test('an organisation whose store fails holds up no other', async () => {
  const followed: string[] = [];
  const behind = ['broken'];
  const registrations = (organisation: string): CertifiedRegistrations =>
    ({
      certificatesChanged: async () => {
        if (organisation === 'broken') throw new Error('its storage is full');
        followed.push(organisation);
        behind.splice(behind.indexOf(organisation), 1);
        return { ok: true, value: { changed: 1 } };
      },
    }) as unknown as CertifiedRegistrations;
  const certificates = {
    get organisationsBehind() {
      return [...behind];
    },
    unreported: (organisation: string) =>
      behind.includes(organisation) ? [{ digest: 'd', status: 'revoked', reported: 'valid' }] : [],
    setReported: () => undefined,
  };
  const sync = new RegistrationSync({ certificates } as unknown as Tables, registrations, () => ({
    registrationFacts: async (organisation) => facts({ organisation }),
    organisation: async () => null,
  }));
  await sync.run();
  expect(sync.dueAt).toBeGreaterThan(Date.now());
  behind.push('acme');
  expect(sync.dueAt).toBe(0);
  await sync.run();
  expect(followed).toEqual(['acme']);
  expect(behind).toEqual(['broken']);
});

/** The order of P-256. For each signature (r, s), (r, order - s) is also valid. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

test('the same certificate with another signature is the same certificate', async () => {
  const world = await credentialWorld();
  const body = await upload(world.issuer, world.holder, 1);
  const added = accepted(await credentials().addCertificate(asToken('acme'), facts(), body));
  const [header, payload, signature] = body.certificate.split('.') as [string, string, string];
  const bytes = fromBase64Url(signature)!;
  const s = P256_ORDER - BigInt(`0x${toHex(bytes.slice(32))}`);
  bytes.set(fromHex(s.toString(16).padStart(64, '0')), 32);
  const other = `${header}.${payload}.${toBase64Url(bytes)}`;
  const uploadedBy = async (organisation: string) => {
    const claims = { aud: organisation, iat: nowS(), crt: await digestOf(other) };
    const proof = await sign(world.holder, PROOF_TYPE, claims);
    return credentials().addCertificate(asToken(organisation), facts({ organisation }), {
      ...body,
      certificate: other,
      proof,
    });
  };
  expect(accepted(await uploadedBy('acme'))).toEqual(added);
  expect(await uploadedBy('thief')).toMatchObject({ code: 'CERTIFICATE_TAKEN' });
  expect(await rowsOf('certificates')).toBe(1);
});

test('a registration is resumed with its certificate only if it could be registered now', async () => {
  const world = await credentialWorld();
  const ids: string[] = [];
  for (const index of [1, 2]) ids.push((await uploaded(world, index)).registrations[0]!);
  const push = async (status: Status, iat: number) =>
    accepted(
      await credentials().pushStatusList(
        asToken(),
        await statusList(world.issuer, { 1: status, 2: status }, { iat: nowS() + iat }),
      ),
    );
  const states = async () =>
    Promise.all(
      ids.map(async (id) => {
        const { state, reasons } = (await store().get(Number(id)))!;
        return [state, ...reasons.map(({ code }) => code)];
      }),
    );
  await push('suspended', 1);
  await vi.waitFor(
    async () => expect(await states()).toEqual(Array(2).fill(['suspended', 'CERTIFICATE_SUSPENDED'])),
    HANG_MS,
  );
  // Meanwhile, one of the two numbers becomes protected.
  const guards = { ...DEFAULT_GUARDS, protectedNumbers: [8_215_880_001] };
  unwrap(await coordinator().putGuards(asAdmin(), guards));
  await push('valid', 2);
  await vi.waitFor(
    async () => expect(await states()).toEqual([['suspended', 'NUMBER_PROTECTED'], ['approved']]),
    HANG_MS,
  );
});

test('no host is read that its issuer has lost, and no other issuer takes over its lists', async () => {
  const { issuer } = await credentialWorld();
  const pulls = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(''));
  const due = () =>
    runInDurableObject(credentialsStub(), async (instance, { storage }) => {
      storage.sql.exec('UPDATE status_lists SET pull_at = 0');
      await (instance as CredentialStore).alarm();
    });
  accepted(await credentials().putIssuer(asToken(), issuerOf(issuer, { statusHosts: ['new.example'] }), ANY));
  await due();
  expect(pulls).not.toHaveBeenCalled();
  expect((await credentials().statusLists())[0]).toMatchObject({ problem: 'STATUS_LIST_INVALID' });
  const heir = await newSigner();
  const other = issuerOf(heir, { id: 'heir', iss: 'https://heir.example', statusHosts: [HOST] });
  accepted(await credentials().putIssuer(asToken(), other, ANY));
  const taken = await statusList(heir, {}, { iat: nowS() + 1 });
  expect(await credentials().pushStatusList(asToken(), taken)).toMatchObject({ code: 'STATUS_LIST_INVALID' });
  // The issuer's lists are removed with it.
  accepted(await credentials().removeIssuer(asToken(), 'carrier', ANY));
  accepted(await credentials().pushStatusList(asToken(), taken));
  expect(await credentials().statusLists()).toMatchObject([{ uri: LIST_URI, issuer: 'heir' }]);
});

test('a change of an issuer says how many certificates it holds', async () => {
  const world = await credentialWorld();
  await uploaded(world, 1);
  await uploaded(world, 2);
  const heldAfter = async (rest: Parameters<typeof issuerOf>[1]): Promise<number> =>
    accepted(await credentials().putIssuer(asToken(), issuerOf(world.issuer, rest), ANY)).held;
  expect(await heldAfter({})).toBe(0);
  expect(await heldAfter({ numbers: ['+8215880001'] })).toBe(1);
  expect(await heldAfter({ numbers: ['+8215880003'] })).toBe(2);
  expect(await heldAfter({ state: 'suspended' })).toBe(2);
  expect(await heldAfter({})).toBe(0);
  expect(await heldAfter(issuerOf(await newSigner()))).toBe(2);
  expect(await credentials().issuer('carrier')).toMatchObject({ certificates: 2, held: 2 });
});

test('an issuer with operators speaks for their numbers, and for no others', async () => {
  const { issuer, holder } = await credentialWorld();
  const operators = issuerOf(issuer, { operators: ['kt'], numbers: [] });
  accepted(await credentials().putIssuer(asToken(), operators, ANY));
  for (const [index, [number, result]] of [
    ['+821025000000', 'valid'],
    ['+821030999999', 'valid'],
    // Numbers of another operator, on both sides.
    ['+821024999999', 'CERTIFICATE_MISMATCH'],
    ['+821031000000', 'CERTIFICATE_MISMATCH'],
    ['+8215880001', 'CERTIFICATE_MISMATCH'],
  ].entries()) {
    const body = await upload(issuer, holder, index, { nums: [number], line: 'mobile' });
    const done = await credentials().addCertificate(asToken('acme'), facts(), body);
    expect([number, done.ok ? done.value.state : done.code]).toEqual([number, result]);
  }
});

test('an issuer that may sign again is read at once: its lists were refused meanwhile', async () => {
  const world = await credentialWorld();
  const { digest } = await uploaded(world, 1);
  accepted(await credentials().putIssuer(asToken(), issuerOf(world.issuer, { state: 'suspended' }), ANY));
  const revoked = await statusList(world.issuer, { 1: 'revoked' });
  expect(await credentials().pushStatusList(asToken(), revoked)).toMatchObject({ ok: false });
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(revoked));
  accepted(await credentials().putIssuer(asToken(), issuerOf(world.issuer), ANY));
  await runInDurableObject(credentialsStub(), (instance) => (instance as CredentialStore).alarm());
  await vi.waitFor(
    async () => expect(await (await readCredentials()).statusOf(digest)).toBe('revoked'),
    HANG_MS,
  );
  expect(await credentials().openCount('acme')).toEqual({ certificates: 0, delegations: 0 });
});

test('a list is pulled before it ends, and sooner if pulls fail', () => {
  vi.useFakeTimers({ now: 1_000_000_000, toFake: ['Date'] });
  const exp = 1_000_000 + 86_400;
  const pauseS = (list: { ttl: number | null; exp: number }, failures?: number) =>
    (nextPullAt(list, failures) - 1_000_000_000) / 1_000;
  expect(pauseS({ ttl: 600, exp })).toBe(600);
  expect(pauseS({ ttl: null, exp })).toBe(300);
  expect(pauseS({ ttl: 1, exp })).toBe(15);
  expect(pauseS({ ttl: 90_000, exp: exp * 10 })).toBe(86_400);
  expect(pauseS({ ttl: 600, exp: 1_000_000 + 400 })).toBe(200);
  // A list that has ended is not pulled constantly.
  expect(pauseS({ ttl: 600, exp: 1_000_000 })).toBe(600);
  expect([1, 2, 3, 10].map((failures) => pauseS({ ttl: 86_400, exp: exp * 10 }, failures))).toEqual([
    15, 30, 60, 7_680,
  ]);
});
