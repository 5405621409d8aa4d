/** Certificates: what is stored and published, what is refused, and how registrations rest on them. */

import { runInDurableObject } from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { AddCertificate } from '../../../shared/admin/credentials.ts';
import { CERTIFICATE_UPLOADS_PER_DAY_MAX } from '../../../shared/limits/credential-store.ts';
import { newSigner } from '../../shared/support/credential-world.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  asToken,
  credentials,
  credentialsStub,
  credentialWorld,
  issuerOf,
  LIST_URI,
  nowS,
  readCredentials,
  rowsOf,
  statusList,
  upload,
  uploaded,
} from '../support/credential-store.ts';
import { accepted, asReviewer, facts, store } from '../support/registrations.ts';
import { readChanges } from '../support/registry.ts';
import { ANY } from '../support/room.ts';

beforeEach(() => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  // When an issuer may sign again, its lists are pulled.
  vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network'));
});

const registration = async (id: string) => (await store().get(Number(id)))!;

test('a certificate approves its numbers, is in the head, and once more changes nothing', async () => {
  const world = await credentialWorld();
  const body = await upload(world.issuer, world.holder, 7, {
    nums: ['+8215880007', '+82212340000..+82212340099'],
  });
  const added = accepted(
    await credentials().addCertificate(asToken('acme'), facts(), { ...body, reference: 'c7' }),
  );
  expect(added).toMatchObject({
    ...{ digest: body.digest, organisation: 'acme', issuer: 'carrier', state: 'valid', sub: 'holder-1' },
    ...{ key: world.holder.kid, status: 'valid', statusList: { uri: LIST_URI, index: 7 } },
    registrations: ['1', '2'],
  });
  expect(await registration('2')).toMatchObject({
    ...{ state: 'approved', number: '+82212340000..+82212340099', basis: 'own', reference: 'c7-2' },
    ...{
      certificate: body.digest,
      expires: added.expires,
      proofs: [{ kind: 'serviceUse', reference: 'c-7' }],
    },
  });
  await vi.waitFor(async () => {
    const { rows, statusOf } = await readCredentials();
    expect(rows).toMatchObject([
      { digest: body.digest, kind: 'certificate', organisation: 'acme', statusIndex: 7 },
    ]);
    expect(await statusOf(body.digest)).toBe('valid');
    expect((await readChanges()).get('acme/acme-main 8215880007-8215880007')).toBe('addOwn');
  }, HANG_MS);
  expect(accepted(await credentials().addCertificate(asToken('acme'), facts(), body))).toEqual(added);
  expect(await rowsOf('certificates')).toBe(1);
  expect((await store().page({}, 0, 10)).registrations).toHaveLength(2);
});

test('without the policy of the organisation, a reviewer decides', async () => {
  const world = await credentialWorld({ certificateApproval: 'review' });
  const { registrations } = await uploaded(world, 1);
  expect((await registration(registrations[0]!)).state).toBe('submitted');
});

