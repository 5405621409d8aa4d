/**
 * Message tokens at the edge. A forged, expired, foreign or revoked token is refused with its code. A token is verified once,
 * while the status of its credentials is read for every request.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { encodeCredentials } from '../../../shared/credentials/credential-table.ts';
import { currentIsolate } from '../../../workers/edge/isolate.ts';
import { messageToken, NUMBER, newSigner, rowOf } from '../../shared/support/credential-world.ts';
import { CLIENTS, client, publishClients } from '../support/clients.ts';
import {
  agent,
  CERTIFICATE,
  CHAIN,
  type CredentialContent,
  holder,
  publishCredentials,
  ROWS,
  relay,
} from '../support/credentials.ts';
import { coldIsolate } from '../support/isolate.ts';
import { KvWatch, missing } from '../support/kv.ts';
import { send, sendAndSettle } from '../support/send.ts';
import { ATTACKS, type Attack, type Checked, good, status } from '../support/token-attacks.ts';
import {
  build,
  NEXT_POLL_MS,
  NOW,
  publish,
  publishDirectory,
  putHead,
  smallLists,
} from '../support/world.ts';

coldIsolate();

const stranger = await newSigner();
const from = `+${NUMBER}`;
const built = await build(smallLists());

const CLIENT_SETTINGS = {
  off: {},
  enforce: { requireToken: 'enforce' },
  label: { requireToken: 'label' },
  shadow: { requireToken: 'shadow' },
  registered: { requireRegistration: 'enforce' },
  labelled: { requireRegistration: 'enforce', requireToken: 'label' },
};

async function publishAll(some: Partial<CredentialContent> = {}, seq = 1): Promise<void> {
  const { head } = await publishCredentials({ rows: ROWS, ...some });
  await putHead({ seq, ...head });
}

/** Makes the next request poll the head. */
function nextPoll(): void {
  vi.setSystemTime(Date.now() + NEXT_POLL_MS);
}

/** The verdict and the codes of a check. */
async function verdict(body: Checked, name = 'off'): Promise<string> {
  const { body: found } = await sendAndSettle({ body: { from, ...body }, client: name });
  return [found.verdict ?? found.code, ...(found.reasons ?? []).map(({ code }) => code)].join(' ');
}

const verifications = (): number => currentIsolate().tokens.verifications;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  await publish(built);
  const own = Object.entries(CLIENT_SETTINGS).map(([id, settings]) => client(id, settings));
  await publishClients([...CLIENTS, ...(await Promise.all(own))]);
  await publishAll();
});

describe('a message token', () => {
  test.each([
    ['off', 'allow', 'allow'],
    ['enforce', 'block TOKEN_MISSING', 'allow'],
    ['label', 'label TOKEN_MISSING', 'allow'],
    ['shadow', 'allow TOKEN_MISSING', 'allow'],
    ['registered', 'block SENDER_NOT_REGISTERED', 'allow'],
    ['labelled', 'block SENDER_NOT_REGISTERED TOKEN_MISSING', 'allow'],
  ])(
    'of a valid chain permits its number, for a client with the setting "%s"',
    async (name, without, having) => {
      expect(await verdict({}, name)).toBe(without);
      expect(await verdict({ senderToken: good }, name)).toBe(having);
      expect(verifications()).toBe(1);
    },
  );

  test('may be for the client alone, and end at any link', async () => {
    expect(
      await verdict({ senderToken: await messageToken(relay, CHAIN, { aud: 'default/enforce' }) }, 'enforce'),
    ).toBe('allow');
    expect(await verdict({ senderToken: await messageToken(agent, CHAIN.slice(0, 2)) }, 'enforce')).toBe(
      'allow',
    );
    expect(await verdict({ senderToken: await messageToken(holder, CHAIN.slice(0, 1)) }, 'enforce')).toBe(
      'allow',
    );
  });

  test('may have optional claims, which are not evaluated', async () => {
    const optional = { msgi: `sha256-${'A'.repeat(43)}=`, jti: 'text-1', act: { sub: 'relay' } };
    const senderToken = await messageToken(relay, CHAIN, optional);
    expect(await verdict({ senderToken }, 'enforce')).toBe('allow');
  });

  test('must name the sender code of an organisation of its chain, if one has a code', async () => {
    const organisations = [{ id: 'acme', senderCode: 'ACME0001', qualification: null }];
    await publishDirectory([await client('off')], organisations);
    await publishAll();
    expect(await verdict({ senderToken: good })).toBe('block TOKEN_INVALID');
    for (const [osc, expected] of [
      ['ACME0001', 'allow'],
      ['BETA0001', 'block TOKEN_INVALID'],
    ] as const)
      expect(await verdict({ senderToken: await messageToken(relay, CHAIN, { osc }) })).toBe(expected);
  });
});

