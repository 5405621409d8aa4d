/**
 * The rules of a chain of credentials, compared with a plain model: any links, dates, numbers, scopes and statuses, in any
 * order.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkToken, linksOf, type TokenUse } from '../../../shared/credentials/chain.ts';
import type { CredentialRow } from '../../../shared/credentials/credential-table.ts';
import type { SenderToken } from '../../../shared/credentials/sender-token.ts';
import { CHANNELS } from '../../../shared/request.ts';
import { NOW_S, NUMBER } from '../support/credential-world.ts';
import { holds } from '../support/properties.ts';

const ORGANISATIONS = ['acme', 'reseller', 'relay', 'other'] as const;
/** All organisations but one have a sender code. */
const CODES: Readonly<Record<string, string>> = { acme: 'ACME0001', reseller: 'RSLL0001', relay: 'RLAY0001' };
const STATUSES = ['valid', 'revoked', 'suspended', 'rateReduced', 'stale', null] as const;
const KEY = { alg: 'EdDSA', bytes: new Uint8Array(32) } as const;
const NAMES = ['a', 'b', 'c', 'd'];

/** Prefers good values, so that many whole chains are good. */
const mostly = <Value>(good: Value, ...others: readonly Value[]): fc.Arbitrary<Value> =>
  fc.oneof(
    { arbitrary: fc.constant(good), weight: 12 },
    { arbitrary: fc.constantFrom(good, ...others), weight: 1 },
  );

/** Dates are relative to now. They cover both sides of each end, including the skew of 60 s. */
const row = (place: number): fc.Arbitrary<CredentialRow & { readonly status: (typeof STATUSES)[number] }> =>
  fc
    .record({
      digest: mostly(NAMES[place]!, ...NAMES),
      principal: mostly(place === 0 ? null : NAMES[place - 1]!, ...NAMES, null),
      organisation: mostly(ORGANISATIONS[place]!, ...ORGANISATIONS),
      nbf: mostly(-3_600, 60, 61).map((offset) => NOW_S + offset),
      exp: mostly(3_600, -59, -60, -61).map((offset) => NOW_S + offset),
      first: mostly(NUMBER, NUMBER + 1, NUMBER - 5),
      count: mostly(1, 6),
      scope: mostly<readonly ('sms' | 'voice')[]>([...CHANNELS], ['sms'], []),
      status: mostly(...STATUSES),
    })
    .map(({ first, count, ...some }) => ({
      ...some,
      kind: some.principal === null ? ('certificate' as const) : ('delegation' as const),
      spans: [{ from: first, to: first + count - 1 }],
      ...{ key: KEY, statusUri: 'list', statusIndex: place },
    }));

const chain = fc
  .integer({ min: 1, max: 4 })
  .chain((length) => fc.tuple(...Array.from({ length }, (_, place) => row(place))));
type Rows = readonly (CredentialRow & { readonly status: (typeof STATUSES)[number] })[];

const token: fc.Arbitrary<SenderToken> = fc.record({
  audience: mostly('acme', 'acme/main', 'other'),
  from: mostly(-70, 0, 1).map((offset) => NOW_S + offset),
  until: mostly(360, 1, 0).map((offset) => NOW_S + offset),
  number: mostly(NUMBER, NUMBER + 1),
  senderCode: mostly<string | null>('ACME0001', 'RSLL0001', 'RLAY0001', 'NOBODY01', null),
  chain: fc.constant([]),
});

/** The rules for the links of a whole chain. */
function modelOfLinks(found: readonly (CredentialRow | null)[]): string {
  const [first, ...rest] = found;
  if (first === undefined || first === null || first.principal !== null) return 'CERTIFICATE_INVALID';
  for (const [at, link] of rest.entries()) {
    const before = found.slice(0, at + 1).map((each) => each!);
    if (link === null || link.principal !== before.at(-1)!.digest) return 'DELEGATION_MISSING';
    if (before.some(({ organisation }) => organisation === link.organisation)) return 'DELEGATION_MISSING';
  }
  return 'links';
}

/** Every rule that one link breaks, in the order in which the rules decide. */
function modelOfLink(link: Rows[number], n: number, channel: string): string[] {
  const of = link.kind === 'certificate' ? 'CERTIFICATE' : 'DELEGATION';
  const [{ from, to }] = link.spans as [{ from: number; to: number }];
  const rules: [boolean, string][] = [
    [NOW_S + 60 < link.nbf, of === 'CERTIFICATE' ? 'CERTIFICATE_NOT_YET_VALID' : 'DELEGATION_MISSING'],
    [NOW_S - 60 >= link.exp, `${of}_EXPIRED`],
    [n < from || n > to, 'CERTIFICATE_MISMATCH'],
    [of === 'DELEGATION' && !link.scope.some((each) => each === channel), 'DELEGATION_MISSING'],
    [link.status === 'revoked', `${of}_REVOKED`],
    [link.status === 'suspended', `${of}_SUSPENDED`],
  ];
  return rules.filter(([isBroken]) => isBroken).map(([, code]) => code);
}

