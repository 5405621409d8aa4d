/** Tokens of appeals, the texts that people read, and the permitted content of an appeal. */
import { describe, expect, it } from 'vitest';
import { APPEAL_STATES, REJECTIONS, submitAppealSchema } from '../../../shared/appeals/appeal.ts';
import { openTicket, sealTicket, UNMATCHED } from '../../../shared/appeals/appeal-token.ts';
import { meaningOf, REJECTION_TEXTS, STATE_TEXTS } from '../../../shared/appeals/texts.ts';
import { APPEAL_STATEMENT_CHARS_MAX, APPEAL_TOKEN_CHARS } from '../../../shared/limits/appeals.ts';
import { sealReference } from '../../../shared/screening/appeal-reference.ts';
import { validateJson } from '../../../shared/validate-json.ts';
import { AGAINST_CODES } from '../../../shared/verdict.ts';
import { otherKeys } from '../support/other-keys.ts';
import { testKeys } from '../support/test-keys.ts';

const { appealKey: key } = testKeys;

describe('a token', () => {
  it.each([17, 2 ** 53 - 1, UNMATCHED])('of appeal %i opens with its own key alone', (id) => {
    const ticket = { id, at: 1_795_489_929_123 };
    const token = sealTicket(ticket, key);
    expect(token).toHaveLength(APPEAL_TOKEN_CHARS);
    expect(openTicket(token, key)).toEqual(ticket);
    expect(openTicket(token, otherKeys.appealKey)).toBeNull();
  });

  it('is never the same twice, and no reference is one', () => {
    const ticket = { id: UNMATCHED, at: 0 };
    expect(sealTicket(ticket, key)).not.toBe(sealTicket(ticket, key));
    const reference = sealReference(
      { subject: 'to', party: 1, seq: 1, list: 'live', code: 'NUMBER_SUSPENDED', authority: 'kt-12345' },
      key,
    );
    expect(openTicket(reference, key)).toBeNull();
  });
});

describe('a text for people', () => {
  const texts = [
    ...[...APPEAL_STATES, 'unmatched' as const].map((state) => [state, STATE_TEXTS[state]] as const),
    ...REJECTIONS.map((code) => [code, REJECTION_TEXTS[code]] as const),
    ...AGAINST_CODES.map((code) => [code, meaningOf(code)] as const),
  ];

  it.each(texts)('of %s is Korean and English', (_, { ko, en }) => {
    expect(ko).toMatch(/^[가-힣0-9A-Za-z .,]+[.]$/);
    expect(ko).toMatch(/(?:니다|요)\.$/);
    expect(en).toMatch(/^[A-Z][ -~]+\.$/);
  });
});

describe('an appeal', () => {
  const appeal = { reference: 'abc_-1', statement: 'It is mine' };

  it('may have several lines; what nobody sees becomes a space', () => {
    const statement = ' 우리 회사\r\n대표번호입니다\u0007\u202e. ';
    const parsed = validateJson(submitAppealSchema, { ...appeal, statement });
    expect(parsed).toMatchObject({ ok: true, value: { statement: '우리 회사\n대표번호입니다  .' } });
  });

  it('has its contact in one line, so that none of it passes for a line of the service', () => {
    const contact = 'me@example.kr\n  accepted by token:root\r\n';
    const parsed = validateJson(submitAppealSchema, { ...appeal, contact });
    expect(parsed).toMatchObject({ ok: true, value: { contact: 'me@example.kr   accepted by token:root' } });
  });

  it.each([
    [{ reference: undefined }, 'reference', 'FIELD_MISSING'],
    [{ reference: 'a b' }, 'reference', 'FIELD_VALUE'],
    [{ statement: '  ' }, 'statement', 'FIELD_VALUE'],
    [{ statement: 'a'.repeat(APPEAL_STATEMENT_CHARS_MAX + 1) }, 'statement', 'FIELD_VALUE'],
    [{ contact: 7 }, 'contact', 'FIELD_TYPE'],
    [{ email: 'a@b' }, 'email', 'FIELD_UNKNOWN'],
  ])('with %j is refused by its field', (change, field, code) => {
    expect(validateJson(submitAppealSchema, { ...appeal, ...change })).toMatchObject({ path: [field], code });
  });
});
