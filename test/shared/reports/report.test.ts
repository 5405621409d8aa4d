/** Reports as partners send them: the permitted values of each field, and the meaning of one report. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReportingPartner } from '../../../shared/reports/partner.ts';
import { parseReport, SPAM_KINDS } from '../../../shared/reports/report.ts';
import { isTestNumber, TEST_NUMBERS } from '../../../shared/test-numbers.ts';
import { holds } from '../support/properties.ts';
import { NOW } from './rule-world.ts';

const SKT: ReportingPartner = { id: 'skt', kind: 'subscriber', mock: false };
const MOCK: ReportingPartner = { id: 'lab', kind: 'subscriber', mock: true };
const REPORT = {
  ...{ reportId: 'R-1', from: '010-3000-0001', channel: 'sms', at: new Date(NOW).toISOString() },
  ...{ kind: 'gambling', origin: 'domestic', reporter: '010-9876-5432' },
};

function parse(more: object = {}, partner = SKT) {
  return parseReport({ ...REPORT, ...more }, NOW, partner);
}

/** Code and field of the error; null if there is none. */
function errorOf(more: object, partner = SKT): readonly string[] | null {
  const parsed = parse(more, partner);
  return parsed.ok ? null : [parsed.code, parsed.field];
}

describe('a report', () => {
  it('is parsed with everything that it has', () => {
    const more = {
      route: 'voip',
      relayCode: 'RELAY001',
      ingressOperator: '450-05',
      campaign: '0123456789abcdef',
      text: '[Web발신] 축하합니다!\n당첨 😀',
    };
    expect(parse(more)).toEqual({
      ok: true,
      value: {
        ...{ reportId: 'R-1', subject: { kind: 'number', n: 82_10_3000_0001 }, channel: 'sms', at: NOW },
        ...{ spam: 'gambling', origin: 'domestic', reporter: '+821098765432' },
        ...{ ...more, ingressOperator: '45005' },
      },
    });
  });

  it('counts a Korean number as domestic, whatever network its forged traffic came from', () => {
    const origin = 'overseas';
    expect(parse({ origin })).toMatchObject({ value: { origin: 'domestic' } });
    expect(parse({ origin, from: '+14155552671' })).toMatchObject({ value: { origin } });
    expect(parse({ origin, from: 'CASINO' })).toMatchObject({ value: { origin } });
  });

  it.each([
    [{ reportId: undefined }, 'FIELD_MISSING', 'reportId'],
    [{ reportId: 'a b' }, 'FIELD_VALUE', 'reportId'],
    [{ reportId: 'x'.repeat(65) }, 'FIELD_VALUE', 'reportId'],
    [{ reporter: undefined }, 'FIELD_MISSING', 'reporter'],
    [{ reporter: '' }, 'FIELD_VALUE', 'reporter'],
    [{ kind: 'spam' }, 'FIELD_VALUE', 'kind'],
    [{ channel: 'fax' }, 'FIELD_VALUE', 'channel'],
    [{ at: 'yesterday' }, 'FIELD_VALUE', 'at'],
    [{ at: '2026-02-31T00:00:00Z' }, 'FIELD_VALUE', 'at'],
    [{ from: '2123-4567' }, 'FIELD_VALUE', 'from'],
    [{ from: '010-3000' }, 'NUMBER_FORMAT_INVALID', 'from'],
    [{ from: '1335' }, 'FIELD_VALUE', 'from'],
    [{ from: '--' }, 'NUMBER_MISSING', 'from'],
    [{ from: '010-9999-9999-999' }, 'NUMBER_FORMAT_INVALID', 'from'],
    [{ from: '5112345678' }, 'NUMBER_AMBIGUOUS', 'from'],
    [{ from: 'BANK\u200b' }, 'FIELD_VALUE', 'from'],
    [{ campaign: 'ABCDEF0123456789' }, 'FIELD_VALUE', 'campaign'],
    [{ relayCode: 'relay' }, 'FIELD_VALUE', 'relayCode'],
    [{ ingressOperator: '45' }, 'FIELD_VALUE', 'ingressOperator'],
    [{ body: 'you have won' }, 'FIELD_UNKNOWN', 'body'],
    [{ text: 'x'.repeat(2_001) }, 'FIELD_VALUE', 'text'],
    [{ text: '\ud83d' }, 'FIELD_VALUE', 'text'],
    [{ text: 7 }, 'FIELD_TYPE', 'text'],
    [{ text: 'x', channel: 'voice' }, 'FIELD_CONTRADICTION', 'text'],
  ])('%j is refused', (more, code, field) => {
    expect(errorOf(more)).toEqual([code, field]);
  });

  it('of a part of a number is refused with words that fit', () => {
    expect(parse({ from: '010-00' })).toMatchObject({
      code: 'NUMBER_CHARACTER',
      message: expect.stringContaining('"from" is not one complete number'),
    });
  });

  it('is refused if it is no object', () => {
    expect(parseReport([], NOW, SKT)).toMatchObject({ code: 'FIELD_TYPE' });
    expect(parseReport(null, NOW, SKT)).toMatchObject({ code: 'FIELD_TYPE' });
  });

  it('never has the number of anybody in its error', () => {
    const values = fc.record(
      Object.fromEntries(
        Object.keys(REPORT).map((field) => [
          field,
          fc.constantFrom('010-0000-0001', '+821030000001', '0103000000199', 821030000001, null, 'loan'),
        ]),
      ),
      { requiredKeys: [] },
    );
    holds(
      fc.property(values, (more) => {
        const parsed = parse(more);
        if (!parsed.ok) expect(parsed.message).not.toMatch(/3000|0000/);
      }),
    );
  });
});

