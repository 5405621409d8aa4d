/**
 * Requests of callers and of trusted peers, against the unchanged examples/kamailio and the real service. No
 * spelling of a sender or recipient evades a list, and no caller can choose the fail policy.
 */
import { describe, expect, it } from 'vitest';
import { FOREIGN, Gateway, missing, TO } from './support/ends.ts';
import type { SipRequest } from './support/sip.ts';

const BLOCKED = 'SIP/2.0 603 Network Blocked';
const UNREADABLE_SENDER = 'SIP/2.0 400 Unreadable Sender';
const UNREADABLE_RECIPIENT = 'SIP/2.0 400 Unreadable Recipient';
/** A Korean number, which is blocked if it comes from abroad. */
const KOREAN = '+82212345678';
/** One more than the number of consecutive unanswered requests after which the config stops checking. */
const BREAK = 9;

const call: SipRequest = { method: 'INVITE', from: FOREIGN, to: TO };
const senderOf = (user: string): string => `<sip:${user}@carrier.example>`;

describe.skipIf(missing !== null)('Kamailio and its callers', () => {
  const gateway = new Gateway();

  const statusOf = async (request: Partial<SipRequest>): Promise<string> =>
    (await gateway.refused({ ...call, ...request })).start;

  it.each([
    ['53 zeros', KOREAN + '0'.repeat(53)],
    ['5,000 zeros', KOREAN + '0'.repeat(5_000)],
    ['9,000 zeros', KOREAN + '0'.repeat(9_000)],
    ['53 encoded spaces', KOREAN + '%20'.repeat(53)],
    ['5,000 encoded spaces', KOREAN + '%20'.repeat(5_000)],
  ])('refuses a blocked sender followed by %s', async (_what, user) => {
    expect(await statusOf({ from: senderOf(user) })).toBe(UNREADABLE_SENDER);
    const headers = { 'P-Asserted-Identity': senderOf(user) };
    expect(await statusOf({ method: 'MESSAGE', headers })).toBe(UNREADABLE_SENDER);
  });

  it('blocks a sender of 64 characters', async () => {
    expect(await statusOf({ from: senderOf(KOREAN + '%20'.repeat(52)) })).toBe(BLOCKED);
  });

  it('keeps checking after senders that are too long', async () => {
    const from = senderOf(KOREAN + '0'.repeat(9_000));
    for (let count = 0; count < BREAK; count++) expect(await statusOf({ from })).toBe(UNREADABLE_SENDER);
    expect(await statusOf({ from: senderOf(KOREAN) })).toBe(BLOCKED);
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
    expect(await statusOf({ to })).toBe(BLOCKED);
    expect(await statusOf({ method: 'MESSAGE', to })).toBe(BLOCKED);
  });

  it('blocks a listed recipient in a tel URI', async () => {
    expect(await statusOf({ target: 'tel:+82-10-2000-0001' })).toBe(BLOCKED);
  });

  it.each([
    ['is not a number', '*31#01020000001'],
    ['is a number with letters', '+821020000001x'],
    ['is two numbers', '+821020000001,+821020000002'],
    ['has too many digits', '+8210200000010000'],
    ['is longer than 64 characters', `+821020000001${'%20'.repeat(52)}`],
    ['is far longer', `+821020000001${'%20'.repeat(5_000)}`],
    ['has a line end', '+821020000001%0D%0AX-Evil:1'],
    ['has a zero byte', '119%00+821020000001'],
    ['has full-width digits', '+8210%EF%BC%920000001'],
  ])('refuses a recipient that %s', async (_what, to) => {
    expect(await statusOf({ to })).toBe(UNREADABLE_RECIPIENT);
  });

  it('passes a call to a name, which no list contains', async () => {
    for (const to of ['reception', 'desk-12']) await gateway.passed({ ...call, to });
  });

  it.each<[string, string]>([
    ['X-Attestation', 'a'],
    ['X-Roaming', 'VERIFIED'],
  ])('blocks a call if a peer passes on an invalid %s', async (name, value) => {
    expect(await statusOf({ from: senderOf(KOREAN), headers: { [name]: value } })).toBe(BLOCKED);
  });

  it('checks a call to a service that only begins like an emergency service', async () => {
    expect(await statusOf({ from: senderOf(KOREAN), target: 'urn:service:sosx' })).toBe(BLOCKED);
  });
});