function model(presented: SenderToken, rows: Rows, n: number | null, channel: string): string {
  const codes = rows.flatMap(({ organisation }) => CODES[organisation] ?? []);
  const isNamed = presented.senderCode === null ? codes.length === 0 : codes.includes(presented.senderCode);
  const rules: [boolean, string][] = [
    [presented.audience === 'other', 'TOKEN_AUDIENCE'],
    [presented.until <= NOW_S, 'TOKEN_EXPIRED'],
    [presented.from > NOW_S, 'TOKEN_INVALID'],
    [!isNamed, 'TOKEN_INVALID'],
    [n !== presented.number, 'CERTIFICATE_MISMATCH'],
  ];
  const broken = rules.filter(([isBroken]) => isBroken).map(([, code]) => code);
  const all = [...broken, ...(n === null ? [] : rows.flatMap((link) => modelOfLink(link, n, channel)))];
  if (all.length > 0) return all[0]!;
  const unknown = rows.map(({ status }) => status).find((status) => status === 'stale' || status === null);
  if (unknown !== undefined) return unknown === null ? 'LIST_UNAVAILABLE' : 'LIST_STALE';
  return rows.some(({ status }) => status === 'rateReduced') ? 'reduced' : 'permits';
}

function use(rows: Rows, number: number | null, channel: 'sms' | 'voice'): TokenUse {
  return {
    ...{ nowS: NOW_S, number, channel, audiences: ['acme', 'acme/main'] },
    statusOf: ({ statusIndex }) => rows.find((link) => link.statusIndex === statusIndex)!.status,
    senderCodeOf: (organisation) => CODES[organisation] ?? null,
  };
}

describe('a chain of credentials', () => {
  it('has links exactly if each rests on the previous one, and no organisation is in it twice', () => {
    const found: Record<string, number> = {};
    const withGaps = fc.tuple(chain, fc.option(fc.nat(3), { freq: 10 }));
    holds(
      fc.property(withGaps, ([rows, gap]) => {
        const given = rows.map((link, at) => (at === gap ? null : link));
        const links = linksOf(given);
        const result = links.ok ? 'links' : links.code;
        expect(result).toBe(modelOfLinks(given));
        if (links.ok) expect(links.value).toEqual(rows);
        found[result] = (found[result] ?? 0) + 1;
      }),
      { numRuns: 1_000 },
    );
    expect(Object.keys(found).sort()).toEqual(['CERTIFICATE_INVALID', 'DELEGATION_MISSING', 'links']);
    expect(linksOf([])).toMatchObject({ code: 'CERTIFICATE_INVALID' });
  });

  it('permits what a plain model permits, and is refused with the same code', () => {
    const found: Record<string, number> = {};
    const n = fc.option(mostly(NUMBER, NUMBER + 1), { freq: 20 });
    holds(
      fc.property(chain, token, n, fc.constantFrom(...CHANNELS), (rows, presented, number, channel) => {
        const result = checkToken(presented, rows, use(rows, number, channel));
        const permits = result.kind === 'permits' && (result.isRateReduced ? 'reduced' : 'permits');
        const name = permits || (result.kind === 'permits' ? '' : result.code);
        expect(name).toBe(model(presented, rows, number, channel));
        found[name] = (found[name] ?? 0) + 1;
      }),
      { numRuns: 2_500 },
    );
    // The generated chains cover every result.
    expect(Object.keys(found).sort()).toEqual([
      ...['CERTIFICATE_EXPIRED', 'CERTIFICATE_MISMATCH', 'CERTIFICATE_NOT_YET_VALID', 'CERTIFICATE_REVOKED'],
      ...['CERTIFICATE_SUSPENDED', 'DELEGATION_EXPIRED', 'DELEGATION_MISSING', 'DELEGATION_REVOKED'],
      ...['DELEGATION_SUSPENDED', 'LIST_STALE', 'LIST_UNAVAILABLE', 'TOKEN_AUDIENCE', 'TOKEN_EXPIRED'],
      ...['TOKEN_INVALID', 'permits', 'reduced'],
    ]);
  });
});
