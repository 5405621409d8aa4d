/**
 * `/v1/gateway/check`: calls and texts where they come in. The decision for each kind of sender is tested in
 * test/shared/screening/decision-table.test.ts; here it is what a gateway sees of it.
 */
import { describe, expect, it } from 'vitest';
import { type Answer, ask, refused } from './support/ask.ts';
import { NUMBERS, SOURCES, WAYS } from './support/input-lists.ts';
import { TEST_NUMBERS } from './support/test-number-table.ts';
import { type ClientName, world } from './support/world.ts';

const PATH = '/v1/gateway/check';
const ABROAD = '+639179876543';

async function gateway(body: object, client: ClientName = 'gateway'): Promise<Answer> {
  const { status, text, json } = await ask(PATH, { method: 'POST', client, body });
  if (status !== 200) expect.fail(`${status}: ${text}`);
  return json;
}

async function verdict(body: object): Promise<unknown[]> {
  const { verdict: told, reasons } = await gateway(body);
  return [told, reasons[0]?.code, reasons[0]?.list, reasons[0]?.match];
}

describe('a gateway check', () => {
  it('answers a blocked call with what to tell SIP and SMPP, and the rule that decided', async () => {
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

  it('labels what comes from abroad and is not known, also without a number', async () => {
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
  ])('asks of a Korean mobile number whether it is roaming: %s', async (roaming, told, code) => {
    expect((await verdict({ from: '010-5555-1234', roaming })).slice(0, 2)).toEqual([told, code]);
  });

  it.each([
    ['a number', { from: NUMBERS.overseas }, 'OVERSEAS_NUMBER_LISTED', 'exact'],
    ['a range', { from: NUMBERS.overseasRange }, 'OVERSEAS_RANGE_LISTED', 'range'],
    ['a calling code', { from: WAYS.country.number }, 'OVERSEAS_RANGE_LISTED', 'range'],
    ['a sender id', { from: WAYS.senderId }, 'OVERSEAS_SOURCE_LISTED', 'source'],
    ['a sender id in look-alike letters', { from: 'ЅРАМ-КR' }, 'OVERSEAS_SOURCE_LISTED', 'source'],
    [
      'an operator',
      { from: ABROAD, ingress: { operator: WAYS.operator.code } },
      'OVERSEAS_SOURCE_LISTED',
      'operator',
    ],
    ['a trunk', { from: '', ingress: { trunk: 'bad-1' } }, 'OVERSEAS_SOURCE_LISTED', 'trunk'],
    [
      'an SMSC',
      { from: 'HELLO', ingress: { smsc: WAYS.smsc.globalTitle } },
      'OVERSEAS_SOURCE_LISTED',
      'smsc',
    ],
    [
      'an invalid number',
      { from: NUMBERS.suspended, roaming: 'verified', attestation: 'A' },
      'NUMBER_SUSPENDED',
      'exact',
    ],
  ])('blocks %s that is listed, and says by what it was found', async (_what, body, code, match) => {
    expect(await verdict(body)).toEqual(['block', code, expect.any(String), match]);
  });

  it('lets trusted operators and senders pass, and not what looks like them', async () => {
    const ingress = { operator: WAYS.trustedOperator.code };
    expect((await gateway({ from: '02-123-4567', ingress })).verdict).toBe('allow');
    expect((await gateway({ from: WAYS.trustedSender })).verdict).toBe('allow');
    expect((await gateway({ from: 'ВIGВRAND' })).verdict).toBe('label');
    expect((await gateway({ from: NUMBERS.suspended, ingress })).verdict).toBe('block');
  });

  it('has no rules for senders: those are for who sends', async () => {
    const ingress = { type: 'domestic', country: 'KR', operator: '450-05' };
    expect((await gateway({ from: '02-123-4567', channel: 'voice', ingress })).verdict).toBe('allow');
    expect((await gateway({ from: '050-1234-5679', ingress })).verdict).toBe('allow');
    expect(await gateway({ from: '00700 63 917 987 6543', ingress })).toMatchObject({
      verdict: 'label',
      evidence: { origin: 'abroad', carrierPrefix: '00700', country: 'PH' },
    });
  });

  it('reads a prefix that is a field of its own, where the digits alone say two things', async () => {
    const [korea, egypt] = ['+821012345678', '+201012345678'];
    expect((await gateway({ from: '008201012345678' })).readings).toEqual({ from: [korea, egypt] });
    const answer = await gateway({ from: '201012345678', ingress: { carrierPrefix: '008' } });
    expect([answer.from, answer.readings]).toEqual([egypt, undefined]);
  });

  it.each(TEST_NUMBERS)('has the fixed answer of $written', async ({ written, verdict: told, code }) => {
    const answer = await gateway({ from: written, ingress: { operator: WAYS.operator.code } });
    expect([answer.verdict, answer.reasons.map((reason) => reason.code)]).toEqual([told, [code]]);
  });

  it('never blocks a call to an emergency number', async () => {
    const ingress = { operator: WAYS.operator.code };
    expect(await gateway({ channel: 'voice', from: '+82212345678', to: '119', ingress })).toMatchObject({
      verdict: 'allow',
      sip: null,
    });
  });

  it('answers GET as POST does, the fields of ingress with a dot', async () => {
    const query =
      'from=%2B82212345678&to=119&channel=voice&ingress.type=international&ingress.operator=515-99';
    const { status, json } = await ask(`${PATH}?${query}&roaming=unknown&attestation=C`, {
      client: 'gateway',
    });
    expect([status, json.verdict]).toEqual([200, 'allow']);
    const blocked = await ask(`${PATH}?from=+82212345678&ingress.trunk=MNL-2`, {
      client: 'gateway',
      headers: { accept: 'text/plain' },
    });
    expect(blocked.text).toBe('block DOMESTIC_CLI_FROM_ABROAD from\n');
    expect(blocked.headers.get('numgate-release')).toBe(world().release);
  });

  it('answers a batch in order, from one head, what an item leaves out from the defaults', async () => {
    const body = {
      defaults: { channel: 'voice', ingress: { operator: WAYS.trustedOperator.code } },
      items: [
        { id: 'a', from: '+82212345678' },
        { id: 'b', from: '+82212345678', ingress: { operator: '51502' } },
        { id: 'c' },
        { id: 'd', from: 'ANONYMOUS' },
      ],
    };
    const { json } = await ask(`${PATH}/batch`, { method: 'POST', client: 'gateway', body });
    expect(json.results.map(({ id, verdict: told, error }) => [id, told ?? error.code])).toEqual([
      ['a', 'allow'],
      ['b', 'block'],
      ['c', 'FIELD_MISSING'],
      ['d', 'allow'],
    ]);
    expect(json.summary).toMatchObject({ total: 4, allow: 2, block: 1, error: 1 });
    const hits = await ask(`${PATH}/batch`, {
      ...{ method: 'POST', client: 'gateway', body: { ...body, report: 'hits' } },
    });
    expect(hits.json.results.map(({ id }) => id)).toEqual(['b', 'c']);
  });

  it('refuses a field that is given in both forms of an address', async () => {
    const { status, json } = await ask(`${PATH}?from=&ingress=x&ingress.type=domestic`, {
      client: 'gateway',
    });
    expect([status, json.code, json.field]).toEqual([400, 'FIELD_TYPE', 'ingress']);
  });

  it('is for clients with the right to it', async () => {
    const { status, json } = await ask(PATH, { method: 'POST', client: 'label', body: { from: '' } });
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
  ])('refuses %j with %s of %s', async (body, code, field) => {
    await refused([PATH, { method: 'POST', client: 'gateway', body, wrong: true }], [400, code, field]);
  });

  it('may be cached for 5 s at the most', async () => {
    const before = Date.now();
    const until = Date.parse((await gateway({ from: ABROAD })).cacheUntil!);
    expect(until).toBeGreaterThan(before);
    expect(until).toBeLessThanOrEqual(Date.now() + 5_000);
  });
});
