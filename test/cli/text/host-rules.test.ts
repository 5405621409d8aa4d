/** The hosts that a list may contain. */
import { describe, expect, it } from 'vitest';
import { checkHost } from '../../../cli/text/host-rules.ts';
import type { Effect } from '../../../shared/verdict.ts';

const checked = (written: string, effect: Effect = 'block'): string => {
  const result = checkHost(written, effect);
  return result.ok ? result.host : result.code;
};

describe('a host list', () => {
  it.each([
    ['Evil.Example.COM', 'evil.example.com'],
    ['evil.example.com.', 'evil.example.com'],
    ['*.evil.example.com', 'evil.example.com'],
    ['https://evil.example.com/', 'evil.example.com'],
    ['evil.example.com/', 'evil.example.com'],
    ['HTTP://evil.example.com', 'evil.example.com'],
    ['은행.example.com', 'xn--zs5b84x.example.com'],
    ['ｅｖｉｌ。example.com', 'evil.example.com'],
    ['192.0.2.7', '192.0.2.7'],
    ['0xc0.0.2.7', '192.0.2.7'],
    ['shop.github.io', 'shop.github.io'],
    ['my.bit.ly', 'my.bit.ly'],
    ['bucket.s3.amazonaws.com', 'bucket.s3.amazonaws.com'],
    ['city.kawasaki.jp', 'city.kawasaki.jp'],
    ['naver.com', 'naver.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['_dmarc.a-b.example.com', '_dmarc.a-b.example.com'],
    ['은행.한국', 'xn--zs5b84x.xn--3e0b707e'],
    ['https://192.0.2.7/', '192.0.2.7'],
  ])('has %j as %j', (written, host) => {
    expect(checked(written)).toBe(host);
  });

  it.each([
    ['localhost', 'HOST_INVALID'],
    ['not a host.com', 'HOST_INVALID'],
    ['evil.example.com:8080', 'HOST_INVALID'],
    ['user@evil.example.com', 'HOST_INVALID'],
    ['%65vil.example.com', 'HOST_INVALID'],
    ['evil..example.com', 'HOST_INVALID'],
    ['300.300.300.300', 'HOST_INVALID'],
    ['1.2.3.4.5.6.7.8.9.example.com', 'HOST_INVALID'],
    ['4711', 'HOST_INVALID'],
    ['0x10', 'HOST_INVALID'],
    ['1.2', 'HOST_INVALID'],
    ['0x10.2.3', 'HOST_INVALID'],
    ['shop.123', 'HOST_INVALID'],
    ['shop.x', 'HOST_INVALID'],
    ['shop.c0m', 'HOST_INVALID'],
    ['-a.com', 'HOST_INVALID'],
    ['a-.com', 'HOST_INVALID'],
    ['a.-b.com', 'HOST_INVALID'],
    [`${'a'.repeat(64)}.${'b'.repeat(250)}.com`, 'HOST_INVALID'],
    ['https://evil.example.com/login', 'HOST_HAS_PATH'],
    ['evil.example.com/login', 'HOST_HAS_PATH'],
    ['https://evil.example.com/?a=b', 'HOST_HAS_PATH'],
    ['https://evil.example.com?a=b', 'HOST_HAS_PATH'],
    ['evil.example.com#a', 'HOST_HAS_PATH'],
  ])('refuses %j: %s', (written, code) => {
    expect(checked(written)).toBe(code);
  });

  it.each([
    ['https://a.co.kr?x=1', 'label', /^has a query, but a list decides about whole hosts: list the host/],
    ['https://a.co.kr#x', 'label', /^has a fragment, but /],
    ['https://a.co.kr/x?y', 'block', /^has a path, but /],
    ['www.evil.com:8080', 'block', /^has a port: list the host without it/],
    ['user@evil.example.com', 'block', /^has an @: list only the host after it/],
    ['0x10', 'block', /^is a number, which browsers read as 0\.0\.0\.16: write all four parts/],
    ['300.300.300.300', 'block', /^ends with a number: check the name, or write all four parts/],
    ['-a.com', 'block', /^has a label that begins or ends with a hyphen: check the name/],
    ['shop.c0m', 'block', /^does not end with a top-level name such as "com": check/],
  ] as const)('says what is wrong with %j, and the way out', (written, effect, message) => {
    expect(checkHost(written, effect)).toMatchObject({ message: expect.stringMatching(message) });
  });

  it.each(['co.kr', '*.co.kr', 'com.vn', 'go.kr', 'kawasaki.jp', 'KR', 'com'])(
    'refuses %s with every effect: names of many owners end with it',
    (suffix) => {
      for (const effect of ['block', 'allow', 'label', 'shadow'] as const)
        expect(checked(suffix, effect)).toBe('HOST_PUBLIC_SUFFIX');
    },
  );

  it.each([
    ['github.io', 'HOST_SHARED_SUFFIX'],
    ['pages.dev', 'HOST_SHARED_SUFFIX'],
    ['amazonaws.com', 'HOST_SHARED_SUFFIX'],
    ['windows.net', 'HOST_SHARED_SUFFIX'],
    ['core.windows.net', 'HOST_SHARED_SUFFIX'],
    ['bit.ly', 'HOST_SHORTENER'],
    ['www.bit.ly', 'HOST_SHORTENER'],
    ['han.gl', 'HOST_SHORTENER'],
  ])('refuses %s where it would block or excuse the links of others', (host, code) => {
    expect(checked(host, 'block')).toBe(code);
    expect(checked(host, 'allow')).toBe(code);
    expect(checked(host, 'label')).toBe(host);
    expect(checked(host, 'shadow')).toBe(host);
  });

  it('refuses a host that includes a shortener, and names it', () => {
    expect(checkHost('ead.me', 'block')).toMatchObject({
      code: 'HOST_SHORTENER',
      message: expect.stringMatching(/^includes l\.ead\.me, which shortens links for everybody/),
    });
    expect(checked('ead.me', 'label')).toBe('ead.me');
  });
});
