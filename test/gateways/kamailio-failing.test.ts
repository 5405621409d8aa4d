/**
 * examples/kamailio as it is, in front of a service that the tests make: what it asks, and what it does
 * where the service fails. Only settings of the config differ.
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Ends, FOREIGN, LABEL, missing, TO } from './support/ends.ts';
import { type Kamailio, startKamailio } from './support/kamailio.ts';
import { headerOf, type SipMessage, type SipRequest } from './support/sip.ts';

/** For a service that answers, so long that no machine is too slow for it; for one that never answers. In ms. */
const TIMEOUT_MS = 60_000;
const SHORT_TIMEOUT_MS = 100;
/** Longer than any test: what is not asked about again in it, never is. */
const NEVER_S = 86_400;

describe.skipIf(missing !== null)('kamailio with a service that fails', () => {
  let ends: Ends;
  beforeAll(async () => {
    ends = await Ends.open();
  });
  afterAll(() => ends?.close());

  let server: Server | null = null;
  let kamailio: Kamailio | null = null;
  let asked: { headers: NodeJS.Dict<string | string[]>; body: unknown }[] = [];
  afterEach(async () => {
    await kamailio?.stop();
    server?.closeAllConnections();
    server?.close();
    kamailio = server = null;
    asked = [];
  });

  /** @param answer what answers, once the question was read; null where nobody listens */
  async function started(
    answer: RequestListener | null,
    settings: Record<string, string | number | true> = {},
  ): Promise<Kamailio> {
    server = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += chunk;
      asked.push({ headers: request.headers, body: JSON.parse(text) });
      answer?.(request, response);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    if (answer === null) server.close();
    const own = { TIMEOUT_MS, ...settings };
    kamailio = await startKamailio({ url, key: 'gw.secret', nextHop: ends.nextHop.port, settings: own });
    return kamailio;
  }

  const status =
    (code: number): RequestListener =>
    (_request, response) =>
      void response.writeHead(code, { 'content-type': 'application/problem+json' }).end('{"code":"NO"}');
  const call: SipRequest = { method: 'INVITE', from: FOREIGN, to: TO };
  const labelsOf = (got: SipMessage): string[] =>
    got.headers.filter(([name]) => name === 'X-Numgate-Label').map(([, label]) => label);

  it('asks about the sender as it is written, whatever it is', async () => {
    const running = await started(status(500));
    const headers = { 'X-Attestation': 'A' };
    await ends.passed(running, { ...call, from: '<sip:+82%22%5C,@x.example>', headers });
    await ends.passed(running, {
      method: 'MESSAGE',
      from: '<sip:PARCEL-KR;x=1@x.example>',
      to: 'name',
      body: 'a',
    });
    const ingress = { type: 'international', trunk: 'trunk-1' };
    expect(asked.map(({ body }) => body)).toEqual([
      { channel: 'voice', from: '+82"\\,', ingress, to: TO, attestation: 'A' },
      { channel: 'sms', from: 'PARCEL-KR', ingress },
    ]);
    expect(asked[0]!.headers).toMatchObject({
      authorization: 'Bearer gw.secret',
      'content-type': 'application/json',
    });
  });

  it('believes nothing that a peer says of itself who is not trusted', async () => {
    const running = await started(status(500), { TRUSTED_PEERS: '192.0.2.0/24' });
    const headers = {
      ...{ 'P-Asserted-Identity': '<tel:+14155550100>', 'X-Attestation': 'A', 'X-Roaming': 'verified' },
    };
    const got = await ends.passed(running, { ...call, headers });
    const ingress = { type: 'international', trunk: 'trunk-1' };
    expect(asked[0]!.body).toEqual({ channel: 'voice', from: '+639171234567', ingress, to: TO });
    for (const name of Object.keys(headers)) expect(headerOf(got, name)).toBeNull();
  });

  it('asks over the connection that it has', async () => {
    const running = await started(status(500), { CHILDREN: 1 });
    let connections = 0;
    server!.on('connection', () => connections++);
    for (let count = 0; count < 3; count++) await ends.passed(running, call);
    expect([asked.length, connections]).toEqual([3, 1]);
  });

  it('asks nothing about an emergency call', async () => {
    const running = await started(status(500), { FAIL_CLOSED: true });
    for (const to of ['112', '119', '02119', '+82119', '%31%31%39', '119;phone-context=+82'])
      await ends.passed(running, { ...call, to });
    await ends.passed(running, { ...call, target: 'urn:service:sos' });
    expect(asked).toEqual([]);
  });

  it('puts no line end of an answer into SIP', async () => {
    const running = await started((_request, response) => {
      const sip = { status: 603, reason: 'No\r\nX-Evil: 1', reasonHeader: 'a\r\nX-Evil: 1' };
      response.end(JSON.stringify({ verdict: 'block', sip, label: null, reasons: [] }));
    });
    const answer = await ends.refused(running, call);
    expect(answer.start).toBe('SIP/2.0 603 Network Blocked');
    expect(headerOf(answer, 'X-Evil')).toBeNull();
  });

  it.each([401, 429, 503, 302])('fails open on %i with the label of traffic from abroad', async (code) => {
    const running = await started(status(code));
    const headers = { 'X-Numgate-Label': 'none' };
    expect(labelsOf(await ends.passed(running, { ...call, headers }))).toEqual([LABEL]);
    const text = await ends.passed(running, { ...call, method: 'MESSAGE', body: 'hello' });
    expect([labelsOf(text), text.body]).toEqual([[LABEL], `${LABEL} hello`]);
    expect(running.logged()).toContain(`no answer of numgate (${code}): passed`);
  });

  it.each<[string, number, string, string]>([
    ['is too long', 413, '{"code":"BODY_TOO_LARGE"}', 'Sender'],
    ['has an unreadable sender', 400, '{"code":"NUMBER_CHARACTER","field":"from"}', 'Sender'],
    ['has an unreadable recipient', 400, '{"code":"NUMBER_CHARACTER","field":"to"}', 'Recipient'],
    ['a filter before the service rejects with 400', 400, '<html>Bad Request</html>', 'Sender'],
    ['a filter before the service rejects with 403', 403, '<html>Blocked</html>', 'Sender'],
  ])('never passes a call whose question %s', async (_what, code, body, party) => {
    const running = await started((_request, response) => void response.writeHead(code).end(body));
    expect((await ends.refused(running, call)).start).toBe(`SIP/2.0 400 Unreadable ${party}`);
  });

  it('passes, as the fail policy says, a call whose question has an error of this config', async () => {
    for (const [code, body] of [
      [400, '{"code":"FIELD_VALUE","field":"ingress.trunk"}'],
      [403, '{"code":"PERMISSION_DENIED"}'],
    ] as const) {
      const running = await started((_request, response) => void response.writeHead(code).end(body));
      expect(labelsOf(await ends.passed(running, call))).toEqual([LABEL]);
      await running.stop();
    }
  });

  it.each<[string, string]>([
    ['no JSON', '{"verdict":'],
    ['no verdict', '{}'],
    ['a verdict that nobody knows', '{"verdict":"maybe","label":null}'],
  ])('fails open and closed on an answer with %s', async (_what, body) => {
    const answer: RequestListener = (_request, response) => void response.end(body);
    expect(labelsOf(await ends.passed(await started(answer), call))).toEqual([LABEL]);
    await kamailio!.stop();
    expect((await ends.refused(await started(answer, { FAIL_CLOSED: true }), call)).status).toBe(503);
  });

  it('refuses what is blocked, also without a status that can be used', async () => {
    for (const sip of [null, { status: 200 }, { status: 1_000 }]) {
      const body = JSON.stringify({ verdict: 'block', sip, label: null, reasons: [] });
      const running = await started((_request, response) => void response.end(body));
      expect((await ends.refused(running, call)).start).toBe('SIP/2.0 603 Network Blocked');
      await running.stop();
    }
  });

  it('fails open with the label that it is told, and with none', async () => {
    const own = await started(status(503), { LABEL: '[해외 발신]' });
    expect(labelsOf(await ends.passed(own, call))).toEqual(['[해외 발신]']);
    await own.stop();
    const none = await started(status(503), { LABEL: '' });
    const text = await ends.passed(none, { ...call, method: 'MESSAGE', body: 'hello' });
    expect([labelsOf(text), text.body]).toEqual([[], 'hello']);
  });

  it('does not label an emergency call', async () => {
    const running = await started(status(503));
    expect(labelsOf(await ends.passed(running, { ...call, to: '112' }))).toEqual([]);
  });

  it.each([401, 503])('fails closed on %i where that is configured', async (code) => {
    const answer = await ends.refused(await started(status(code), { FAIL_CLOSED: true }), call);
    expect(answer.start).toBe('SIP/2.0 503 Service Unavailable');
    expect(headerOf(answer, 'Retry-After')).toBe('5');
  });

  it('fails open and closed where there is no service', async () => {
    expect(labelsOf(await ends.passed(await started(null), call))).toEqual([LABEL]);
    await kamailio!.stop();
    expect((await ends.refused(await started(null, { FAIL_CLOSED: true }), call)).status).toBe(503);
  });

  it('does not wait for a silent service, stops asking it, and labels what passes unasked', async () => {
    const settings = { TIMEOUT_MS: SHORT_TIMEOUT_MS, BREAK_AFTER: 2, PROBE_EVERY_S: NEVER_S };
    const running = await started(() => undefined, settings);
    for (let count = 0; count < 10; count++) {
      expect(labelsOf(await ends.passed(running, call))).toEqual([LABEL]);
    }
    // Two that break it, and one probe. 28: no answer in time. 0: not asked.
    const codes = [...running.logged().matchAll(/no answer of numgate \((\d+)\)/g)].map(([, code]) => code);
    expect(codes).toEqual([
      ...Array.from({ length: 3 }, () => '28'),
      ...Array.from({ length: 7 }, () => '0'),
    ]);
    expect(asked).toHaveLength(3);
  });

  it('asks again once the service is back', async () => {
    const running = await started(
      (_request, response) => {
        if (asked.length <= 2) response.destroy();
        else response.end('{"verdict":"allow","sip":null,"label":null,"reasons":[]}');
      },
      { BREAK_AFTER: 2 },
    );
    for (let count = 0; count < 2; count++) await ends.passed(running, call);
    while (labelsOf(await ends.passed(running, call)).length > 0);
    for (let count = 0; count < 3; count++) {
      expect(labelsOf(await ends.passed(running, call))).toEqual([]);
    }
    expect(asked.length).toBeGreaterThanOrEqual(6);
  });

  it('asks once about what is sent again', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = await started(
      (_request, response) => void promise.then(() => response.writeHead(500).end()),
    );
    const { text, answers } = ends.caller.written(call);
    const answered = (status: number): Promise<SipMessage> =>
      ends.caller.message((message) => message.status === status && answers(message));
    ends.caller.sendText(text, running.port);
    await answered(100);
    ends.caller.sendText(text, running.port);
    // Answered behind what was sent again, out of another process.
    await ends.caller.ask({ ...call, method: 'OPTIONS', headers: { 'Max-Forwards': '0' } }, running.port);
    resolve();
    await answered(200);
    expect(asked).toHaveLength(1);
  });
});