describe('a partner', () => {
  it('without people who receive anything does not report what is not spam', () => {
    for (const kind of ['model', 'honeypot'] as const) {
      expect(errorOf({ kind: 'notSpam' }, { ...SKT, kind })).toEqual(['REPORT_KIND_NOT_ALLOWED', 'kind']);
    }
    for (const kind of ['subscriber', 'operator', 'police', 'regulator'] as const) {
      for (const spam of SPAM_KINDS) expect(errorOf({ kind: spam }, { ...SKT, kind })).toBeNull();
    }
  });

  it('that is a mock reports test numbers, and nobody else does', () => {
    for (const { n } of TEST_NUMBERS) {
      expect(isTestNumber(n)).toBe(true);
      expect(errorOf({ from: `+${n}` })).toEqual(['NUMBER_IS_TEST', 'from']);
      expect(errorOf({ from: `+${n}` }, MOCK)).toBeNull();
    }
    for (const from of ['010-3000-0001', '010-0001-0000', 'BANK', '+12125550123']) {
      expect(errorOf({ from }, MOCK)).toEqual(['NUMBER_NOT_TEST', 'from']);
    }
  });
});

describe('the subject', () => {
  const subjectOf = (from: string) => {
    const parsed = parse({ from });
    return parsed.ok ? parsed.value.subject : null;
  };

  it('is the same for every spelling', () => {
    for (const from of [
      '+82 10-3000-0001',
      '０１０-３０００-０００１',
      'tel:+82-10-3000-0001',
      '82 1030000001',
    ]) {
      expect(subjectOf(from)).toEqual({ kind: 'number', n: 82_10_3000_0001 });
    }
  });

  it('of a sender ID is what a block of it matches', () => {
    // The second sender ID has a Cyrillic a.
    for (const from of ['PARCEL-KR', 'PАRCEL–kr']) {
      expect(subjectOf(from)).toEqual({ kind: 'source', text: 'parcel-kr' });
    }
  });
});

describe('the reporter', () => {
  const reporterOf = (reporter: string, id = 'skt') => {
    const parsed = parse({ reporter }, { ...SKT, id });
    return parsed.ok ? parsed.value.reporter : null;
  };

  it('with a number is the same person for every partner', () => {
    for (const text of ['010-9876-5432', '+82 10 9876 5432', '821098765432']) {
      expect([reporterOf(text), reporterOf(text, 'kt')]).toEqual(['+821098765432', '+821098765432']);
    }
    expect(reporterOf('+1 212 555 0123')).toBe('+12125550123');
  });

  it('with an ID is a person of the partner alone', () => {
    for (const text of ['u-17', '2125550123456', 'ab+82']) {
      expect(reporterOf(text)).toBe(`skt/${text}`);
      expect(reporterOf(text, 'kt')).toBe(`kt/${text}`);
    }
  });
});
