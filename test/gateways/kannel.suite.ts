/**
 * Kannel with the config of examples/kannel, in front of the SMPP proxy, an SMSC and the real service. A text
 * sent through Kannel's own HTTP interface is blocked, labelled or passed, and its sender gets a report.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { skipMissing } from '../../bench/lib/skip-missing.ts';
import { kannelMissing, startKannel } from './support/kannel.ts';
import { ALLOWED_SENDER, gatewayService, SUSPENDED } from './support/service.ts';
import { LABEL, proxyTo, startSmsc, textOf } from './support/smpp.ts';

const missing = kannelMissing();
if (missing !== null) skipMissing('kannel', `the tests with Kannel are skipped: ${missing}`);

const TO = '+821055550000';
/** Types of Kannel's delivery reports. */
const ACCEPTED = '8';
const REFUSED = '16';

/** An HTTP server that Kannel calls with the delivery report of each text. */
async function startReports() {
  const reports = new Map<string, PromiseWithResolvers<string>>();
  const reportOf = (id: string): PromiseWithResolvers<string> => {
    const report = reports.get(id) ?? Promise.withResolvers<string>();
    reports.set(id, report);
    return report;
  };
  const server = createServer((request, response) => {
    const [, id, type] = request.url!.split('/');
    reportOf(id!).resolve(type!);
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    /** Kannel replaces `%d` by the type of the report. */
    urlOf: (id: string) => `http://127.0.0.1:${port}/${id}/%d`,
    typeOf: (id: string) => reportOf(id).promise,
  };
}

describe.skipIf(missing !== null)('Kannel with the SMPP proxy', () => {
  it('has texts blocked, labelled and passed', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, gatewayService());
    const reports = await startReports();
    const kannel = await startKannel(proxy.port);
    onTestFinished(() => kannel.stop());
    const long = 'x'.repeat(200);
    const texts = [
      { id: 'passed', from: ALLOWED_SENDER, to: TO, text: 'a@b', report: ACCEPTED },
      { id: 'labelled', from: '+639170000002', to: TO, text: 'a@b', report: ACCEPTED },
      { id: 'senderId', from: 'SHOP', to: TO, text: 'sale', report: ACCEPTED },
      { id: 'fromAbroad', from: '+82212345678', to: TO, text: 'a', report: REFUSED },
      {
        id: 'suspended',
        from: ALLOWED_SENDER,
        to: `+82${SUSPENDED.others.slice(1)}`,
        text: 'a',
        report: REFUSED,
      },
      { id: 'long', from: '+639170000002', to: TO, text: long, report: ACCEPTED },
    ];
    for (const { id, report, ...text } of texts) {
      expect(await kannel.send({ ...text, reportUrl: reports.urlOf(id) }), id).toBe(202);
      expect([id, await reports.typeOf(id)]).toEqual([id, report]);
    }
    const whole = smsc.received.filter(({ esm_class }) => esm_class !== 0x40 && esm_class !== 0x43);
    expect(whole.map(textOf)).toEqual(['a@b', `${LABEL}a@b`, `${LABEL}sale`]);
    // Kannel splits the text into 2 parts in the GSM alphabet, and the proxy splits each of these into 3 in UCS-2.
    const parts = smsc.received.slice(3);
    expect(parts).toHaveLength(6);
    expect(parts.map(textOf).join('')).toBe(LABEL + long);
    expect(proxy.counts).toEqual({ passed: 1, labelled: 4, labelNotShown: 0, refused: 2 });
    expect(kannel.logged()).not.toMatch(/82212345678|639170000|44440001/);
  });
});
