/**
 * Every identity of a call against examples/kamailio and the real service. One blocked identity refuses the
 * call, wherever it is and however it is written. Claims of an untrusted peer are not passed on. No call
 * causes more lookups than the limit.
 */
import { describe, expect, it } from 'vitest';
import { FOREIGN, Gateway, LABEL, missing, TO } from './support/ends.ts';
import { headerOf, type SipRequest } from './support/sip.ts';

/** A Korean number, which is blocked if it comes from abroad. */
const KOREAN = '<sip:+82212345678@carrier.example>';
/** A test number that is allowed. */
const ALLOWED = '<sip:+821000000024@carrier.example>';
const NAMES = [
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'Remote-Party-ID',
  'Diversion',
  'History-Info',
] as const;
const BLOCKED = 'SIP/2.0 603 Network Blocked';
const UNREADABLE = 'SIP/2.0 400 Unreadable Sender';
const TOO_MANY = 'SIP/2.0 400 Too Many Identities';
/** IDENTITIES_MAX of the config. */
const MOST = 16;

const call: SipRequest = { method: 'INVITE', from: FOREIGN, to: TO };
const foreign = (index: number): string =>
  `<sip:+6391712300${String(index).padStart(2, '0')}@carrier.example>`;

describe.skipIf(missing !== null)('identities of a call', () => {
  const gateway = new Gateway();
  const statusOf = async (headers: Record<string, string>, request: Partial<SipRequest> = {}) =>
    (await gateway.refused({ ...call, ...request, headers })).start;

  it.each(NAMES.map((name) => [name]))('a blocked %s refuses a call and a text', async (name) => {
    expect(await statusOf({ [name]: KOREAN })).toBe(BLOCKED);
    expect(await statusOf({ [name]: KOREAN }, { method: 'MESSAGE' })).toBe(BLOCKED);
    await gateway.passed({ ...call, headers: { [name]: foreign(1) } });
  });

  it('a blocked From refuses a call even if P-Asserted-Identity is allowed', async () => {
    expect(await statusOf({ 'P-Asserted-Identity': ALLOWED }, { from: KOREAN })).toBe(BLOCKED);
  });

  it.each([
    ['the second of a list', `${foreign(1)}, ${KOREAN}`],
    ['the second of a list without spaces', `${foreign(1)},${KOREAN}`],
    ['in a second header field', `${foreign(1)}\r\nDIVERSION: ${KOREAN}`],
    ['on a folded line', `${foreign(1)},\r\n ${KOREAN}`],
    ['with parameters', `${foreign(1)};reason=unconditional;counter=1,${KOREAN};reason="no, answer"`],
    ['behind a name with a comma and a quotation mark', `"Kim, \\" <sip:x@y>" ${KOREAN}`],
    ['behind a name without quotation marks', `Kim Lee ${KOREAN}`],
    ['a tel URI', '<tel:+82-2-1234-5678>'],
    ['without angle brackets', 'sip:+82212345678@carrier.example;reason=busy'],
    ['encoded', '<sip:+82%32%31%32345678@carrier.example>'],
    ['with parameters of the number', '<sip:+82212345678;npdi=yes@carrier.example>'],
    ['with a password', '<sip:+82212345678:secret@carrier.example>'],
    ['with a comma in the user', '<sip:+82212345678,@carrier.example>'],
    ['of SIPS', '<SIPS:+82212345678@carrier.example>'],
    ['a tel URI with a context', '<tel:2-1234-5678;phone-context=+82>'],
    ['a tel URI with a context, with the 0 of its country', '<tel:02-1234-5678;isub=1;Phone-Context=+82>'],
    ['a SIP URI with a context', '<sip:212345678;phone-context=+82@carrier.example;user=phone>'],
    ['a context of an area', '<tel:12345678;phone-context=+82-2>'],
    ['with an encoded context', '<sip:212345678%3Bphone-context%3D%2B82@carrier.example>'],
    ['the last of many', [...Array(MOST - 1).keys()].map(foreign).concat(KOREAN).join()],
  ])('a blocked identity refuses a call if it is %s', async (_what, value) => {
    expect(await statusOf({ Diversion: value })).toBe(BLOCKED);
  });

  it.each([
    ['is no URI', '<nothing>'],
    ['has an open quotation mark', `" ${FOREIGN}`],
    ['has an open bracket', '<sip:+639171234567@x'],
    ['has a quotation mark in the URI', '<sip:+8221234"5678"@x>'],
    ['is empty', `${FOREIGN},,${FOREIGN}`],
    ['has a quotation mark in brackets', `"a <b" ${FOREIGN}`],
    ['has two hosts', '<sip:+82212345678@a@b>'],
    ['has a zero byte', `${FOREIGN}\0, ${KOREAN}`],
    ['has a user of 65 characters', `<sip:${'1'.repeat(65)}@x>`],
    ['is no number', '<sip:+82"@x>'],
    ['is long', `"${'x'.repeat(1_100)}" ${FOREIGN}`],
  ])('an identity that %s refuses a call', async (_what, value) => {
    for (const name of NAMES) expect(await statusOf({ [name]: value })).toBe(UNREADABLE);
  });

  it.each([
    '<tel:9171230001;phone-context=+63>',
    '<tel:09171230001;isub=1;Phone-Context=+63>',
    '<sip:9171230001;phone-context=+63@carrier.example;user=phone>',
    '<sip:9171230001%3Bphone-context%3D%2B63@carrier.example>',
    '<tel:1230001;phone-context=+63-917>',
  ])('a number without + is one of the country in its context: %s', async (value) => {
    // Without the context, numgate reads the value as a Korean number, which is blocked from abroad, or as no number.
    await gateway.passed({ ...call, headers: { Diversion: value } });
    await gateway.passed({ ...call, from: value });
  });

  it('a name with a comma is no identity of its own', async () => {
    await gateway.passed({
      ...call,
      headers: { 'Remote-Party-ID': `"Cruz, Juan; sip:x" ${foreign(1)};party=calling` },
    });
  });

  it('identities that name nobody are not checked', async () => {
    for (const value of ['<sip:carrier.example>', '<sip:anonymous@anonymous.invalid>', '<urn:service:sos>']) {
      await gateway.passed({ ...call, headers: { 'History-Info': value } });
    }
  });

  it('the called number in History-Info is no sender', async () => {
    const to = '+82212349999';
    for (const user of [to, '0212349999', '+82-2-1234-9999']) {
      await gateway.passed({ ...call, to, headers: { 'History-Info': `<sip:${user}@x>;index=1` } });
    }
    const other = `<sip:+82212340000@x>;index=1, <sip:${to}@x>;index=1.1`;
    expect(await statusOf({ 'History-Info': other }, { to })).toBe(BLOCKED);
  });

  it('the displayed sender decides the label', async () => {
    const labelOf = async (from: string, headers: Record<string, string>) =>
      headerOf(await gateway.passed({ ...call, from, headers }), 'X-Numgate-Label');
    expect(await labelOf(FOREIGN, { 'P-Asserted-Identity': ALLOWED })).toBeNull();
    expect(await labelOf(ALLOWED, { 'P-Asserted-Identity': FOREIGN })).toBe(LABEL);
    expect(await labelOf(ALLOWED, { Diversion: FOREIGN })).toBeNull();
    expect(await labelOf('<sip:anonymous@anonymous.invalid>', { 'P-Asserted-Identity': ALLOWED })).toBeNull();
  });

  it('trusted headers pass unchanged', async () => {
    const headers = Object.fromEntries(NAMES.map((name, index) => [name, `"A, B" ${foreign(index)}`]));
    const got = await gateway.passed({ ...call, from: `"Cruz" ${FOREIGN}`, headers });
    for (const name of NAMES) expect(headerOf(got, name)).toBe(headers[name]);
    expect(headerOf(got, 'From')).toMatch(/^"Cruz" </);
  });

  it(`a call with more than ${MOST} identities is refused`, async () => {
    const many = (count: number) => Array.from({ length: count }, () => foreign(1)).join();
    await gateway.passed({ ...call, headers: { Diversion: many(MOST) } });
    expect(await statusOf({ Diversion: many(MOST + 1) })).toBe(TOO_MANY);
    const fields = Array.from({ length: 400 }, (_, index) => foreign(index % 100)).join('\r\nDiversion: ');
    expect(await statusOf({ Diversion: fields })).toBe(TOO_MANY);
  });

  it('logs no identity', () => {
    expect(gateway.kamailio.logged()).not.toMatch(/\+82212345678|\+639171|Cruz/);
  });
});