describe('the reason of a refused token says what is wrong', () => {
  async function detail(body: Checked): Promise<string | undefined> {
    const { body: found } = await sendAndSettle({ body: { from, ...body }, client: 'off' });
    return found.reasons![0]!.detail;
  }
  const claims = (some: object) => messageToken(relay, CHAIN, some);

  test.each<[what: string, token: () => string | Promise<string>, detail: string]>([
    [
      'another key',
      () => messageToken(stranger, CHAIN, {}),
      'is not signed with the key of the last link of its chain',
    ],
    ['another organisation', () => claims({ aud: 'beta' }), 'is for another organisation or client in "aud"'],
    [
      'a long life',
      () => claims({ iat: NOW / 1000, exp: NOW / 1000 + 901 }),
      'must have "exp" after "iat", and at most 15 minutes later',
    ],
    ['its end', () => claims({ iat: NOW / 1000 - 400, exp: NOW / 1000 - 60 }), 'has expired: sign a new one'],
    [
      'its beginning',
      () => claims({ nbf: NOW / 1000 + 61 }),
      'is not valid yet: check the clock that signs it',
    ],
    ['its form', () => 'garbage', 'must be a compact JWS: three parts in base64url, separated by dots'],
    ['its length', () => `${good}${'x'.repeat(4_096)}`, 'must have at most 4096 characters'],
    [
      'a claim',
      () => claims({ orig: { tn: 'none' } }),
      'has a claim that is not valid: "orig.tn" must be E.164 digits without a plus',
    ],
    [
      'an "osc" that nobody has',
      () => claims({ osc: 'NOBODY01' }),
      'has an "osc" that is not the sender code of an organisation in its chain',
    ],
  ])('%s', async (_, token, expected) => {
    expect(await detail({ senderToken: await token() })).toBe(`"senderToken" ${expected}`);
  });

  test('another number', async () => {
    expect(await detail({ senderToken: good, from: '02-2123-4567' })).toBe(
      '"senderToken" is for another number than "from"',
    );
  });

  test('a missing "osc"', async () => {
    const organisations = [{ id: 'acme', senderCode: 'ACME0001', qualification: null }];
    await publishDirectory([await client('off')], organisations);
    await publishAll();
    expect(await detail({ senderToken: good })).toBe(
      '"senderToken" must have "osc": an organisation in its chain has a sender code',
    );
  });
});

const LABELS = ['SENDER_RATE_REDUCED'];
const UNKNOWN = ['LIST_STALE', 'LIST_UNAVAILABLE'];

describe('a check is refused with a message token', () => {
  /** Checks a token with each setting, including when it is already known. */
  async function refuses([what, make, code, , body = {}]: Attack): Promise<void> {
    const senderToken = await make();
    const before = verifications();
    const isUnknown = UNKNOWN.includes(code);
    const strongest = LABELS.includes(code) ? 'label' : isUnknown ? 'indeterminate' : 'block';
    const labelled = isUnknown ? 'indeterminate' : 'label';
    const expected = {
      enforce: `${strongest} ${code}`,
      label: `${labelled} ${code}`,
      off: `${strongest} ${code}`,
      shadow: isUnknown ? 'allow' : `allow ${code}`,
    };
    for (const [name, verdictAndCode] of Object.entries(expected))
      expect(await verdict({ senderToken, ...body }, name), `${what}, ${name}`).toBe(verdictAndCode);
    expect(verifications() - before, what).toBeLessThanOrEqual(1);
  }

  // One test covers many rows, because each test starts with an empty store, which takes longer than all rows together.
  test('that is forged, foreign, or not valid now', async () => {
    for (const attack of ATTACKS.filter(([, , , content]) => content === undefined)) await refuses(attack);
  });

  test('whose credentials are not valid now', async () => {
    let seq = 1;
    for (const attack of ATTACKS.filter(([, , , content]) => content !== undefined)) {
      seq++;
      await publishAll({ ...attack[3], version: seq }, seq);
      nextPoll();
      await verdict({});
      await refuses(attack);
    }
    expect(verifications()).toBeLessThanOrEqual(2);
  });
});

