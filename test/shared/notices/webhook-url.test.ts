/** Permitted URLs of webhooks: only https, only allowed host names, and no address in any spelling. */
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { WEBHOOK_HOSTS_MAX, WEBHOOK_URL_CHARS_MAX } from '../../../shared/limits/notices.ts';
import { checkWebhookUrl, webhookHostsSchema } from '../../../shared/notices/webhook-url.ts';

const HOSTS = [
  'hooks.acme.example',
  'hooks.acme.example:8443',
  '127.0.0.1:9000',
  'localhost:9000',
  '[::1]:9000',
];
const check = (url: string, hosts: readonly string[] = HOSTS, isLocal = false): string => {
  const checked = checkWebhookUrl(url, hosts, isLocal);
  return checked.ok ? checked.value : checked.code;
};

/** Literal addresses as people and attackers write them. */
const ADDRESSES = [
  ...['127.0.0.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '127.1', '127.0.1', '0', '10.0.0.1'],
  ...[
    '192.168.0.1',
    '169.254.169.254',
    '3232235521',
    '0xA9FEA9FE',
    '①②⑦.0.0.1',
    '１２７.0.0.1',
    '127。0。0。1',
  ],
  ...[
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[fe80::1]',
    '[fd00::1]',
    '[64:ff9b::7f00:1]',
  ],
  ...['%31%32%37.0.0.1', '127.0.0.1.', '8.8.8.8'],
];

describe('the URL of a webhook', () => {
  it('goes to an allowed host over https, as the URL standard writes it', () => {
    expect(check('https://hooks.acme.example/numgate?a=1')).toBe('https://hooks.acme.example/numgate?a=1');
    expect(check('HTTPS://Hooks.ACME.example:443')).toBe('https://hooks.acme.example/');
    expect(check('https://hooks.acme.example:8443/')).toBe('https://hooks.acme.example:8443/');
    expect(check('https://xn--9i1b74z.example/', ['xn--9i1b74z.example'])).toBe(
      'https://xn--9i1b74z.example/',
    );
  });

  it.each(ADDRESSES)('is never the literal address %s, allowed or not, also in the local runtime', (host) => {
    const canonical = URL.parse(`https://${host}/`)?.host ?? host;
    for (const isLocal of [false, true]) {
      for (const hosts of [HOSTS, [...HOSTS, host, canonical]]) {
        const isLoopback = isLocal && ['127.0.0.1', '[::1]'].includes(canonical) && hosts !== HOSTS;
        const expected = isLoopback ? `https://${canonical}/` : expect.stringMatching(/^WEBHOOK_/);
        expect(check(`https://${host}/`, hosts, isLocal)).toEqual(expected);
      }
    }
    expect(['WEBHOOK_URL_ADDRESS', 'WEBHOOK_URL_INVALID']).toContain(check(`https://${host}/`));
  });

  const REFUSED: readonly (readonly [url: string, code: string])[] = [
    ['', 'WEBHOOK_URL_INVALID'],
    ['hooks.acme.example/numgate', 'WEBHOOK_URL_INVALID'],
    ['https://', 'WEBHOOK_URL_INVALID'],
    ['https://user:secret@hooks.acme.example/', 'WEBHOOK_URL_INVALID'],
    ['https://hooks.acme.example@evil.example/', 'WEBHOOK_URL_INVALID'],
    ['https://hooks.acme.example/#part', 'WEBHOOK_URL_INVALID'],
    ['https:\\\\hooks.acme.example', 'WEBHOOK_URL_INVALID'],
    ['https://evil.example\\@hooks.acme.example/', 'WEBHOOK_URL_INVALID'],
    [' https://hooks.acme.example/', 'WEBHOOK_URL_INVALID'],
    ['https://hooks.ac\tme.example/', 'WEBHOOK_URL_INVALID'],
    ['https://hooks.acme.\u200bexample/', 'WEBHOOK_URL_INVALID'],
    [`https://hooks.acme.example/${'a'.repeat(WEBHOOK_URL_CHARS_MAX)}`, 'WEBHOOK_URL_INVALID'],
    [`https://hooks.acme.example/${'가'.repeat(200)}`, 'WEBHOOK_URL_INVALID'],
    ['http://hooks.acme.example/', 'WEBHOOK_URL_INSECURE'],
    ['http://localhost:9000/', 'WEBHOOK_URL_INSECURE'],
    ['ftp://hooks.acme.example/', 'WEBHOOK_URL_INSECURE'],
    ['file:///etc/passwd', 'WEBHOOK_URL_INSECURE'],
    ['data:text/plain,hello', 'WEBHOOK_URL_INSECURE'],
    ['https://localhost:9000/', 'WEBHOOK_HOST_PRIVATE'],
    ['https://localhost./', 'WEBHOOK_HOST_PRIVATE'],
    ['https://intranet/', 'WEBHOOK_HOST_PRIVATE'],
    ['https://printer.local/', 'WEBHOOK_HOST_PRIVATE'],
    ['https://metadata.google.internal/', 'WEBHOOK_HOST_PRIVATE'],
    ['https://router.home.arpa/', 'WEBHOOK_HOST_PRIVATE'],
    ['https://hooks.acme.example./', 'WEBHOOK_HOST_PRIVATE'],
    ['https://hooks_1.acme.example/', 'WEBHOOK_HOST_PRIVATE'],
    ['https://evil.example/', 'WEBHOOK_HOST_NOT_ALLOWED'],
    ['https://hooks.acme.example.evil.example/', 'WEBHOOK_HOST_NOT_ALLOWED'],
    ['https://evil-hooks.acme.example/', 'WEBHOOK_HOST_NOT_ALLOWED'],
    ['https://hooks.acme.example:8080/', 'WEBHOOK_HOST_NOT_ALLOWED'],
    ['https://예시.example/', 'WEBHOOK_HOST_NOT_ALLOWED'],
  ];

  it.each(REFUSED)('is refused: %s', (url, code) => {
    expect(check(url)).toBe(code);
  });

  it('is plain http only in the local runtime, to a port of this machine that is on the list', () => {
    for (const url of ['http://localhost:9000/', 'http://127.0.0.1:9000/', 'http://[::1]:9000/'])
      expect(check(url, HOSTS, true)).toBe(url);
    expect(check('http://localhost:9001/', HOSTS, true)).toBe('WEBHOOK_HOST_NOT_ALLOWED');
    expect(check('http://127.0.0.2:9000/', [...HOSTS, '127.0.0.2:9000'], true)).toBe('WEBHOOK_URL_INSECURE');
    expect(check('http://hooks.acme.example/', HOSTS, true)).toBe('WEBHOOK_URL_INSECURE');
  });

  it('is never anything but an allowed host name over https, whatever the text', () => {
    const part = fc.constantFrom(
      'https://',
      'http://',
      'hooks.acme.example',
      '127.0.0.1',
      '@',
      ':',
      '/',
      '\\',
      '.',
      '#',
    );
    const text = fc
      .array(fc.oneof(part, fc.string({ maxLength: 3 })), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (url) => {
        const checked = check(url);
        if (checked.startsWith('WEBHOOK_')) return;
        const { protocol, host, username, hash } = new URL(checked);
        expect([protocol, username, hash, HOSTS.includes(host)]).toEqual(['https:', '', '', true]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the list of hosts', () => {
  const isValid = (...hosts: string[]): boolean => v.safeParse(webhookHostsSchema, hosts).success;

  it('has host names with a port if it is not 443, and ports of this machine', () => {
    expect(isValid(...HOSTS)).toBe(true);
    expect(isValid()).toBe(true);
    for (const host of [
      ...[
        'localhost',
        '127.0.0.1',
        '10.0.0.1',
        '10.0.0.1:80',
        'Hooks.acme.example',
        'hooks.acme.example:443',
      ],
      ...[
        'hooks.acme.example:0',
        'hooks.acme.example:65536',
        'acme',
        'acme.local',
        'hooks.acme.example.',
        '',
      ],
      ...[
        '*.acme.example',
        'https://hooks.acme.example',
        'hooks.acme.example/',
        'a@b.example',
        '예시.example',
      ],
    ]) {
      expect([host, isValid(host)]).toEqual([host, false]);
    }
    expect(isValid('a.example', 'a.example')).toBe(false);
    const many = Array.from({ length: WEBHOOK_HOSTS_MAX + 1 }, (_, index) => `h${index}.example`);
    expect([isValid(...many.slice(1)), isValid(...many)]).toEqual([true, false]);
  });
});