describe.skipIf(missing !== null)('identities from a peer that is not trusted', () => {
  const gateway = new Gateway({ settings: { TRUSTED_PEERS: '192.0.2.0/24' } });

  it('are checked, and go no further', async () => {
    for (const name of NAMES) {
      const got = await gateway.passed({
        ...call,
        headers: { [name]: `${foreign(1)}\r\n${name}: ${foreign(2)}` },
      });
      expect(headerOf(got, name)).toBeNull();
      expect((await gateway.refused({ ...call, headers: { [name]: KOREAN } })).start).toBe(BLOCKED);
    }
  });

  it('bring no picture or card of a caller', async () => {
    const headers = { 'Call-Info': '<https://x.example/bank.png>;purpose=icon' };
    for (const method of ['INVITE', 'MESSAGE'] as const)
      expect(headerOf(await gateway.passed({ ...call, method, headers }), 'Call-Info')).toBeNull();
  });

  it('lose their display name', async () => {
    const from = `"02-1234-5678" ${FOREIGN}`;
    const got = await gateway.passed({ ...call, from });
    expect(headerOf(got, 'From')).toMatch(/^<sip:\+639171234567@carrier.example>;tag=/);
    expect(headerOf(gateway.ends.caller.got.at(-1)!, 'From')).toContain(FOREIGN);
    const text = await gateway.passed({ method: 'MESSAGE', from, to: TO, body: 'a' });
    expect(headerOf(text, 'From')).not.toContain('02-1234-5678');
  });

  it('do not change who is displayed', async () => {
    const got = await gateway.passed({ ...call, headers: { 'P-Asserted-Identity': ALLOWED } });
    expect(headerOf(got, 'X-Numgate-Label')).toBe(LABEL);
  });
});