describe('nothing is stored of', () => {
  const refused: readonly [string, string, object][] = [
    ['numbers that are not those of its issuer', 'CERTIFICATE_MISMATCH', { nums: ['+821012345678'] }],
    ['a range across blocks', 'CERTIFICATE_INVALID', { nums: ['+82212349999..+82212350000'] }],
    ['an expired one', 'CERTIFICATE_EXPIRED', { exp: 1_000, nbf: 10 }],
    ['one that has expired just now', 'CERTIFICATE_EXPIRED', { exp: nowS() - 1, nbf: 10 }],
    ['one that is not valid yet', 'CERTIFICATE_NOT_YET_VALID', { nbf: 4_000_000_000, exp: 4_000_000_001 }],
    ['an unknown issuer', 'CERTIFICATE_INVALID', { iss: 'https://other.example' }],
    [
      'an index that its list does not have',
      'CERTIFICATE_INVALID',
      { status: { status_list: { idx: 1_024, uri: LIST_URI } } },
    ],
    [
      'a list on a foreign host',
      'CERTIFICATE_INVALID',
      { status: { status_list: { idx: 1, uri: 'https://evil.example/1' } } },
    ],
    ['a revoked one', 'CERTIFICATE_REVOKED', { status: { status_list: { idx: 900, uri: LIST_URI } } }],
    ['a suspended one', 'CERTIFICATE_SUSPENDED', { status: { status_list: { idx: 901, uri: LIST_URI } } }],
  ];

  test('refused certificates', async () => {
    const { issuer, holder } = await credentialWorld();
    accepted(
      await credentials().pushStatusList(
        asToken(),
        await statusList(issuer, { 900: 'revoked', 901: 'suspended' }),
      ),
    );
    for (const [name, code, some] of refused) {
      const done = await credentials().addCertificate(
        asToken('acme'),
        facts(),
        await upload(issuer, holder, 1, some),
      );
      expect([name, done.ok ? 'ok' : done.code]).toEqual([name, code]);
    }
    const body = await upload(issuer, holder, 1);
    const other = await upload(issuer, holder, 2);
    const thief = await newSigner();
    const stolen = await upload(issuer, thief, 1);
    const wrongs: readonly [AddCertificate, string][] = [
      [{ ...body, proof: other.proof }, 'PROOF_INVALID'],
      [{ ...body, key: stolen.key, proof: stolen.proof }, 'PROOF_INVALID'],
      [await upload(issuer, holder, 1, {}, 'beta'), 'PROOF_INVALID'],
      [{ ...body, clients: ['nobody'] }, 'REGISTRATION_INVALID'],
    ];
    for (const [wrong, code] of wrongs) {
      const done = await credentials().addCertificate(asToken('acme'), facts(), wrong);
      expect(done).toMatchObject({ ok: false, code });
    }
    expect([await rowsOf('certificates'), await store().openCount()]).toEqual([0, 0]);
  });

  test('a certificate that another organisation has, or one upload too many', async () => {
    const world = await credentialWorld();
    const body = await upload(world.issuer, world.holder, 1);
    accepted(await credentials().addCertificate(asToken('acme'), facts(), body));
    const beta = facts({ organisation: 'beta' });
    expect(await credentials().addCertificate(asToken('beta'), beta, body)).toMatchObject({
      code: 'CERTIFICATE_TAKEN',
    });
    await runInDurableObject(credentialsStub(), (_, { storage }) => {
      storage.sql.exec('UPDATE uploads SET used = ?', CERTIFICATE_UPLOADS_PER_DAY_MAX);
    });
    const next = await upload(world.issuer, world.holder, 2);
    expect(await credentials().addCertificate(asToken('acme'), facts(), next)).toMatchObject({
      code: 'BUDGET_EXCEEDED',
    });
  });
});

test('registrations and the head follow a list: revoked, suspended, valid again', async () => {
  const world = await credentialWorld();
  const [one, two] = [await uploaded(world, 1), await uploaded(world, 2)];
  const states = async () =>
    Promise.all([one, two].map(async ({ registrations: [id] }) => (await registration(id!)).state));
  const reasons = async () => (await registration(one.registrations[0]!)).reasons.map(({ code }) => code);
  const done = accepted(
    await credentials().pushStatusList(
      asToken(),
      await statusList(world.issuer, { 1: 'suspended', 500: 'revoked' }),
    ),
  );
  expect(done).toMatchObject({ uri: LIST_URI, changed: 1 });
  // The answer arrives only after the head has the change.
  const { statusOf, index } = await readCredentials();
  expect([await statusOf(one.digest), await statusOf(two.digest)]).toEqual(['suspended', 'valid']);
  expect(index.version).toBeGreaterThanOrEqual(done.version);
  await vi.waitFor(async () => expect(await states()).toEqual(['suspended', 'approved']), HANG_MS);
  expect(await reasons()).toEqual(['CERTIFICATE_SUSPENDED']);
  const later = (s: number) => ({ iat: nowS() + s });
  accepted(
    await credentials().pushStatusList(asToken(), await statusList(world.issuer, { 1: 'revoked' }, later(1))),
  );
  await vi.waitFor(async () => expect(await reasons()).toEqual(['CERTIFICATE_REVOKED']), HANG_MS);
  const resume = { action: 'resume', reasons: [], isRoot: true } as const;
  const resumed = await store().act(asReviewer(), facts(), Number(one.registrations[0]), resume, {
    match: null,
  });
  expect(resumed).toMatchObject({ ok: false, code: 'REGISTRATION_INVALID' });
  accepted(
    await credentials().pushStatusList(
      asToken(),
      await statusList(world.issuer, { 1: 'rateReduced' }, later(2)),
    ),
  );
  await vi.waitFor(async () => expect(await states()).toEqual(['approved', 'approved']), HANG_MS);
  expect(await credentials().certificate('acme', one.digest)).toMatchObject({ state: 'rateReduced' });
});

test('what a person has suspended, no list resumes', async () => {
  const world = await credentialWorld();
  const [id] = (await uploaded(world, 1)).registrations;
  const reasons = [{ field: 'holder', code: 'FRAUD', detail: 'reported', help: 'call us' }];
  const suspend = { action: 'suspend', reasons, isRoot: true } as const;
  accepted(await store().act(asReviewer(), facts(), Number(id), suspend, { match: null }));
  const lists = [
    await statusList(world.issuer, { 1: 'revoked' }),
    await statusList(world.issuer, {}, { iat: nowS() + 1 }),
  ];
  for (const list of lists) {
    accepted(await credentials().pushStatusList(asToken(), list));
    await vi.waitFor(async () => {
      const behind = await runInDurableObject(credentialsStub(), (_, { storage }) =>
        storage.sql.exec('SELECT 1 FROM certificates WHERE reported IS NOT wanted').toArray(),
      );
      expect(behind).toEqual([]);
    }, HANG_MS);
    expect(await registration(id!)).toMatchObject({ state: 'suspended', reasons });
  }
});

