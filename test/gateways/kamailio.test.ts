/**
 * examples/kamailio as it is, between two ends of SIP and a real service: what it answers, and what it
 * passes on. Only settings of the config differ.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ends, FOREIGN, LABEL, missing, TO } from './support/ends.ts';
import { type Kamailio, startKamailio } from './support/kamailio.ts';
import { type GatewayService, startGatewayService } from './support/service.ts';
import { headerOf } from './support/sip.ts';

describe.skipIf(missing !== null)('kamailio with the real service', () => {
  let ends: Ends;
  let service: GatewayService;
  let kamailio: Kamailio;
  beforeAll(async () => {
    ends = await Ends.open();
    service = await startGatewayService();
    // So long that no machine is too slow for it.
    const settings = { TIMEOUT_MS: 60_000 };
    kamailio = await startKamailio({ ...service, nextHop: ends.nextHop.port, settings });
  });
  afterAll(async () => {
    await kamailio?.stop();
    await service?.stop();
    ends?.close();
  });

  it.each(['INVITE', 'MESSAGE'] as const)(
    'answers %s with a Korean number from abroad 603',
    async (method) => {
      const answer = await ends.refused(kamailio, {
        method,
        from: '<sip:+82212345678@carrier.example>',
        to: TO,
      });
      expect(answer.start).toBe('SIP/2.0 603 Network Blocked');
      expect(headerOf(answer, 'Reason')).toBe('Q.850;cause=21;text="DOMESTIC_CLI_FROM_ABROAD";location=TN');
    },
  );

  it('answers what goes to a listed number 603', async () => {
    const answer = await ends.refused(kamailio, { method: 'INVITE', from: FOREIGN, to: '+821020000001' });
    expect(headerOf(answer, 'Reason')).toContain('NUMBER_SUSPENDED');
  });

  it('passes a call that is allowed as it came', async () => {
    const request = { method: 'INVITE', from: '"A" <sip:+821000000024@carrier.example>', to: TO } as const;
    const got = await ends.passed(kamailio, { ...request, body: 'v=0\r\n' });
    expect(headerOf(got, 'From')).toMatch(/^"A" <sip:\+821000000024@carrier.example>;tag=/);
    expect(headerOf(got, 'X-Numgate-Label')).toBeNull();
    expect(got.body).toBe('v=0\r\n');
  });

  it('passes a Korean mobile number that a trusted peer knows to be roaming', async () => {
    const request = { method: 'INVITE', from: '<tel:+821012345678>', to: TO } as const;
    const roaming = await ends.passed(kamailio, { ...request, headers: { 'X-Roaming': 'verified' } });
    expect(headerOf(roaming, 'X-Numgate-Label')).toBeNull();
    expect(headerOf(await ends.passed(kamailio, request), 'X-Numgate-Label')).toBe(LABEL);
  });

  it('labels a call in a header, which nobody else can set', async () => {
    const headers = { 'X-Numgate-Label': 'none' };
    const got = await ends.passed(kamailio, { method: 'INVITE', from: FOREIGN, to: TO, headers });
    expect(got.headers.filter(([name]) => name === 'X-Numgate-Label')).toEqual([['X-Numgate-Label', LABEL]]);
  });

  it('labels a call that nobody can judge, and that passes as the policy of the client is open', async () => {
    const from = '<sip:+821000000023@carrier.example>';
    const got = await ends.passed(kamailio, { method: 'INVITE', from, to: TO });
    expect(headerOf(got, 'X-Numgate-Label')).toBe(LABEL);
  });

  it('puts the label in front of a text of UTF-8, and of no other', async () => {
    const request = { method: 'MESSAGE', from: FOREIGN, to: TO, body: '50% off, $ru' } as const;
    const got = await ends.passed(kamailio, request);
    expect(got.body).toBe(`${LABEL} 50% off, $ru`);
    expect(headerOf(got, 'Content-Length')).toBe(String(Buffer.byteLength(got.body)));
    expect(headerOf(got, 'X-Numgate-Label')).toBe(LABEL);
    for (const type of ['text/plain;charset=euc-kr', 'message/cpim']) {
      const other = await ends.passed(kamailio, { ...request, headers: { 'Content-Type': type } });
      expect(other.body).toBe('50% off, $ru');
      expect(headerOf(other, 'X-Numgate-Label')).toBe(LABEL);
    }
  });

  it('goes by P-Asserted-Identity before From', async () => {
    const headers = { 'P-Asserted-Identity': '<tel:+82212345678>' };
    const answer = await ends.refused(kamailio, { method: 'INVITE', from: FOREIGN, to: TO, headers });
    expect(answer.status).toBe(603);
  });

  it('goes by From where P-Asserted-Identity names nobody', async () => {
    for (const asserted of ['<sip:carrier.example>', '<nothing>', '"']) {
      const headers = { 'P-Asserted-Identity': asserted };
      const from = '<sip:+82212345678@carrier.example>';
      expect((await ends.refused(kamailio, { method: 'INVITE', from, to: TO, headers })).status).toBe(603);
    }
  });

  it('shows a withheld number to nobody behind it, and the caller its own', async () => {
    const headers = {
      ...{ 'X-Attestation': 'C', 'P-Asserted-Identity': FOREIGN, 'Remote-Party-ID': FOREIGN },
      Identity: 'a.b.c',
    };
    const got = await ends.passed(kamailio, { method: 'INVITE', from: FOREIGN, to: TO, headers });
    expect(headerOf(got, 'From')).toMatch(/^"?Anonymous"? <sip:anonymous@anonymous.invalid>;tag=/);
    expect(headerOf(got, 'Privacy')).toBe('id');
    expect(JSON.stringify(got)).not.toContain('639171234567');
    for (const name of ['P-Asserted-Identity', 'Remote-Party-ID', 'Identity']) {
      expect(headerOf(got, name)).toBeNull();
    }
    const answer = ends.caller.got.at(-1)!;
    expect(headerOf(answer, 'From')).toContain(FOREIGN);
    // Within the call too.
    const route = { Route: headerOf(answer, 'Record-Route')!, To: headerOf(answer, 'To')! };
    const within = { 'Call-ID': headerOf(answer, 'Call-ID')!, From: headerOf(answer, 'From')! };
    const bye = await ends.passed(kamailio, {
      ...{ method: 'BYE', from: FOREIGN, to: TO, target: `sip:127.0.0.1:${ends.nextHop.port}` },
      headers: { ...route, ...within, CSeq: '2 BYE' },
    });
    expect(JSON.stringify(bye)).not.toContain('639171234567');
  });

  it.each([
    ['a quotation mark and a backslash', '<sip:+82%22%5C@carrier.example>'],
    ['a line end', '<sip:+82%0D%0AX-Evil:1@carrier.example>'],
    ['a zero byte', '<sip:+82\0@carrier.example>'],
    ['no ASCII', '<sip:+82ü@carrier.example>'],
    ['half a character', '<sip:+82%2@carrier.example>'],
    ['a field of JSON', '<sip:1%22,%22from%22%3A%22+1@carrier.example>'],
  ])('refuses a sender with %s, and goes on', async (_what, from) => {
    expect((await ends.refused(kamailio, { method: 'MESSAGE', from, to: TO })).status).toBe(400);
    await ends.passed(kamailio, { method: 'INVITE', from: FOREIGN, to: TO });
  });

  it('refuses half a character, whatever stood behind it in an earlier request', async () => {
    // Kamailio decodes in buffers that it uses again: a digit left there must not complete the character.
    const long = { method: 'INVITE', from: `<sip:+82${'3'.repeat(40)}@carrier.example>`, to: TO } as const;
    const half = { method: 'MESSAGE', from: '<sip:+82212%3@carrier.example>', to: TO } as const;
    for (let round = 0; round < 20; round++) {
      await ends.refused(kamailio, long);
      expect((await ends.refused(kamailio, half)).status, `round ${round}`).toBe(400);
    }
  });

  it('asks about a call from a sender with a field of JSON as about one sender', async () => {
    // As a second field it would be a test number that is allowed; as one sender it is no number.
    const from = '<sip:1%22,%22from%22%3A%22+821000000024@carrier.example>';
    expect((await ends.refused(kamailio, { method: 'INVITE', from, to: TO })).status).toBe(400);
  });

  it('passes nothing that has two senders', async () => {
    const from = `${FOREIGN};tag=1\r\nf: <sip:+82212345678@carrier.example>`;
    ends.caller.sendText(ends.caller.written({ method: 'INVITE', from, to: TO }).text, kamailio.port);
    await ends.passed(kamailio, { method: 'INVITE', from: FOREIGN, to: TO });
    expect(JSON.stringify(ends.nextHop.got)).not.toContain('82212345678');
  });

  it('labels who withholds a number', async () => {
    for (const from of ['<sip:anonymous@anonymous.invalid>', '<sip:carrier.example>']) {
      const got = await ends.passed(kamailio, { method: 'INVITE', from, to: TO });
      expect(headerOf(got, 'X-Numgate-Label')).toBe(LABEL);
    }
  });

  it('logs no number', () => {
    expect(kamailio.logged()).toContain('refused: block DOMESTIC_CLI_FROM_ABROAD');
    // Its own process ids, before each line, and its port may well have these digits.
    const words = kamailio
      .logged()
      .replace(/^ *\d+\(\d+\) /gm, '')
      .replaceAll(`]:${kamailio.port}`, ']');
    expect(words).not.toMatch(/\+?82[12]|639171234567|99998888/);
  });
});
