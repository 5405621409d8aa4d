/** Texts of MESSAGE against examples/kamailio with CHECK_TEXT and the real service. */
import { describe, expect, it } from 'vitest';
import { FOREIGN, Gateway, missing, TO } from './support/ends.ts';
import { headerOf, type SipRequest } from './support/sip.ts';

const BLOCKED = 'SIP/2.0 603 Network Blocked';
const text: SipRequest = { method: 'MESSAGE', from: FOREIGN, to: TO };
const PLAIN = { 'Content-Type': 'text/plain;charset=UTF-8' };

describe.skipIf(missing !== null)('Kamailio with CHECK_TEXT', () => {
  const gateway = new Gateway({ settings: { CHECK_TEXT: true } });
  const statusOf = async (body: string | Buffer, headers: Record<string, string> = PLAIN) =>
    (await gateway.refused({ ...text, body, headers })).start;

  it('a text with a listed host, or of a campaign, is refused', async () => {
    expect(await statusOf('test:TEXT_HOST_LISTED')).toBe(BLOCKED);
    expect(await statusOf('test:TEXT_CAMPAIGN')).toBe(BLOCKED);
    await gateway.passed({ ...text, body: 'test:ordinary', headers: PLAIN });
    for (const body of ['"quoted"', 'a \\ b', 'a\tb\r\nc', '한글 and €', "it's $rb, 100 %"])
      await gateway.passed({ ...text, body, headers: PLAIN });
  });

  it('a text that is too long or no UTF-8 does not choose the fail policy', async () => {
    // A message without an answer would get the label.
    const from = '<sip:+821000000024@carrier.example>';
    const passed = await gateway.passed({ ...text, from, body: Buffer.from([0x41, 0xff]), headers: PLAIN });
    expect(headerOf(passed, 'X-Numgate-Label')).toBeNull();
    expect(await statusOf('x'.repeat(2_001))).toBe('SIP/2.0 513 Message Too Large');
    await gateway.passed({ ...text, body: 'x'.repeat(2_000), headers: PLAIN });
  });

  it('no text holds back an emergency', async () => {
    await gateway.passed({ ...text, to: '119', body: 'x'.repeat(2_001), headers: PLAIN });
  });

  it('a body of another type is not sent to numgate', async () => {
    await gateway.passed({
      ...text,
      body: 'test:TEXT_HOST_LISTED',
      headers: { 'Content-Type': 'text/html' },
    });
  });

  it('no text is logged', () => {
    expect(gateway.kamailio.logged()).not.toMatch(/quoted|test:/);
  });
});
