/**
 * Client keys with conditions: an end, addresses, certificates. A verified secret is cached. Its conditions
 * are checked for each request, and only what Cloudflare observed counts.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { KeyConditions } from '../../../shared/key-conditions.ts';
import { CLIENTS, publishClients } from '../support/clients.ts';
import { coldIsolate } from '../support/isolate.ts';
import { sendAndSettle, type WireResponse } from '../support/send.ts';
import { build, LISTED, NEXT_POLL_MS, NOW, publish, publishHead, smallLists } from '../support/world.ts';

coldIsolate();

const built = await build(smallLists());
const body = { to: LISTED };
const DIGEST = 'ab'.repeat(32);
const ADDRESS = '203.0.113.9';

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await publish(built);
});

const publishWith = (conditions: KeyConditions): Promise<void> =>
  publishClients([{ ...CLIENTS[0], ...conditions }, ...CLIENTS.slice(1)]);

interface From {
  readonly address?: string;
  readonly tls?: object;
  readonly platform?: string;
}
const from = ({ address = ADDRESS, tls, platform = 'cloudflare' }: From = {}): Promise<WireResponse> => {
  const cf = tls === undefined ? {} : { cf: { tlsClientAuth: tls } };
  return sendAndSettle({ body, headers: { 'cf-connecting-ip': address }, ...cf }, { PLATFORM: platform });
};
const codeOf = ({ status, body: { code } }: WireResponse): string => `${status} ${code ?? ''}`.trim();

describe('a key with an end', () => {
  const ends = (ms: number): KeyConditions => ({ expires: new Date(NOW + ms).toISOString() });

  test('stops at that time in an isolate that has verified it, without another head', async () => {
    await publishWith(ends(2_000));
    const codes: string[] = [];
    for (const after of [0, 1_999, 2_000, 2_001]) {
      vi.setSystemTime(NOW + after);
      codes.push(codeOf(await from()));
    }
    expect(codes).toEqual(['200', '200', '401 UNAUTHENTICATED', '401 UNAUTHENTICATED']);
  });

  test('has a message of its own only with the right secret', async () => {
    await publishWith(ends(-1));
    const right = await from();
    const wrong = await sendAndSettle({ body, headers: { authorization: 'Bearer open.wrong' } });
    expect([right.status, wrong.status]).toEqual([401, 401]);
    expect(right.body.message).toBe(`the client key expired at ${ends(-1).expires}: ask for a new one`);
    expect(wrong.body.message).toBe('the client key is not valid');
  });

  test('works again once it is renewed', async () => {
    await publishWith(ends(-1));
    expect((await from()).status).toBe(401);
    await publishWith(ends(86_400_000));
    await publishHead(built.manifest, 2);
    vi.setSystemTime(NOW + NEXT_POLL_MS);
    await from();
    expect((await from()).status).toBe(200);
  });
});

describe('a key with addresses', () => {
  beforeEach(() => publishWith({ addresses: ['203.0.113.0/24', '2001:db8::/32'] }));

  test.each([
    ['203.0.113.255', '200'],
    ['::ffff:203.0.113.1', '200'],
    ['2001:DB8:1::1', '200'],
    ['203.0.114.1', '403 PERMISSION_DENIED'],
    ['2001:db9::1', '403 PERMISSION_DENIED'],
    ['::cb00:7109', '403 PERMISSION_DENIED'],
    ['203.0.113.1, 198.51.100.1', '403 PERMISSION_DENIED'],
    ['', '403 PERMISSION_DENIED'],
  ])('used from %j gets %s', async (address, expected) => {
    expect(codeOf(await from({ address }))).toBe(expected);
  });

  test('is checked for each request, although the secret is cached', async () => {
    const codes: number[] = [];
    for (const address of [ADDRESS, '198.51.100.1', ADDRESS]) codes.push((await from({ address })).status);
    expect(codes).toEqual([200, 403, 200]);
  });

  test.each([undefined, '', 'local', 'Cloudflare'])(
    'is refused where nobody vouches for the header: PLATFORM %j',
    async (platform) => {
      const { status, body: answer } = await sendAndSettle(
        { body, headers: { 'cf-connecting-ip': ADDRESS } },
        { PLATFORM: platform as string },
      );
      expect([status, answer.code]).toEqual([403, 'PERMISSION_DENIED']);
      expect(answer.message).toContain('with PLATFORM = "cloudflare"');
    },
  );

  test('does not repeat the address in the answer', async () => {
    expect(JSON.stringify(await from({ address: '198.51.100.1' }))).not.toContain('198.51.100.1');
  });
});

describe('a key with a certificate', () => {
  const TLS = {
    ...{ certPresented: '1', certVerified: 'SUCCESS', certRevoked: '0' },
    certFingerprintSHA256: DIGEST.toUpperCase(),
  };
  beforeEach(() => publishWith({ certificateSha256: ['cd'.repeat(32), DIGEST] }));

  test.each([
    ['the certificate', TLS, 200],
    ['none', undefined, 403],
    ['another one', { ...TLS, certFingerprintSHA256: 'ef'.repeat(32) }, 403],
    ['one that is not verified', { ...TLS, certVerified: 'FAILED:self signed certificate' }, 403],
    ['one that is revoked', { ...TLS, certRevoked: '1' }, 403],
    ['one that is not presented', { ...TLS, certPresented: '0' }, 403],
  ])('and a request with %s', async (_, tls, status) => {
    expect((await from(tls === undefined ? {} : { tls })).status).toBe(status);
    expect((await from({ ...(tls === undefined ? {} : { tls }), platform: '' })).status).toBe(403);
  });
});
