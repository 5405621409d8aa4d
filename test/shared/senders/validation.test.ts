/** Errors of a registration, by field: every possible reason, and what a draft lacks. */
import { describe, expect, it } from 'vitest';
import { BLOCK_NUMBERS } from '../../../shared/numbers/blocks.ts';
import { krClassOf } from '../../../shared/numbers/plan.ts';
import { DOCUMENT_RULES } from '../../../shared/senders/documents.ts';
import {
  BASES,
  HOLDER_KINDS,
  type RegistrationContent,
  type RegistrationFacts,
} from '../../../shared/senders/registration.ts';
import { parseSenderNumbers } from '../../../shared/senders/sender-numbers.ts';
import { REASON_CODES, validateRegistration } from '../../../shared/senders/validation.ts';

const NOW = Date.UTC(2026, 10, 24);
const DIGEST = 'ab'.repeat(32);
const FACTS: RegistrationFacts = {
  ...{ organisation: 'acme', now: NOW, protectedNumbers: [82_1588_0000] },
  clients: [
    { id: 'one', mock: false },
    { id: 'two', mock: false },
    { id: 'test', mock: true },
  ],
};
const CONTENT: RegistrationContent = {
  ...{
    number: '+8215881234',
    basis: 'own',
    holder: { kind: 'organisation', name: 'Acme' },
    clients: ['one'],
  },
  proofs: [{ kind: 'serviceUse', sha256: DIGEST, reference: null, expires: null }],
  ...{ expires: null, reference: null },
};

