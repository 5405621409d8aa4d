/** Sender rules: one example of each rule, and no rule for anything else. */
import { describe, expect, it } from 'vitest';
import table from '../../../data/kr-sender-rules.json' with { type: 'json' };
import { parseParty } from '../../../shared/numbers/parse.ts';
import { senderRule } from '../../../shared/numbers/sender-rules.ts';

function ruleOf(text: string, owned: readonly string[] = []): string | null {
  const party = parseParty(text);
  if (party.kind === 'invalid' || party.kind === 'ambiguous') return expect.fail(`${text} is ${party.kind}`);
  return senderRule(party, owned);
}

describe('a sender', () => {
  it.each([
    ['011-234-5678', 'mobile-legacy'],
    ['016-1234-5678', 'mobile-legacy'],
    ['019-234-5678', 'mobile-legacy'],
    ['012-1234-5678', 'telemetry'],
    ['015-1234-5678', 'pager'],
    ['0505-123-4567', 'personal-050'],
    ['0507-1234-5678', 'personal-050'],
    ['02-1588-1234', 'representative-behind-area-code'],
    ['+82 31 1644 1234', 'representative-behind-area-code'],
    ['00308-123-456', 'toll-free-inbound'],
    ['112', 'short-code-not-owned'],
    ['1335', 'short-code-not-owned'],
    ['02-119', 'short-code-not-owned'],
    ['2123-4567', 'area-code-required'],
    ['ACME', 'alphanumeric-sender'],
    ['우리은행', 'alphanumeric-sender'],
    ['+1 212 555 1234', 'foreign-number'],
    ['00700 44 20 7946 0018', 'foreign-number'],
    ['02-120', 'digits-8-to-11'],
    ['031-120', 'digits-8-to-11'],
  ])('%s breaks %s', (text, rule) => {
    expect(ruleOf(text)).toBe(rule);
  });

  it.each([
    '010-1234-5678',
    '02-2345-6789',
    '031-234-5678',
    '070-1234-5678',
    '080-123-4567',
    '030-1234-5678',
    '030-1234-56789',
    '1588-1234',
    '+82 1588 1234',
  ])('%s breaks no rule', (text) => {
    expect(ruleOf(text)).toBeNull();
  });

  it('may be a short code that the client owns', () => {
    expect(ruleOf('1335', ['1366', '1335'])).toBeNull();
    expect(ruleOf('1335', ['1366'])).toBe('short-code-not-owned');
    expect(ruleOf('011-234-5678', ['1335'])).toBe('mobile-legacy');
  });
});

describe('a sender rule', () => {
  it('has a kebab-case id, one subject, a reason and a source', () => {
    const subjects = ['class', 'kind', 'digitsMin'];
    for (const row of table.rows) {
      expect(row.id).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
      expect(Object.keys(row).filter((field) => subjects.includes(field))).toHaveLength(1);
      expect(row.why.length > 0 && row.source.length > 0).toBe(true);
    }
  });
});
