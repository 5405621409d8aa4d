/** Hosts in texts: every host that a phone could open is found, as the URL standard reads it, and nothing else is found. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IDN_HOSTS_MAX, TEXT_CHARS_MAX, TEXT_HOSTS_MAX } from '../../../shared/limits/text.ts';
import { findLinks } from '../../../shared/text/hosts.ts';
import { holds } from '../support/properties.ts';
import { anyText, plainText } from '../support/text-strings.ts';

const LINK = '\ufffc';
const hostsIn = (text: string): readonly string[] => findLinks(text).hosts;

describe('hosts of a text', () => {
  it.each([
    ['http://evil.example/a?b#c', ['evil.example']],
    ['HTTPS://EVIL.example', ['evil.example']],
    ['hxxp://evil.example', ['evil.example']],
    ['evil.com', ['evil.com']],
    ['www.evil.co.kr.', ['www.evil.co.kr']],
    ['지금 확인: bit.ly/3xYz에서', ['bit.ly']],
    ['evil.com에서 확인', ['evil.com']],
    ['바로가기evil.com으로', ['evil.com', 'xn--evil-9g3p68h0qyu5g.com']],
    ['a.com에서b.com으로', ['a.com', 'b.com', 'a.xn--comb-dj5r32t.com']],
    ['▶evil.com◀', ['evil.com', 'xn--evil-442b.com']],
    ['(evil.com)', ['evil.com']],
    ['"evil.com"', ['evil.com']],
    ['-www.evil.com', ['www.evil.com']],
    ['evil.com-지금', ['evil.com', 'evil.com']],
    ['naver.com-login.xyz', ['naver.com-login.xyz']],
    ['evil.com.2024', ['evil.com']],
    ['ｅｖｉｌ．ｃｏｍ', ['evil.com']],
    ['바로ｅｖｉｌ．ｃｏｍ에서', ['evil.com', 'xn--evil-9d6qp2p.com']],
    ['evil。com', ['evil.com']],
    ['evil｡com/a', ['evil.com']],
    ['한글.com', ['xn--bj0bj06e.com']],
    ['예시.한국에서', ['xn--vv4b11d.xn--3e0b707e']],
    ['пример.рф', ['xn--e1afmkfd.xn--p1ai']],
    ['еvil.com', ['xn--vil-qdd.com']],
    ['bücher.com', ['xn--bcher-kva.com']],
    ['mail: ann.lee@evil.co.kr', ['evil.co.kr']],
    ['evil.com@ evil.kr@x', ['evil.com', 'evil.kr']],
    ['http://bank.example@evil.example/', ['evil.example', 'bank.example']],
    ['http://bank.example:80%2f@evil.example:8080/x', ['evil.example', 'bank.example']],
    ['http:\\\\evil.example\\a', ['evil.example']],
    ['http:///evil.example', ['evil.example']],
    ['http://evil.example.:80/', ['evil.example']],
    ['http://%65vil.example/', ['evil.example']],
    ['http://192.0.2.7/a', ['192.0.2.7']],
    ['http://3221225991/', ['192.0.2.7']],
    ['http://0xc0.0.2.7/', ['192.0.2.7']],
    ['http://0300.0.02.07', ['192.0.2.7']],
    ['http://[2001:db8::1]/', []],
    ['http://localhost/', []],
    ['접속 192.0.2.7 하세요', ['192.0.2.7']],
    ['xn--bj0bj06e.com', ['xn--bj0bj06e.com']],
    ['https://a.example/https://b.example', ['a.example']],
    ['https://a.example https://b.example', ['a.example', 'b.example']],
    ['지금 evil².com/a', ['evil2.com']],
    ['evil․co.kr/a', ['evil.co.kr']],
    [`${'𝐚'.repeat(63)}.com/b`, [`${'a'.repeat(63)}.com`]],
    ['サーバーevil.com', ['evil.com', 'xn--evil-9m4c6f6lb.com']],
    ['1\u20e3evil.com', ['evil.com', 'xn--1evil-mv4b.com']],
    ['evil.com@지금.접속', ['evil.com']],
    ['evil.com@a.b', ['evil.com']],
    ['<https://a.example/b><https://b.example/c>', ['a.example', 'b.example']],
    ['"https://a.example/","https://b.example/"', ['a.example', 'b.example']],
    ['https://a.example/b|evil.com', ['a.example', 'evil.com']],
    ['https://a.example/?b={evil.com}', ['a.example', 'evil.com']],
    ['[a.example/b][evil.com/c]', ['a.example', 'evil.com']],
    ['ok.thanks', ['ok.thanks']],
    // Words after the end of a sentence without a space. Phones know which endings exist.
    ['evil.com.hurry', ['evil.com', 'evil.com.hurry']],
    ['Open evil.com.Please hurry', ['evil.com', 'evil.com.please']],
    ['evil.pw.Hurry.Up', ['evil.pw', 'evil.pw.hurry.up']],
    ['www.evil.co.kr.Please', ['www.evil.co.kr', 'www.evil.co.kr.please']],
    [
      '바로evil.com.Please',
      ['evil.com', 'evil.com.please', 'xn--evil-9d6qp2p.com.please', 'xn--evil-9d6qp2p.com'],
    ],
    ['пример.рф.Скорее', ['xn--e1afmkfd.xn--p1ai.xn--e1aanqkd', 'xn--e1afmkfd.xn--p1ai']],
    ['192.0.2.7.Please', ['192.0.2.7', '192.0.2.7.please']],
    ['http://evil.com.hurry/a', ['evil.com.hurry', 'evil.com']],
    ['evil.com.au', ['evil.com.au']],
    ['evil.com.dev', ['evil.com.dev']],
  ])('are found in %s', (text, expected) => {
    expect(hostsIn(text)).toEqual([...new Set(expected)]);
  });

  it.each([
    ['an amount', '12.500원, 3.5만원, 1.5kg'],
    ['a date', '2024.11.26 ~ 24.11.26., 11.26'],
    ['a version', 'v1.2.3'],
    ['a defanged host', 'evil[.]com evil(dot)com evil . com'],
    ['the end of a sentence', '좋았다.그런데 아니다.정말 끝.감사'],
    ['dots alone', '.... ... 。。。 . .'],
    ['single letters', 'a.m. p.m U.S.A e.g'],
    ['an e-mail address without a host', 'ann@ @evil ann@evil'],
    ['numbers that are no address', '256.1.1.1 1.2.3 1.2.3.4.5 01.2.3.4'],
    ['a scheme alone', 'http:// https:/ ://'],
    ['a code that is none', 'http://%zz.example/'],
    ['jamo', 'ㅋㅋ.ㅋㅋ ㅠㅠ.ㅠㅠ'],
  ])('are not in %s: %s', (_what, text) => {
    expect(hostsIn(text)).toEqual([]);
  });

  it.each([
    ['http://evil.example/a', ['evil.example']],
    ['evil.com에서', ['evil.com']],
    ['바로가기evil.com', ['evil.com']],
    ['a.com에서b.com으로', ['a.com', 'b.com']],
    ['evil.com.Please', ['evil.com']],
    ['evil.com.new/a', ['evil.com.new']],
    ['evil.com.dev', ['evil.com.dev']],
    ['evil.com.words/a', ['evil.com.words']],
    ['пример.рф.Скорее', ['xn--e1afmkfd.xn--p1ai']],
    ['Thank you.Please see', []],
    ['www.evil.example', ['www.evil.example']],
    ['evil.example', []],
    ['evil.pw', ['evil.pw']],
    ['ann@evil.kr', ['evil.kr']],
    ['192.0.2.7', ['192.0.2.7']],
    ['http://bank.com@evil.com/', ['evil.com', 'bank.com']],
    ['http://바로evil.com/', ['evil.com', 'xn--evil-9d6qp2p.com']],
    ['http://[2001:db8::1]/', ['']],
    ['http://localhost/', ['']],
    [`${'好。我的 '.repeat(33)}пример.рф`, ['']],
  ])('are opened by a phone in %s', (text, expected) => {
    expect(findLinks(text).opened).toEqual(expected);
  });

  it.each([
    ['evil.com.hurry', `${LINK}.hurry`, true],
    ['확인 http://evil.example/a 하세요', `확인 ${LINK} 하세요`, true],
    ['evil.com에서', `${LINK}에서`, true],
    ['바로evil.com/a에서', `바로${LINK}에서`, true],
    ['www.evil.example에서', `${LINK}에서`, true],
    ['ok.thanks', 'ok.thanks', false],
    ['ok.thanks/now', LINK, true],
    ['ann@evil.com', 'ann@evil.com', false],
    ['http://localhost/ x', `${LINK} x`, true],
    ['http://evil.com:8080에서', `${LINK}에서`, true],
    ['12.500원', '12.500원', false],
  ])('leave a mark in place of a link: %s', (text, rest, hasLink) => {
    expect(findLinks(text)).toMatchObject({ rest, hasLink });
  });

  it('have the endings of links, not those of words', () => {
    expect(findLinks('ok.thanks http://a.b.example, c.com d.com').endings).toEqual(['example', 'com']);
  });

  it('are what the URL standard makes of a link', () => {
    const label = fc.oneof(
      fc.stringMatching(/^[a-z0-9]{1,10}$/),
      fc.stringMatching(/^[A-Z][a-z0-9-]{0,8}[a-z0-9]$/),
      fc.constantFrom('한글', 'пример', '中国', 'ｗｉｄｅ', 'bücher', 'xn--bj0bj06e'),
    );
    const host = fc
      .tuple(
        fc.array(label, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('com', 'co.kr', 'example', '한국', 'ＣＯＭ'),
      )
      .map(([labels, ending]) => [...labels, ending].join('.'));
    const parts = fc.record({
      scheme: fc.constantFrom('http://', 'HTTPS://', 'http:\\\\'),
      user: fc.constantFrom('', 'ann@', 'a:b@', 'bank.example@'),
      host,
      port: fc.constantFrom('', ':80', ':8443'),
      path: fc.constantFrom('', '/', '/a/b.html?c=d.com#e', '?q=1', '#x', '\\a'),
      before: fc.constantFrom('', ' ', '클릭 ', '('),
      after: fc.constantFrom('', ' 하세요', '\n', ')'),
    });
    holds(
      fc.property(parts, ({ scheme, user, host: name, port, path, before, after }) => {
        const url = scheme + user + name + port + path;
        const expected = URL.parse(url)?.hostname;
        if (expected === undefined) return;
        const { hosts, hasLink, rest } = findLinks(before + url + after);
        expect(hosts).toContain(expected);
        expect(hasLink).toBe(true);
        expect(rest.startsWith(before + LINK)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are what the URL standard makes of every spelling of an IPv4 address', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const written = fc.constantFrom<(value: number) => string>(
      String,
      (value) => `0x${value.toString(16)}`,
      (value) => `0${value.toString(8)}`,
    );
    holds(
      fc.property(
        fc.tuple(octet, octet, octet, octet),
        fc.array(written, { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (octets, forms, parts) => {
          // The last part holds all remaining octets.
          const last = octets.slice(parts - 1).reduce((value, each) => value * 256 + each, 0);
          const values = [...octets.slice(0, parts - 1), last];
          const text = values.map((value, index) => forms[index]!(value)).join('.');
          expect(hostsIn(`http://${text}/`)).toContain(octets.join('.'));
        },
      ),
    );
  });

  it('are in canonical form, each once, for any text', () => {
    holds(
      fc.property(fc.oneof(anyText, plainText), (text) => {
        const { hosts } = findLinks(text);
        expect(new Set(hosts).size).toBe(hosts.length);
        for (const host of hosts) expect(host).toMatch(/^[^\s/\\?#@:%A-Z]*\.[^\s/\\?#@:%A-Z]+$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are all found: none hides behind others', () => {
    const name = (at: number): string => at.toString(36).padStart(2, '0');
    const hosts = Array.from({ length: 333 }, (_, at) => `${name(at)}.kr`);
    expect(hostsIn(hosts.join(' '))).toEqual(hosts);
    const pairs = Array.from({ length: TEXT_CHARS_MAX / 8 }, (_, at) => [
      `${at % 10}.kr`,
      `${at % 10}.kr.${String.fromCharCode(0x61 + at / 10).repeat(2)}`,
    ]);
    expect(new Set(hostsIn(pairs.map(([, long]) => long).join(' ')))).toEqual(new Set(pairs.flat()));
    expect(TEXT_HOSTS_MAX).toBeGreaterThanOrEqual(2 * pairs.length + 2 * IDN_HOSTS_MAX);
    const decoys = '好。我 '.repeat((TEXT_CHARS_MAX - 8) / 4);
    expect(hostsIn(`${decoys}evil.com`)).toContain('evil.com');
    expect(hostsIn(`${'가'.repeat(1_900)}evil.com`)).toContain('evil.com');
    expect(hostsIn(`${'가.'.repeat(900)}evil.com`)).toContain('evil.com');
    expect(hostsIn(`${'a.com가'.repeat(300)}evil.com`)).toContain('evil.com');
  });
});
