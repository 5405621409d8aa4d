/**
 * What callers write, and what trusted peers pass on from them, against examples/kamailio as it is and a real
 * service: no spelling of a sender or recipient leads around a list, and no caller can choose the fail policy.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ends, FOREIGN, missing, TO } from './support/ends.ts';
import { type Kamailio, startKamailio } from './support/kamailio.ts';
import { type GatewayService, startGatewayService } from './support/service.ts';
import type { SipRequest } from './support/sip.ts';

const BLOCKED = 'SIP/2.0 603 Network Blocked';
const UNREADABLE_SENDER = 'SIP/2.0 400 Unreadable Sender';
const UNREADABLE_RECIPIENT = 'SIP/2.0 400 Unreadable Recipient';
/** A Korean number, which is blocked from abroad. */
const KOREAN = '+82212345678';
/** As many unanswered questions in a row as make the config stop asking, and one. */
const BREAK = 9;

const call: SipRequest = { method: 'INVITE', from: FOREIGN, to: TO };
const senderOf = (user: string): string => `<sip:${user}@carrier.example>`;

describe.skipIf(missing !== null)('kamailio and its callers', () => {
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

  const answerTo = async (request: Partial<SipRequest>): Promise<string> =>
    (await ends.refused(kamailio, { ...call, ...request })).start;

  it.each([
    ['53 zeros', KOREAN + '0'.repeat(53)],
    ['5,000 zeros', KOREAN + '0'.repeat(5_000)],
    ['9,000 zeros', KOREAN + '0'.repeat(9_000)],
    ['53 encoded spaces', KOREAN + '%20'.repeat(53)],
    ['5,000 encoded spaces', KOREAN + '%20'.repeat(5_000)],
  ])('refuses a blocked sender followed by %s', async (_what, user) => {
    expect(await answerTo({ from: senderOf(user) })).toBe(UNREADABLE_SENDER);
    const headers = { 'P-Asserted-Identity': senderOf(user) };
    expect(await answerTo({ method: 'MESSAGE', headers })).toBe(UNREADABLE_SENDER);
  });

  it('blocks a sender of 64 characters', async () => {
    expect(await answerTo({ from: senderOf(KOREAN + '%20'.repeat(52)) })).toBe(BLOCKED);
  });

  it('does not stop asking because of senders that are too long', async () => {
    const from = senderOf(KOREAN + '0'.repeat(9_000));
    for (let count = 0; count < BREAK; count++) expect(await answerTo({ from })).toBe(UNREADABLE_SENDER);
    expect(await answerTo({ from: senderOf(KOREAN) })).toBe(BLOCKED);
  });

  it.each([
    '+8210-2000-0001',
    '010-2000-0001',
    '010.2000.0001',
    '(010)2000-0001',
    '+821020000001;npdi',
    '+821020000001;npdi;rn=+82212345678',
    '+82-10-2000-0001;phone-context=+82',
    '+821020000001%3Bnpdi',
    '+82%31020000001',
    '%2B821020000001',
    '+821020000001%20',
    '%20+821020000001',
    `+821020000001${'%20'.repeat(51)}`,
  ])('blocks the listed recipient %s', async (to) => {
    expect(await answerTo({ to })).toBe(BLOCKED);
    expect(await answerTo({ method: 'MESSAGE', to })).toBe(BLOCKED);
  });

  it('blocks a listed recipient in a tel URI', async () => {
    expect(await answerTo({ target: 'tel:+82-10-2000-0001' })).toBe(BLOCKED);
  });

  it.each([
    ['is no number', '*31#01020000001'],
    ['is a number with letters', '+821020000001x'],
    ['is two numbers', '+821020000001,+821020000002'],
    ['has too many digits', '+8210200000010000'],
    ['is longer than 64 characters', `+821020000001${'%20'.repeat(52)}`],
    ['is far longer', `+821020000001${'%20'.repeat(5_000)}`],
    ['has a line end', '+821020000001%0D%0AX-Evil:1'],
    ['has a zero byte', '119%00+821020000001'],
    ['has full-width digits', '+8210%EF%BC%920000001'],
  ])('refuses a recipient that %s', async (_what, to) => {
    expect(await answerTo({ to })).toBe(UNREADABLE_RECIPIENT);
  });

  it('passes a call to a name, which no list has', async () => {
    for (const to of ['reception', 'desk-12']) await ends.passed(kamailio, { ...call, to });
  });

  it.each<[string, string]>([
    ['X-Attestation', 'a'],
    ['X-Roaming', 'VERIFIED'],
  ])('blocks although the %s that a peer passes on is no value of it', async (name, value) => {
    expect(await answerTo({ from: senderOf(KOREAN), headers: { [name]: value } })).toBe(BLOCKED);
  });

  it('asks about a service that only begins like an emergency service', async () => {
    expect(await answerTo({ from: senderOf(KOREAN), target: 'urn:service:sosx' })).toBe(BLOCKED);
  });
});
