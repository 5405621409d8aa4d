/**
 * `/v1/gateway/check`: calls and texts at the ingress. test/shared/screening/decision-table.test.ts tests each
 * kind of sender; this suite tests what a gateway sees.
 */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../shared/bytes.ts';
import { INGRESS, NUMBERS, SOURCES } from './support/input-lists.ts';
import { type Answer, expectRefused, send } from './support/send.ts';
import { TEST_NUMBERS } from './support/test-number-table.ts';
import { type ClientName, world } from './support/world.ts';

const PATH = '/v1/gateway/check';
const ABROAD = '+639179876543';

async function gateway(body: object, client: ClientName = 'gateway'): Promise<Answer> {
  const { status, text, json } = await send(PATH, { method: 'POST', client, body });
  if (status !== 200) expect.fail(`${status}: ${text}`);
  return json;
}

async function verdict(body: object): Promise<unknown[]> {
  const { verdict: decided, reasons } = await gateway(body);
  return [decided, reasons[0]?.code, reasons[0]?.list, reasons[0]?.match];
}

describe('a gateway check', () => {
  it.each([PATH, `${PATH}/batch`])(
    '%s takes a text that is not UTF-8: it must not choose the fail policy',
    async (path) => {
      const one = [
        ...utf8(
          `{"to":"${NUMBERS.free}","from":"${ABROAD}","channel":"sms","ingress":{"type":"international"},"text":"`,
        ),
        0xb0,
        0xa1,
        ...utf8('"}'),
      ];
      const body = path === PATH ? one : [...utf8('{"items":['), ...one, ...utf8(']}')];
      const { status, text } = await send(path, { client: 'gateway', body: Uint8Array.from(body) });
      expect([status, text]).toEqual([200, expect.stringContaining('verdict')]);
    },
  );

  it('a blocked call gets the SIP and SMPP status and the deciding rule', async () => {
    const ingress = { type: 'international', country: 'PH', operator: '51502' };
    const answer = await gateway({ channel: 'voice', from: '+82212345678', to: NUMBERS.free, ingress });
    expect(answer).toMatchObject({
      verdict: 'block',
      subject: 'from',
      reasons: [{ code: 'DOMESTIC_CLI_FROM_ABROAD', list: 'kr-number-from-abroad', match: 'rule' }],
      policy: { version: 0, rule: 'kr-number-from-abroad' },
      evidence: { origin: 'abroad', sender: 'krFixed', country: 'KR', countryMismatch: true },
      sip: {
        status: 603,
        reason: 'Network Blocked',
        reasonHeader: 'Q.850;cause=21;text="DOMESTIC_CLI_FROM_ABROAD";location=TN',
      },
      smpp: { commandStatus: 10 },
      release: world().release,
      stale: false,
    });
  });

  it('unknown traffic from abroad is labelled, even without a number', async () => {
    for (const from of [ABROAD, SOURCES.free, '']) {
      expect(await gateway({ from })).toMatchObject({
        verdict: 'label',
        label: '[국제발신]',
        sip: null,
        smpp: null,
      });
    }
  });

  it.each([
    ['verified', 'allow', undefined],
    ['notRoaming', 'block', 'MOBILE_CLI_NOT_ROAMING'],
    ['unknown', 'label', 'MOBILE_CLI_ROAMING_UNVERIFIED'],
  ])('roaming determines the verdict for a Korean mobile number: %s', async (roaming, expected, code) => {
    expect((await verdict({ from: '010-5555-1234', roaming })).slice(0, 2)).toEqual([expected, code]);
  });

  it.each([
    ['a number', { from: NUMBERS.overseas }, 'OVERSEAS_NUMBER_LISTED', 'exact'],
    ['a range', { from: NUMBERS.overseasRange }, 'OVERSEAS_RANGE_LISTED', 'range'],
    ['a calling code', { from: INGRESS.country.number }, 'OVERSEAS_RANGE_LISTED', 'range'],
    ['a sender ID', { from: INGRESS.senderId }, 'OVERSEAS_SOURCE_LISTED', 'source'],
    ['a sender ID in look-alike letters', { from: 'ЅРАМ-КR' }, 'OVERSEAS_SOURCE_LISTED', 'source'],
    [
      'an operator',
      { from: ABROAD, ingress: { operator: INGRESS.operator.code } },
      'OVERSEAS_SOURCE_LISTED',
      'operator',
    ],
    ['a trunk', { from: '', ingress: { trunk: 'bad-1' } }, 'OVERSEAS_SOURCE_LISTED', 'trunk'],
    [
      'an SMSC',
      { from: 'HELLO', ingress: { smsc: INGRESS.smsc.globalTitle } },
      'OVERSEAS_SOURCE_LISTED',
      'smsc',
    ],
    [
      'a suspended number',
      { from: NUMBERS.suspended, roaming: 'verified', attestation: 'A' },
      'NUMBER_SUSPENDED',
      'exact',
    ],
  ])('%s on a list is blocked, and the reason names the match', async (_what, body, code, match) => {
    expect(await verdict(body)).toEqual(['block', code, expect.any(String), match]);
  });

  it('trusted operators and senders are allowed; look-alikes are not', async () => {
    const ingress = { operator: INGRESS.trustedOperator.code };
    expect((await gateway({ from: '02-123-4567', ingress })).verdict).toBe('allow');
    expect((await gateway({ from: INGRESS.trustedSender })).verdict).toBe('allow');
    expect((await gateway({ from: 'ВIGВRAND' })).verdict).toBe('label');
    expect((await gateway({ from: NUMBERS.suspended, ingress })).verdict).toBe('block');
  });

  it('sender rules do not apply at a gateway', async () => {
    const ingress = { type: 'domestic', country: 'KR', operator: '450-05' };
    expect((await gateway({ from: '02-123-4567', channel: 'voice', ingress })).verdict).toBe('allow');
    expect((await gateway({ from: '050-1234-5679', ingress })).verdict).toBe('allow');
    expect(await gateway({ from: '00700 63 917 987 6543', ingress })).toMatchObject({
      verdict: 'label',
      evidence: { origin: 'abroad', carrierPrefix: '00700', country: 'PH' },
    });
  });

  it('`carrierPrefix` decides between two readings', async () => {
    const [korea, egypt] = ['+821012345678', '+201012345678'];
    expect((await gateway({ from: '008201012345678' })).readings).toEqual({ from: [korea, egypt] });
    const answer = await gateway({ from: '201012345678', ingress: { carrierPrefix: '008' } });
    expect([answer.from, answer.readings]).toEqual([egypt, undefined]);
  });

  it.each(TEST_NUMBERS)('$written has its fixed verdict', async ({ written, verdict: expected, code }) => {
    const answer = await gateway({ from: written, ingress: { operator: INGRESS.operator.code } });
    expect([answer.verdict, answer.reasons.map((reason) => reason.code)]).toEqual([expected, [code]]);
  });

  it('a call to an emergency number is never blocked', async () => {
    const ingress = { operator: INGRESS.operator.code };
    expect(await gateway({ channel: 'voice', from: '+82212345678', to: '119', ingress })).toMatchObject({
      verdict: 'allow',
      sip: null,
    });
  });

  it('GET returns the same as POST; ingress fields are written with a dot', async () => {
    const query =
      'from=%2B82212345678&to=119&channel=voice&ingress.type=international&ingress.operator=515-99';
    const { status, json } = await send(`${PATH}?${query}&roaming=unknown&attestation=C`, {
      client: 'gateway',
    });
    expect([status, json.verdict]).toEqual([200, 'allow']);
    const blocked = await send(`${PATH}?from=+82212345678&ingress.trunk=MNL-2`, {
      client: 'gateway',
      headers: { accept: 'text/plain' },
    });
    expect(blocked.text).toBe('block DOMESTIC_CLI_FROM_ABROAD from\n');
    expect(blocked.headers.get('numgate-release')).toBe(world().release);
  });

  it('a batch is screened in order; defaults fill in omitted fields', async () => {
    const body = {
      defaults: { channel: 'voice', ingress: { operator: INGRESS.trustedOperator.code } },
      items: [
        { id: 'a', from: '+82212345678' },
        { id: 'b', from: '+82212345678', ingress: { operator: '51502' } },
        { id: 'c' },
        { id: 'd', from: 'ANONYMOUS' },
      ],
    };
    const { json } = await send(`${PATH}/batch`, { method: 'POST', client: 'gateway', body });
    expect(json.results.map(({ id, verdict: decided, error }) => [id, decided ?? error.code])).toEqual([
      ['a', 'allow'],
      ['b', 'block'],
      ['c', 'FIELD_MISSING'],
      ['d', 'allow'],
    ]);
    expect(json.summary).toMatchObject({ total: 4, allow: 2, block: 1, error: 1 });
    const hits = await send(`${PATH}/batch`, {
      ...{ method: 'POST', client: 'gateway', body: { ...body, report: 'hits' } },
    });
    expect(hits.json.results.map(({ id }) => id)).toEqual(['b', 'c']);
  });

  it('a field in both forms of the query is rejected', async () => {
    const { status, json } = await send(`${PATH}?from=&ingress=x&ingress.type=domestic`, {
      client: 'gateway',
    });
    expect([status, json.code, json.field]).toEqual([400, 'FIELD_TYPE', 'ingress']);
  });

  it('only a client with the gateway right may use the route', async () => {
    const { status, json } = await send(PATH, { method: 'POST', client: 'label', body: { from: '' } });
    expect([status, json.code]).toEqual([403, 'PERMISSION_DENIED']);
  });

  it.each([
    [{ from: '', ingress: { type: 'satellite' } }, 'FIELD_VALUE', 'ingress.type'],
    [{ from: '', ingress: { operator: '51-502' } }, 'FIELD_VALUE', 'ingress.operator'],
    [{ from: 'TWELVE-CHARS' }, 'FIELD_VALUE', 'from'],
    [{ from: 'A\u0000B' }, 'FIELD_VALUE', 'from'],
    [{ from: '', ingress: { type: 'domestic', country: 'PH' } }, 'FIELD_CONTRADICTION', 'ingress.country'],
    [
      { from: '', ingress: { type: 'domestic', operator: '51502' } },
      'FIELD_CONTRADICTION',
      'ingress.operator',
    ],
    [{ to: NUMBERS.free }, 'FIELD_MISSING', 'from'],
    [{ from: '', stirShaken: 'A' }, 'FIELD_UNKNOWN', 'stirShaken'],
  ])('%j is rejected with %s for %s', async (body, code, field) => {
    await expectRefused(
      [PATH, { method: 'POST', client: 'gateway', body, undocumented: true }],
      [400, code, field],
    );
  });

  it.each(['KR\u200b-GOV\u2060-NOT\u00adICE', 'KR-GOV-\u202eNOTICE\u202c'])(
    'a listed sender ID with invisible characters is still found: %j',
    async (from) => {
      const { verdict, reasons } = await gateway({ from, channel: 'voice' });
      expect([verdict, reasons[0]!.code]).toEqual(['block', 'OVERSEAS_SOURCE_LISTED']);
    },
  );

  it('a PASSporT that is wrong blocks a call, and is never an error of the request', async () => {
    const sip = { status: 438, reason: 'Invalid Identity Header' };
    for (const identity of ['a.b.c', ['x'.repeat(9_000)], Array(5).fill('a.b.c')]) {
      expect(await gateway({ channel: 'voice', from: ABROAD, attestation: 'A', identity })).toMatchObject({
        verdict: 'block',
        reasons: [{ code: 'TOKEN_INVALID', list: 'identity' }, {}],
        ...{ attestation: null, identity: { ppt: null, verified: false, code: 'TOKEN_INVALID' }, sip },
      });
    }
    expect(await gateway({ from: ABROAD, attestation: 'A' })).toMatchObject({
      ...{ verdict: 'label', attestation: { level: 'A', source: 'claimed' }, identity: null },
    });
  });

  it('a verdict may be cached for at most 5 s', async () => {
    const before = Date.now();
    const until = Date.parse((await gateway({ from: ABROAD })).cacheUntil!);
    expect(until).toBeGreaterThan(before);
    expect(until).toBeLessThanOrEqual(Date.now() + 5_000);
  });
});
