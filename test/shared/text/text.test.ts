/** Reading a text: what obfuscation changes, and inputs that are crafted to be expensive. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LETTERS_MAX,
  TEXT_CHARS_MAX,
  TEXT_ENDINGS_MAX,
  TEXT_HOSTS_MAX,
} from '../../../shared/limits/text.ts';
import { findLinks } from '../../../shared/text/hosts.ts';
import { fold } from '../../../shared/text/letters.ts';
import { readText } from '../../../shared/text/text.ts';
import { holds } from '../support/properties.ts';
import { anyText, plainText, syllable } from '../support/text-strings.ts';

const HIDDEN = [
  '\u200b',
  '\u200c',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u00ad',
  '\u202e',
  '\u3164',
  '\ufe0f',
  '\u2800',
  '\0',
];
const lettersOf = (text: string): string => String.fromCharCode(...readText(text).letters);

describe('a text', () => {
  it('is read in one pass as it is in all', () => {
    holds(
      fc.property(plainText, (text) => {
        const read = readText(text);
        const { rest, ...links } = findLinks(text);
        expect(read).toEqual({ ...fold(rest), ...links, hidden: 0 });
      }),
      { numRuns: 2_000 },
    );
  });

  it('has the same hosts in one pass as in all, where there may be some', () => {
    let found = 0;
    const part = fc.string({ unit: fc.constantFrom(...'abZ19..::///-_@ 한국닷컴가ㄱ▶。'), maxLength: 6 });
    const middle = fc.constantFrom(
      '.com',
      '。com',
      '．Kr',
      '｡한국',
      '.Kr',
      '://',
      '.한국',
      '.닷컴',
      '.ㄱ',
      '1.1.1.1',
      '.x',
      '',
    );
    holds(
      fc.property(fc.tuple(part, middle, part), (parts) => {
        const text = parts.join('');
        const { rest, ...links } = findLinks(text);
        if (links.hosts.length > 0) found++;
        expect(readText(text)).toEqual({ ...fold(rest), ...links, hidden: 0 });
      }),
      { numRuns: 3_000 },
    );
    expect(found).toBeGreaterThan(300);
  });

  it('has the same letters with hidden characters anywhere', () => {
    holds(
      fc.property(plainText, fc.array(fc.nat(80)), fc.constantFrom(...HIDDEN), (text, places, hidden) => {
        const characters = [...text];
        for (const place of places) if (place < characters.length) characters[place] += hidden;
        const read = readText(characters.join(''));
        const plain = readText(text);
        expect(read.letters).toEqual(plain.letters);
        expect(read.hosts).toEqual(plain.hosts);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has the same letters with spaces anywhere, apart from links', () => {
    const words = fc.string({ unit: fc.oneof(syllable, fc.constantFrom(...'abcXYZ 0189')), maxLength: 60 });
    holds(
      fc.property(
        words,
        fc.constantFrom(' ', '  ', '\n', '\u3000', '.', '-', '·', '~', '\u00a0', '_'),
        (text, between) => {
          if (/[a-zA-Z0-9]{2}/.test(text) && between === '.') return;
          expect(lettersOf([...text].join(between))).toBe(lettersOf(text));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['대\u200b출', 1],
    ['대\u200b\u2060출', 2],
    ['대 \u200b출', 0],
    ['\u202e대출', 0],
    ['👨‍👩‍👧 ❤️', 0],
    ['a\r\nb\tc', 0],
    ['a\0b', 1],
  ])('counts characters that are hidden inside words: %j', (text, hidden) => {
    expect(readText(text).hidden).toBe(hidden);
  });

  it.each(['\u200b', '\u2060', '\u00ad'])('has a host that ends at a hidden character: %j', (hidden) => {
    for (const text of [`evil.com${hidden}ok`, `http://evil.com${hidden}1`]) {
      const { hosts, opened } = readText(text);
      expect(hosts).toContain('evil.com');
      expect(opened).toContain('evil.com');
    }
  });

  it('has the host that a phone opens, whatever is hidden in it', () => {
    expect(readText('evil\u200b.com 으로').hosts).toEqual(['evil.com']);
    expect(readText('ev\ufeffil.com/a').hosts).toEqual(['evil.com']);
  });

  it.each(['。', '．', '｡'])('has the host with %s for its only dot', (dot) => {
    expect(readText(`접속 evil${dot}com`)).toMatchObject({ hosts: ['evil.com'], hasLink: true });
  });

  it('has no mark of a link of its own', () => {
    expect(lettersOf('a\ufffcb')).toBe('ab');
    expect(lettersOf('a http://evil.example b')).toBe('a\ufffcb');
  });

  it('is read within its bounds, whatever it is', () => {
    holds(
      fc.property(fc.array(anyText, { maxLength: 40 }), (parts) => {
        const text = parts.join('').slice(0, TEXT_CHARS_MAX);
        const { letters, hosts, endings } = readText(text);
        expect(letters.length).toBeLessThanOrEqual(LETTERS_MAX);
        expect(hosts.length).toBeLessThanOrEqual(TEXT_HOSTS_MAX);
        expect(endings.length).toBeLessThanOrEqual(TEXT_ENDINGS_MAX);
      }),
    );
  });
});
