/**
 * The unchanged examples/kamailio between two SIP ends and the real service: its answers, and the requests
 * that it passes on. Only settings of the config differ.
 */
import { describe, expect, it } from 'vitest';
import { FOREIGN, Gateway, LABEL, missing, TO } from './support/ends.ts';
import { headerOf } from './support/sip.ts';

describe.skipIf(missing !== null)('Kamailio with the real service', () => {
  const gateway = new Gateway();

  it.each(['INVITE', 'MESSAGE'] as const)(
    'answers %s from abroad with a Korean number with 603',
    async (method) => {
      const answer = await gateway.refused({
        method,
        from: '<sip:+82212345678@carrier.example>',
        to: TO,
      });
      expect(answer.start).toBe('SIP/2.0 603 Network Blocked');
      expect(headerOf(answer, 'Reason')).toBe('Q.850;cause=21;text="DOMESTIC_CLI_FROM_ABROAD";location=TN');
    },
  );

  it('answers a call to a listed number with 603', async () => {
    const answer = await gateway.refused({ method: 'INVITE', from: FOREIGN, to: '+821020000001' });
    expect(headerOf(answer, 'Reason')).toContain('NUMBER_SUSPENDED');
  });

  it('passes an allowed call unchanged', async () => {
    const request = { method: 'INVITE', from: '"A" <sip:+821000000024@carrier.example>', to: TO } as const;
    const got = await gateway.passed({ ...request, body: 'v=0\r\n' });
    expect(headerOf(got, 'From')).toMatch(/^"A" <sip:\+821000000024@carrier.example>;tag=/);
    expect(headerOf(got, 'X-Numgate-Label')).toBeNull();
    expect(got.body).toBe('v=0\r\n');
  });

  it('passes a Korean mobile number if a trusted peer says that it is roaming', async () => {
    const request = { method: 'INVITE', from: '<tel:+821012345678>', to: TO } as const;
    const roaming = await gateway.passed({ ...request, headers: { 'X-Roaming': 'verified' } });
    expect(headerOf(roaming, 'X-Numgate-Label')).toBeNull();
    expect(headerOf(await gateway.passed(request), 'X-Numgate-Label')).toBe(LABEL);
  });

  it('labels a call in a header that no caller can set', async () => {
    const headers = { 'X-Numgate-Label': 'none' };
    const got = await gateway.passed({ method: 'INVITE', from: FOREIGN, to: TO, headers });
    expect(got.headers.filter(([name]) => name === 'X-Numgate-Label')).toEqual([['X-Numgate-Label', LABEL]]);
  });

  it('labels a call without a verdict if the fail policy of the client lets it pass', async () => {
    const from = '<sip:+821000000023@carrier.example>';
    const got = await gateway.passed({ method: 'INVITE', from, to: TO });
    expect(headerOf(got, 'X-Numgate-Label')).toBe(LABEL);
  });

  it('puts the label in front of a text only if it is plain UTF-8', async () => {
    const request = { method: 'MESSAGE', from: FOREIGN, to: TO, body: '50% off, $ru' } as const;
    const got = await gateway.passed(request);
    expect(got.body).toBe(`${LABEL} 50% off, $ru`);
    expect(headerOf(got, 'Content-Length')).toBe(String(Buffer.byteLength(got.body)));
    expect(headerOf(got, 'X-Numgate-Label')).toBe(LABEL);
    for (const type of ['text/plain;charset=euc-kr', 'message/cpim']) {
      const other = await gateway.passed({ ...request, headers: { 'Content-Type': type } });
      expect(other.body).toBe('50% off, $ru');
      expect(headerOf(other, 'X-Numgate-Label')).toBe(LABEL);
    }
  });

  it('hides a withheld number from the next hop, but not from the caller', async () => {
    const headers = {
      ...{ 'X-Attestation': 'C', 'P-Asserted-Identity': FOREIGN, 'Remote-Party-ID': FOREIGN },
      Identity: 'a.b.c',
    };
    const got = await gateway.passed({ method: 'INVITE', from: FOREIGN, to: TO, headers });
    expect(headerOf(got, 'From')).toMatch(/^"?Anonymous"? <sip:anonymous@anonymous.invalid>;tag=/);
    expect(headerOf(got, 'Privacy')).toBe('id');
    expect(JSON.stringify(got)).not.toContain('639171234567');
    for (const name of ['P-Asserted-Identity', 'Remote-Party-ID', 'Identity']) {
      expect(headerOf(got, name)).toBeNull();
    }
    const answer = gateway.ends.caller.got.at(-1)!;
    expect(headerOf(answer, 'From')).toContain(FOREIGN);
    // The same holds for requests within the call.
    const route = { Route: headerOf(answer, 'Record-Route')!, To: headerOf(answer, 'To')! };
    const within = { 'Call-ID': headerOf(answer, 'Call-ID')!, From: headerOf(answer, 'From')! };
    const bye = await gateway.passed({
      ...{ method: 'BYE', from: FOREIGN, to: TO, target: `sip:127.0.0.1:${gateway.ends.nextHop.port}` },
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
  ])('refuses a sender with %s, and keeps running', async (_what, from) => {
    expect((await gateway.refused({ method: 'MESSAGE', from, to: TO })).status).toBe(400);
    await gateway.passed({ method: 'INVITE', from: FOREIGN, to: TO });
  });

  it('refuses half a character, even if an earlier request was longer', async () => {
    // Kamailio reuses its decoding buffers. A digit left in a buffer must not complete the character.
    const long = { method: 'INVITE', from: `<sip:+82${'3'.repeat(40)}@carrier.example>`, to: TO } as const;
    const half = { method: 'MESSAGE', from: '<sip:+82212%3@carrier.example>', to: TO } as const;
    for (let round = 0; round < 20; round++) {
      await gateway.refused(long);
      expect((await gateway.refused(half)).status, `round ${round}`).toBe(400);
    }
  });

  it('checks a sender that contains a JSON field as one sender', async () => {
    // As a second field, it would be an allowed test number. As one sender, it is not a number.
    const from = '<sip:1%22,%22from%22%3A%22+821000000024@carrier.example>';
    expect((await gateway.refused({ method: 'INVITE', from, to: TO })).status).toBe(400);
  });

  it('passes no call with two senders', async () => {
    const from = `${FOREIGN};tag=1\r\nf: <sip:+82212345678@carrier.example>`;
    gateway.ends.caller.sendText(
      gateway.ends.caller.written({ method: 'INVITE', from, to: TO }).text,
      gateway.kamailio.port,
    );
    await gateway.passed({ method: 'INVITE', from: FOREIGN, to: TO });
    expect(JSON.stringify(gateway.ends.nextHop.got)).not.toContain('82212345678');
  });

  it('labels a call with a withheld number', async () => {
    for (const from of ['<sip:anonymous@anonymous.invalid>', '<sip:carrier.example>']) {
      const got = await gateway.passed({ method: 'INVITE', from, to: TO });
      expect(headerOf(got, 'X-Numgate-Label')).toBe(LABEL);
    }
  });

  it('logs no number', () => {
    expect(gateway.kamailio.logged()).toContain('refused: block DOMESTIC_CLI_FROM_ABROAD');
    // Its process IDs, at the start of each line, and its port may contain these digits.
    const lines = gateway.kamailio
      .logged()
      .replace(/^ *\d+\(\d+\) /gm, '')
      .replaceAll(`]:${gateway.kamailio.port}`, ']');
    expect(lines).not.toMatch(/\+?82[12]|639171234567|99998888/);
  });
});