function reasonsOf(rest: object): string[] {
  const parsed = validateRegistration({ ...CONTENT, ...rest }, FACTS);
  const reasons = parsed.ok ? parsed.value.missing : parsed.reasons;
  for (const { detail, help } of reasons) {
    expect(detail).toMatch(/^"/);
    expect(detail).not.toMatch(/\d{8}/);
    expect(help.length).toBeGreaterThan(10);
  }
  return reasons.map(({ field, code }) => `${field} ${code}`);
}

const proof = (rest: object) => ({ proofs: [{ ...CONTENT.proofs[0]!, ...rest }] });

const WRONG: readonly (readonly [string, object, string])[] = [
  ['a number that cannot exist', { number: '010-123-4567' }, 'number NUMBER_INVALID'],
  ['a local number', { number: '2123-4567' }, 'number NUMBER_INVALID'],
  ['a text', { number: 'ACME' }, 'number NUMBER_NO_SENDER'],
  ['a short code', { number: '1335' }, 'number NUMBER_NO_SENDER'],
  ['a number that can mean two', { number: '5112345678' }, 'number NUMBER_AMBIGUOUS'],
  ['an emergency number', { number: '112' }, 'number NUMBER_EMERGENCY'],
  ['one with an area code', { number: '02-119' }, 'number NUMBER_EMERGENCY'],
  ['a foreign number', { number: '+14155552671' }, 'number NUMBER_NO_SENDER'],
  ['a forwarding number', { number: '0505-123-4567' }, 'number NUMBER_NO_SENDER'],
  ['an old mobile number', { number: '011-234-5678' }, 'number NUMBER_NO_SENDER'],
  ['a pager', { number: '015-234-5678' }, 'number NUMBER_NO_SENDER'],
  ['a number of an unused block', { number: '010-0000-0003' }, 'number NUMBER_NOT_ALLOCATED'],
  ['a protected number', { number: '1588-0000' }, 'number NUMBER_PROTECTED'],
  ['a range with a protected number', { number: '1588-0000..1588-0009' }, 'number NUMBER_PROTECTED'],
  ['a range that ends before it begins', { number: '1588-0009..1588-0001' }, 'number RANGE_ORDER'],
  ['a range across blocks', { number: '+82221239999..+82221240000' }, 'number RANGE_ACROSS_BLOCKS'],
  ['a range of three', { number: '1588-0001..1588-0002..1588-0003' }, 'number NUMBER_INVALID'],
  ['a client of another organisation', { clients: ['other'] }, 'clients.0 CLIENT_UNKNOWN'],
  ['a client twice', { clients: ['one', 'one'] }, 'clients.1 CLIENT_REPEATED'],
  ['mock and real clients', { clients: ['one', 'test'] }, 'clients CLIENT_MOCK'],
  ['a proof without a digest', proof({ sha256: 'scan.pdf' }), 'proofs.0.sha256 PROOF_DIGEST'],
  ['a proof that has ended', proof({ expires: '2026-11-23T00:00:00Z' }), 'proofs.0.expires PROOF_EXPIRED'],
  ['a day that does not exist', proof({ expires: '2027-02-31T00:00:00Z' }), 'proofs.0.expires TIME_INVALID'],
  ['an end in the past', { expires: '2026-11-23T00:00:00Z' }, 'expires EXPIRES_PAST'],
  ['an end that is no time', { expires: 'soon' }, 'expires TIME_INVALID'],
  ['a company as staff', { basis: 'staff' }, 'holder.kind HOLDER_KIND'],
];

describe('validation', () => {
  it.each(WRONG)('finds %s', (_what, rest, reason) => {
    expect(reasonsOf(rest)).toContain(reason);
  });

  it.each([
    [
      '011-234-5678',
      'because a mobile sender must be 010: the 2G service behind 011, 016, 017, 018 and 019 has ended',
    ],
    ['015-234-5678', 'because 015 pagers only receive'],
  ])('says why %s cannot be a sender, in one sentence', (number, why) => {
    const checked = validateRegistration({ ...CONTENT, number }, FACTS);
    const detail = `"number" cannot be a sender, ${why}`;
    expect(checked).toMatchObject({ ok: false, reasons: [{ code: 'NUMBER_NO_SENDER', detail }] });
  });

  it('finds everything that is wrong at once, and what is missing', () => {
    const rest = { number: '010-123-4567', clients: ['other'], proofs: [], expires: 'soon' };
    expect(reasonsOf(rest)).toEqual([
      ...[
        'clients.0 CLIENT_UNKNOWN',
        'number NUMBER_INVALID',
        'expires TIME_INVALID',
        'proofs PROOF_MISSING',
      ],
    ]);
  });

  it('has a test for every code but those of the form, of the store and of certificates', () => {
    const tested = new Set(WRONG.map(([, , reason]) => reason.split(' ')[1]));
    const others = REASON_CODES.filter((code) => !tested.has(code) && !/^(FIELD|CERTIFICATE)_/.test(code));
    expect(others.sort()).toEqual(['PAIRS_TOO_MANY', 'PROOF_MISSING', 'RANGES_TOO_MANY', 'REFERENCE_TAKEN']);
  });

  it('writes numbers in E.164, times in UTC, clients in order, and finds the earliest end', () => {
    const rest = {
      ...{ number: '02-2123-0000 .. 02-2123-0099', clients: ['two', 'one'], expires: '2027-03-01T00:00:00Z' },
      ...proof({ sha256: DIGEST.toUpperCase(), expires: '2027-01-31T09:00:00+09:00' }),
    };
    const parsed = validateRegistration({ ...CONTENT, ...rest }, FACTS);
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        content: {
          ...{
            number: '+82221230000..+82221230099',
            clients: ['one', 'two'],
            expires: '2027-03-01T00:00:00.000Z',
          },
          proofs: [{ sha256: DIGEST, expires: '2027-01-31T00:00:00.000Z' }],
        },
        ...{ numbers: { from: 82_2_2123_0000, to: 82_2_2123_0099 }, isMock: false, missing: [] },
        endsAt: Date.UTC(2027, 0, 31),
      },
    });
  });

  it('accepts numbers that nobody has for mock clients, and for nobody else', () => {
    expect(reasonsOf({ number: '010-0000-0003', clients: ['test'] })).toEqual([]);
    expect(reasonsOf({ number: '010-0001-0003', clients: ['test'] })).toEqual([
      'number NUMBER_NOT_ALLOCATED',
    ]);
  });

  it('requires the documents of each basis, and one rule matches each line', () => {
    for (const basis of BASES) {
      for (const kind of HOLDER_KINDS) {
        for (const [line, number] of [
          ['mobile', '010-2000-5036'],
          ['other', '02-2123-4567'],
        ] as const) {
          const rules = DOCUMENT_RULES.filter(
            (rule) => rule.basis === basis && rule.holder === kind && (rule.line ?? line) === line,
          );
          const rest = { basis, number, holder: { kind, name: 'Kim' }, proofs: [] };
          expect(rules.length).toBeLessThanOrEqual(1);
          const missing = rules[0]?.proofs.map(() => 'proofs PROOF_MISSING') ?? ['holder.kind HOLDER_KIND'];
          expect(reasonsOf(rest)).toEqual(missing);
        }
      }
    }
  });
});

describe('the numbers of a registration', () => {
  it('have one class in each block that a range can have', () => {
    // A class depends on at most five digits after +82. Longer numbers share these digits with the rest of their block.
    let blocks = 0;
    for (let block = 82_0000; block <= 82_9999; block++) {
      const from = block * BLOCK_NUMBERS;
      const classes = new Set(Array.from({ length: 10 }, (_, digit) => krClassOf(from + digit * 1_000)));
      if (!parseSenderNumbers(`+${from}..+${from + BLOCK_NUMBERS - 1}`, [], false).ok) continue;
      expect([block, classes.size]).toEqual([block, 1]);
      blocks++;
    }
    expect(blocks).toBeGreaterThan(100);
  });
});
