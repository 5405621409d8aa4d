/**
 * The unchanged examples/kamailio in front of a fake service: the requests that it sends, and its behaviour if
 * the service fails. Only settings of the config differ. Tests with the same settings share a Kamailio.
 */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Ends, FOREIGN, LABEL, missing, TIMEOUT_MS, TO } from './support/ends.ts';
import { type Kamailio, type KamailioSettings, startKamailio } from './support/kamailio.ts';
import { headerOf, type SipMessage, type SipRequest } from './support/sip.ts';

/** Timeout for a service that never responds, in ms. */
const SHORT_TIMEOUT_MS = 100;
/** Longer than any test, so nothing is tried again within a test. */
const NEVER_S = 86_400;
const ingress = { type: 'international', trunk: 'trunk-1' };
const ALLOW = { verdict: 'allow', sip: null, label: null, reasons: [] };
/** Nothing listens at this address. */
const NOWHERE = 'http://127.0.0.1:1';

describe.skipIf(missing !== null)('Kamailio with a service that fails', () => {
  /** Responds for the service, once it has read a request. */
  let respond: RequestListener;
  let requests: { headers: NodeJS.Dict<string | string[]>; body: unknown }[] = [];
  const service = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    requests.push({ headers: request.headers, body: JSON.parse(text) });
    respond(request, response);
  });

  let ends: Ends;
  const running = new Map<string, Promise<Kamailio>>();
  beforeAll(async () => {
    ends = await Ends.open();
    await once(service.listen(0, '127.0.0.1'), 'listening');
  });
  beforeEach(() => {
    requests = [];
  });
  afterAll(async () => {
    for (const kamailio of running.values()) await (await kamailio).stop();
    service.closeAllConnections();
    service.close();
    ends?.close();
  });

  /** A Kamailio with these settings. Earlier tests may have used the same one. */
  function kamailioWith(settings: KamailioSettings['settings'] = {}): Promise<Kamailio> {
    const name = JSON.stringify(settings);
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const given = { url, key: 'gw.secret', nextHop: ends.nextHop.port };
    const kamailio = running.get(name) ?? startKamailio({ ...given, settings: { TIMEOUT_MS, ...settings } });
    running.set(name, kamailio);
    return kamailio;
  }

  const status =
    (code: number, body = '{"code":"NO"}'): RequestListener =>
    (_request, response) =>
      void response.writeHead(code, { 'content-type': 'application/problem+json' }).end(body);
  /** @param results for the items of a batch, or for a request without items */
  const answer =
    (...results: object[]): RequestListener =>
    (request, response) => {
      const isBatch = request.url === '/v1/gateway/check/batch';
      response.end(JSON.stringify(isBatch ? { results } : results[0]));
    };
  const call: SipRequest = { method: 'INVITE', from: FOREIGN, to: TO };
  const labelsOf = (got: SipMessage): string[] =>
    got.headers.filter(([name]) => name === 'X-Numgate-Label').map(([, label]) => label);

  it('sends the sender as it is written', async () => {
    respond = status(500);
    const kamailio = await kamailioWith();
    const headers = { 'X-Attestation': 'A' };
    await ends.passed(kamailio, { ...call, from: '<sip:+82%22%5C,@x.example>', headers });
    await ends.passed(kamailio, {
      method: 'MESSAGE',
      from: '<sip:PARCEL-KR;x=1@x.example>',
      to: 'name',
      body: 'a',
    });
    expect(requests.map(({ body }) => body)).toEqual([
      { channel: 'voice', ingress, from: '+82"\\,', to: TO, attestation: 'A' },
      { channel: 'sms', ingress, from: 'PARCEL-KR' },
    ]);
    expect(requests[0]!.headers).toMatchObject({
      authorization: 'Bearer gw.secret',
      'content-type': 'application/json',
    });
  });

  it('ignores and removes the headers of a peer that is not trusted', async () => {
    respond = status(500);
    const kamailio = await kamailioWith({ TRUSTED_PEERS: '192.0.2.0/24' });
    const headers = {
      ...{ 'P-Asserted-Identity': '<tel:+14155550100>', 'X-Attestation': 'A', 'X-Roaming': 'verified' },
    };
    const got = await ends.passed(kamailio, { ...call, headers });
    // The headers are removed, but their numbers are still checked.
    expect(requests[0]!.body).toEqual({
      defaults: { channel: 'voice', ingress },
      items: [{ from: '+639171234567', to: TO }, { from: '+14155550100' }],
    });
    for (const name of Object.keys(headers)) expect(headerOf(got, name)).toBeNull();
  });

  it('checks all identities in one request, each once, and displays the first', async () => {
    const kamailio = await kamailioWith({ CARRIER_PREFIX: '00700' });
    respond = answer(ALLOW, { ...ALLOW, verdict: 'label', label: 'x' }, ALLOW, ALLOW);
    const headers = {
      'P-Asserted-Identity': '<sip:0070063917@x>, <tel:+6391>',
      'Remote-Party-ID': '"Cruz" <sip:+6391@y>;party=calling',
      Diversion: '<sip:006%337@x>\r\nDiversion: <sip:+639171234567@x>',
      'X-Roaming': 'verified',
    };
    expect(labelsOf(await ends.passed(kamailio, { ...call, headers }))).toEqual([]);
    const { body } = requests[0]!;
    expect(body).toEqual({
      defaults: { channel: 'voice', ingress: { ...ingress, carrierPrefix: '00700' } },
      items: [
        { from: '63917', to: TO, roaming: 'verified' },
        ...['+6391', '+639171234567', '00637'].map((from) => ({ from })),
      ],
    });
    expect(requests).toHaveLength(1);
  });

  it.each<[string, object[], string]>([
    ['the verdict of one identity is missing', [ALLOW], '503 Service Unavailable'],
    ['one identity cannot be read', [ALLOW, { error: { field: 'from' } }], '400 Unreadable Sender'],
    ['the recipient cannot be read', [{ error: { field: 'to' } }, ALLOW], '400 Unreadable Recipient'],
    ['a setting is wrong', [ALLOW, { error: { field: 'ingress.trunk' } }], '503 Service Unavailable'],
  ])('passes no call with two identities if it fails closed and %s', async (_what, results, expected) => {
    const kamailio = await kamailioWith({ FAIL_CLOSED: true });
    respond = answer(...results);
    const headers = { Diversion: '<tel:+6391>' };
    expect((await ends.refused(kamailio, { ...call, headers })).start).toBe(`SIP/2.0 ${expected}`);
  });

  it('reuses its connection to the service', async () => {
    respond = status(500);
    const kamailio = await kamailioWith({ CHILDREN: 1 });
    let connections = 0;
    service.on('connection', () => connections++);
    for (let count = 0; count < 3; count++) await ends.passed(kamailio, call);
    expect([requests.length, connections]).toEqual([3, 1]);
  });

  it('does not check emergency calls', async () => {
    const kamailio = await kamailioWith({ FAIL_CLOSED: true });
    for (const to of ['112', '119', '02119', '+82119', '%31%31%39', '119;phone-context=+82'])
      await ends.passed(kamailio, { ...call, to });
    await ends.passed(kamailio, { ...call, target: 'urn:service:sos' });
    expect(requests).toEqual([]);
  });

  it('copies no line break of a response into SIP', async () => {
    const sip = { status: 603, reason: 'No\r\nX-Evil: 1', reasonHeader: 'a\r\nX-Evil: 1' };
    respond = answer({ verdict: 'block', sip, label: null, reasons: [] });
    const refused = await ends.refused(await kamailioWith(), call);
    expect(refused.start).toBe('SIP/2.0 603 Network Blocked');
    expect(headerOf(refused, 'X-Evil')).toBeNull();
  });

  it.each([401, 429, 503, 302])('fails open on %i with the label of traffic from abroad', async (code) => {
    respond = status(code);
    const kamailio = await kamailioWith();
    const headers = { 'X-Numgate-Label': 'none' };
    expect(labelsOf(await ends.passed(kamailio, { ...call, headers }))).toEqual([LABEL]);
    const text = await ends.passed(kamailio, { ...call, method: 'MESSAGE', body: 'hello' });
    expect([labelsOf(text), text.body]).toEqual([[LABEL], `${LABEL} hello`]);
    expect(kamailio.logged()).toContain(`no answer of numgate (${code}): passed`);
  });

  it.each<[string, number, string, string]>([
    ['is too long', 413, '{"code":"BODY_TOO_LARGE"}', 'Sender'],
    ['has an unreadable sender', 400, '{"code":"NUMBER_CHARACTER","field":"from"}', 'Sender'],
    ['has an unreadable recipient', 400, '{"code":"NUMBER_CHARACTER","field":"to"}', 'Recipient'],
    ['a filter before the service rejects with 400', 400, '<html>Bad Request</html>', 'Sender'],
    ['a filter before the service rejects with 403', 403, '<html>Blocked</html>', 'Sender'],
  ])('never passes a call whose request %s', async (_what, code, body, party) => {
    respond = status(code, body);
    const answer = await ends.refused(await kamailioWith(), call);
    expect(answer.start).toBe(`SIP/2.0 400 Unreadable ${party}`);
  });

  it.each<[number, string]>([
    [400, '{"code":"FIELD_VALUE","field":"ingress.trunk"}'],
    [400, '{"code":"FIELD_VALUE","field":"defaults.ingress.trunk"}'],
    [403, '{"code":"PERMISSION_DENIED"}'],
  ])('applies the fail policy to an error %i of its own settings', async (code, body) => {
    respond = status(code, body);
    expect(labelsOf(await ends.passed(await kamailioWith(), call))).toEqual([LABEL]);
  });

  it.each<[string, string]>([
    ['invalid JSON', '{"verdict":"allow"'],
    ['nothing', ''],
    ['no verdict', '{}'],
    ['an unknown verdict', '{"verdict":"maybe","label":null}'],
  ])('fails open and closed on a response with %s', async (_what, body) => {
    respond = status(200, body);
    expect(labelsOf(await ends.passed(await kamailioWith(), call))).toEqual([LABEL]);
    expect((await ends.refused(await kamailioWith({ FAIL_CLOSED: true }), call)).status).toBe(503);
  });

  it.each([null, { status: 200 }, { status: 1_000 }])(
    'refuses a blocked call with 603 if the status to use is %j',
    async (sip) => {
      respond = answer({ verdict: 'block', sip, label: null, reasons: [] });
      const refused = await ends.refused(await kamailioWith(), call);
      expect(refused.start).toBe('SIP/2.0 603 Network Blocked');
    },
  );

  it('fails open with the configured label, and with none', async () => {
    respond = status(503);
    const own = await kamailioWith({ LABEL: '[해외 발신]' });
    expect(labelsOf(await ends.passed(own, call))).toEqual(['[해외 발신]']);
    const none = await kamailioWith({ LABEL: '' });
    const text = await ends.passed(none, { ...call, method: 'MESSAGE', body: 'hello' });
    expect([labelsOf(text), text.body]).toEqual([[], 'hello']);
  });

  it('does not label an emergency call', async () => {
    respond = status(503);
    expect(labelsOf(await ends.passed(await kamailioWith(), { ...call, to: '112' }))).toEqual([]);
  });

  it.each([401, 503])('fails closed on %i if it is configured so', async (code) => {
    respond = status(code);
    const answer = await ends.refused(await kamailioWith({ FAIL_CLOSED: true }), call);
    expect(answer.start).toBe('SIP/2.0 503 Service Unavailable');
    expect(headerOf(answer, 'Retry-After')).toBe('5');
  });

  it('fails open and closed if there is no service', async () => {
    const open = await kamailioWith({ SERVICE_URL: NOWHERE });
    expect(labelsOf(await ends.passed(open, call))).toEqual([LABEL]);
    const closed = await kamailioWith({ SERVICE_URL: NOWHERE, FAIL_CLOSED: true });
    expect((await ends.refused(closed, call)).status).toBe(503);
  });

  it('stops waiting for a silent service, and labels what passes unchecked', async () => {
    respond = () => undefined;
    const settings = { TIMEOUT_MS: SHORT_TIMEOUT_MS, BREAK_AFTER: 2, PROBE_EVERY_S: NEVER_S };
    const kamailio = await kamailioWith(settings);
    for (let count = 0; count < 10; count++) {
      expect(labelsOf(await ends.passed(kamailio, call))).toEqual([LABEL]);
    }
    // Two failures open the breaker, and one probe follows. 28: no response in time. 0: not checked.
    const codes = [...kamailio.logged().matchAll(/no answer of numgate \((\d+)\)/g)].map(([, code]) => code);
    expect(codes).toEqual([
      ...Array.from({ length: 3 }, () => '28'),
      ...Array.from({ length: 7 }, () => '0'),
    ]);
    expect(requests).toHaveLength(3);
  });

  it('checks again once the service is back', async () => {
    respond = (_request, response) => {
      if (requests.length <= 2) response.destroy();
      else response.end(JSON.stringify(ALLOW));
    };
    const kamailio = await kamailioWith({ BREAK_AFTER: 2 });
    for (let count = 0; count < 2; count++) await ends.passed(kamailio, call);
    while (labelsOf(await ends.passed(kamailio, call)).length > 0);
    for (let count = 0; count < 3; count++) {
      expect(labelsOf(await ends.passed(kamailio, call))).toEqual([]);
    }
    expect(requests.length).toBeGreaterThanOrEqual(6);
  });

  it('checks a retransmission only once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    respond = (_request, response) => void promise.then(() => response.writeHead(500).end());
    const kamailio = await kamailioWith();
    const { text, answers } = ends.caller.written(call);
    const answered = (status: number): Promise<SipMessage> =>
      ends.caller.message((message) => message.status === status && answers(message));
    ends.caller.sendText(text, kamailio.port);
    await answered(100);
    ends.caller.sendText(text, kamailio.port);
    // Another process answers this request after the retransmission.
    await ends.caller.request(
      { ...call, method: 'OPTIONS', headers: { 'Max-Forwards': '0' } },
      kamailio.port,
    );
    resolve();
    await answered(200);
    expect(requests).toHaveLength(1);
  });
});
