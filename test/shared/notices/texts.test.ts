/** The texts for subscribers have no link, no number, and whole sentences in both languages. */
import { describe, expect, it } from 'vitest';
import { guidanceTexts, ownerUsedTexts } from '../../../shared/notices/texts.ts';
import { SPAM_KINDS } from '../../../shared/reports/report.ts';

const cases = ([null, 'sms', 'voice'] as const).flatMap((channel) =>
  ([null, ...SPAM_KINDS] as const).map(
    (kind) => [`${channel} ${kind}`, guidanceTexts(channel, kind)] as const,
  ),
);

describe('texts for subscribers', () => {
  it.each([...cases, ['owner.used', ownerUsedTexts(500, '2026-11-27')] as const])(
    '%s',
    (name, { ko, en }) => {
      for (const text of [ko, en]) {
        expect(text).not.toMatch(/https?:|www\.|\.(kr|com|net)\b|\/\//i);
        expect(text.replace(/500|\b27\b|11월 27일/g, 'many')).not.toMatch(/\d|undefined|null|\{| {2}/);
        expect(text.trim()).toBe(text);
        expect(text.endsWith('.')).toBe(true);
      }
      expect(ko).toMatch(/^[^A-Za-z]+$/);
      expect(en).toMatch(/^[\x20-\x7e]+$/);
      // Every sentence of a text to the public ends politely.
      for (const sentence of ko.split(/(?<=\.) /)) expect(sentence, name).toMatch(/(니다|바랍니다)\.$/);
    },
  );

  it('name the day of the texts, which may be over when the owner reads them', () => {
    const { ko, en } = ownerUsedTexts(1_000, '2026-01-02');
    expect(ko).toMatch(/^1월 2일에 .* 1,000건 넘게/);
    expect(en).toMatch(/^On 2 January, more than 1,000 bulk texts/);
    expect(ko + en).not.toMatch(/오늘|today/i);
  });

  it('say what it was about, if that is known', () => {
    expect(guidanceTexts('sms', 'loan').ko).toContain('불법 대출 관련 문자를 보낸');
    expect(guidanceTexts('voice', 'phishing').en).toContain('called you about fraud');
    expect(guidanceTexts('sms', 'other')).toEqual(guidanceTexts('sms', null));
  });
});