describe('a token that was verified', () => {
  test('is refused once its certificate is revoked, and not verified again', async () => {
    expect(await verdict({ senderToken: good })).toBe('allow');
    await publishAll({ ...status(1, 'revoked'), version: 2 }, 2);
    nextPoll();
    await verdict({});
    expect(await verdict({ senderToken: good })).toBe('block CERTIFICATE_REVOKED');
    await publishAll({ version: 3 }, 3);
    nextPoll();
    await verdict({});
    expect(await verdict({ senderToken: good })).toBe('allow');
    expect(verifications()).toBe(1);
  });

  test('is refused once its certificate is gone, and permits again once it is back', async () => {
    expect(await verdict({ senderToken: good })).toBe('allow');
    for (const [rows, expected] of [
      [ROWS.slice(1), 'block CERTIFICATE_INVALID'],
      [ROWS, 'allow'],
    ] as const) {
      await publishAll({ rows, version: 2 }, rows === ROWS ? 3 : 2);
      nextPoll();
      await verdict({});
      expect(await verdict({ senderToken: good })).toBe(expected);
    }
    expect(verifications()).toBe(1);
  });

  test('costs no read while its shards are the same', async () => {
    const { index } = await publishCredentials({ rows: ROWS });
    const shards = index.shards.map(({ key }) => key);
    const kv = new KvWatch();
    await verdict({ senderToken: good });
    const first = kv.gets.filter((key) => shards.includes(key));
    expect(first.length).toBeGreaterThan(0);
    expect(new Set(first).size).toBe(first.length);
    await verdict({ senderToken: good }, 'enforce');
    await verdict({ senderToken: await messageToken(relay, CHAIN, { jti: 'another' }) });
    expect(kv.gets.filter((key) => shards.includes(key))).toEqual(first);
    expect(verifications()).toBe(2);
  });

  test('ends with its time', async () => {
    expect(await verdict({ senderToken: good })).toBe('allow');
    vi.setSystemTime(NOW + 360_000);
    expect(await verdict({ senderToken: good })).toContain('TOKEN_EXPIRED');
  });
});

test('while a shard cannot be loaded, a token decides nothing, and no registration is found missing', async () => {
  const kv = new KvWatch();
  const { index } = await publishCredentials({ rows: ROWS });
  for (const { key } of index.shards) kv.override(key, missing);
  expect(await verdict({ senderToken: good })).toBe('indeterminate LIST_UNAVAILABLE');
  expect(await verdict({ senderToken: good }, 'registered')).toBe('indeterminate LIST_UNAVAILABLE');
  vi.restoreAllMocks();
});

test('a row of the table is found by its digest alone', async () => {
  // The encoder refuses rows that the reader could not find.
  expect(() => encodeCredentials([CERTIFICATE, CERTIFICATE])).toThrow(RangeError);
  const other = await messageToken(holder, [(await rowOf(stranger)).digest]);
  expect(await verdict({ senderToken: other })).toBe('block CERTIFICATE_INVALID');
});

test('without any credentials in the head, no token is valid', async () => {
  await putHead();
  expect((await send({ body: { from, senderToken: good }, client: 'off' })).body).toMatchObject({
    verdict: 'block',
    reasons: [{ subject: 'from', code: 'CERTIFICATE_INVALID', list: 'sender-token', match: 'rule' }],
  });
});