describe.skipIf(missing !== null)('a trunk with a carrier prefix', () => {
  const gateway = new Gateway({ settings: { CARRIER_PREFIX: '00700' } });

  it('is read without it, and passes unchanged', async () => {
    expect((await gateway.refused({ ...call, from: '<sip:0070082212345678@x>' })).start).toBe(BLOCKED);
    const got = await gateway.passed({ ...call, from: '<sip:00700639171234567@x>' });
    expect(headerOf(got, 'X-Numgate-Label')).toBe(LABEL);
    expect(headerOf(got, 'From')).toContain('00700639171234567');
  });
});

describe.skipIf(missing !== null)('requests within a call', () => {
  const gateway = new Gateway();

  it('pass only if the call passed before', async () => {
    const route = `<sip:127.0.0.1:${gateway.kamailio.port};lr>`;
    const target = `sip:127.0.0.1:${gateway.ends.nextHop.port}`;
    const within = {
      ...{ from: KOREAN, to: TO, target },
      headers: { Route: route, To: `<sip:${TO}@x>;tag=9` },
    };
    for (const method of ['INVITE', 'BYE', 'MESSAGE'] as const) {
      expect((await gateway.refused({ ...within, method })).status).toBe(481);
    }
    await gateway.passed(call);
    const answer = gateway.ends.caller.got.at(-1)!;
    const copied = ['Call-ID', 'From', 'To'].map((name) => [name, headerOf(answer, name)!]);
    const headers = { Route: headerOf(answer, 'Record-Route')!, ...Object.fromEntries(copied) };
    const other = { ...headers, CSeq: '2 BYE', To: `<sip:${TO}@127.0.0.1>;tag=9` };
    expect((await gateway.refused({ ...call, method: 'BYE', target, headers: other })).status).toBe(481);
    await gateway.passed({ ...call, method: 'BYE', target, headers: { ...headers, CSeq: '3 BYE' } });
  });

  it('bring no identity, name or label that was not checked', async () => {
    await gateway.passed({ ...call, headers: { 'P-Asserted-Identity': foreign(1) } });
    const answer = gateway.ends.caller.got.at(-1)!;
    const copied = ['Call-ID', 'To'].map((name) => [name, headerOf(answer, name)!]);
    const tag = headerOf(answer, 'From')!.split(';tag=')[1];
    const claimed = Object.fromEntries(
      [...NAMES, 'Identity', 'X-Numgate-Label'].map((name) => [name, KOREAN]),
    );
    const again = (cseq: number, from: string): SipRequest => ({
      ...{ ...call, target: `sip:127.0.0.1:${gateway.ends.nextHop.port}` },
      headers: {
        ...{ Route: headerOf(answer, 'Record-Route')!, ...Object.fromEntries(copied), ...claimed },
        ...{ CSeq: `${cseq} INVITE`, From: `${from};tag=${tag}` },
      },
    });
    const got = await gateway.passed(again(2, FOREIGN));
    for (const name of Object.keys(claimed)) expect(headerOf(got, name), name).toBeNull();
    for (const [index, from] of [KOREAN, `"02-1234-5678" ${FOREIGN}`].entries()) {
      const before = gateway.ends.nextHop.got.length;
      const refused = await gateway.ends.caller.request(again(3 + index, from), gateway.kamailio.port);
      expect(refused.start).toBe('SIP/2.0 403 Sender Changed');
      expect(
        gateway.ends.nextHop.got.slice(before).filter(({ start }) => start.startsWith('INVITE')),
      ).toEqual([]);
    }
  });

  it('pass from the called party, too', async () => {
    await gateway.passed(call);
    const answer = gateway.ends.caller.got.at(-1)!;
    const id = headerOf(answer, 'Call-ID')!;
    const headers = {
      ...{ Route: headerOf(answer, 'Record-Route')!, 'Call-ID': id },
      ...{ From: headerOf(answer, 'To')!, To: headerOf(answer, 'From')! },
    };
    const target = `sip:127.0.0.1:${gateway.ends.caller.port}`;
    const { text } = gateway.ends.nextHop.written({ ...call, method: 'BYE', target, headers });
    gateway.ends.nextHop.sendText(text, gateway.kamailio.port);
    await gateway.ends.caller.message(
      (message) => message.start.startsWith('BYE') && headerOf(message, 'Call-ID') === id,
    );
  });
});