test('what the certificate says cannot be edited, and its clients can', async () => {
  const world = await credentialWorld();
  const [id] = (await uploaded(world, 1)).registrations;
  const edit = (patch: object) => store().edit(asToken('acme'), facts(), Number(id), patch, { match: null });
  expect(await edit({ number: '+8215880002' })).toMatchObject({
    extras: { reasons: [{ field: 'number', code: 'CERTIFICATE_FIXED' }] },
  });
  accepted(await edit({ clients: ['acme-main', 'acme-other'] }));
});

describe('certificates of an issuer', () => {
  const held = async (digest: string) => (await readCredentials()).statusOf(digest);

  test('count as suspended while it is suspended, lacks the key or the numbers', async () => {
    const world = await credentialWorld();
    const { digest, registrations } = await uploaded(world, 1);
    const other = await newSigner();
    const forms = [
      issuerOf(world.issuer, { state: 'suspended' }),
      issuerOf(other),
      issuerOf(world.issuer, { numbers: ['+8215881000..+8215889999'] }),
    ];
    for (const form of forms) {
      accepted(await credentials().putIssuer(asToken(), form, ANY));
      await vi.waitFor(async () => expect(await held(digest)).toBe('suspended'), HANG_MS);
      expect(await credentials().certificate('acme', digest)).toMatchObject({
        state: 'suspended',
        held: true,
      });
      await vi.waitFor(
        async () => expect((await registration(registrations[0]!)).state).toBe('suspended'),
        HANG_MS,
      );
      accepted(await credentials().putIssuer(asToken(), issuerOf(world.issuer), ANY));
      await vi.waitFor(async () => expect(await held(digest)).toBe('valid'), HANG_MS);
    }
    expect(await credentials().removeIssuer(asToken(), 'carrier', ANY)).toMatchObject({
      code: 'ISSUER_IN_USE',
    });
  });

  test('go on while a second key is added for a rotation', async () => {
    const world = await credentialWorld();
    const next = await newSigner('EdDSA');
    const one = issuerOf(world.issuer);
    const keys = { keys: [...one.keys.keys, { ...issuerOf(next).keys.keys[0]!, kid: 'k2' }] };
    accepted(await credentials().putIssuer(asToken(), { ...one, keys }, ANY));
    const { digest } = await uploaded(world, 1);
    accepted(await credentials().putIssuer(asToken(), { ...one, keys }, ANY));
    expect(await credentials().certificate('acme', digest)).toMatchObject({ state: 'valid' });
  });
});

test('an issuer is refused by field, and what finds it belongs to it alone', async () => {
  const { issuer } = await credentialWorld();
  const other = await newSigner();
  const put = async (form: ReturnType<typeof issuerOf>) => {
    const done = await credentials().putIssuer(asToken(), form, ANY);
    return done.ok ? 'ok' : [done.code, 'field' in done ? done.field : undefined];
  };
  const [key] = issuerOf(issuer).keys.keys as [never];
  expect(await put(issuerOf(issuer, { operators: ['nobody'] }))).toEqual([
    'FIELD_VALUE',
    'issuer.operators.0',
  ]);
  expect(await put(issuerOf(issuer, { numbers: [] }))).toEqual(['FIELD_VALUE', 'issuer.numbers']);
  expect(
    await put(issuerOf(issuer, { keys: { keys: [key, { ...(key as object), kid: 'k2' } as never] } })),
  ).toEqual(['FIELD_VALUE', 'issuer.keys.keys.1']);
  const x = 'A'.repeat(43);
  expect(await put(issuerOf(issuer, { keys: { keys: [{ ...(key as object), x } as never] } }))).toEqual([
    'FIELD_VALUE',
    'issuer.keys.keys.0',
  ]);
  const second = { id: 'second', iss: 'https://second.example', statusHosts: ['second.example'] };
  expect(await put(issuerOf(issuer, second))).toEqual(['ISSUER_TAKEN', undefined]);
  expect(await put(issuerOf(other, { ...second, statusHosts: ['status.carrier.example'] }))).toEqual([
    'ISSUER_TAKEN',
    undefined,
  ]);
  expect(await put(issuerOf(other, second))).toBe('ok');
  const stale = { match: '0123456789abcdef', absent: false };
  expect(await credentials().putIssuer(asToken(), issuerOf(issuer), stale)).toMatchObject({
    code: 'PRECONDITION_FAILED',
  });
});
