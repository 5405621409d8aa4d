/** The rule engine compared with a plain, slow model, over random streams of reports, repeats, withdrawals and resets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignReporters } from '../../../shared/reports/assign.ts';
import { durationMs } from '../../../shared/reports/duration.ts';
import { type CountedReport, confirms, evaluate } from '../../../shared/reports/evaluate.ts';
import { PARTNER_KINDS, type PartnerKind } from '../../../shared/reports/partner.ts';
import type { Rule } from '../../../shared/reports/rule.ts';
import { holds } from '../support/properties.ts';
import { defaultRule, HOUR, MINUTE, NEW_PARTNERS, NOW, report, reports } from './rule-world.ts';

/** The kinds of four partners: two limited ones of the same kind, a limited one of another kind, and an unlimited one. */
const KINDS: Readonly<Record<string, PartnerKind>> = {
  ...({ skt: 'subscriber', kt: 'subscriber', model: 'model', police: 'police' } as const),
};
const PARTNERS = Object.keys(KINDS);

type Event =
  | { readonly kind: 'report'; readonly report: CountedReport }
  /** The partner repeats or withdraws an earlier report. */
  | { readonly kind: 'repeat' | 'withdraw'; readonly index: number }
  /** A person has lifted a block. */
  | { readonly kind: 'reset'; readonly at: number };

const time = fc.integer({ min: -90, max: 1 }).map((minutes) => NOW + minutes * MINUTE);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .record({
        reporter: fc.integer({ min: 1, max: 14 }).map((n) => `person ${n}`),
        partner: fc.constantFrom(...PARTNERS),
        spam: fc.constantFrom('gambling', 'loan', 'phishing', 'other', 'adult', 'finance', 'notSpam'),
        channel: fc.constantFrom('sms', 'voice'),
        origin: fc.constantFrom('domestic', 'overseas'),
        at: time,
      })
      .map(
        (fields): Event => ({
          kind: 'report',
          report: { ...fields, kind: KINDS[fields.partner]! } as CountedReport,
        }),
      ),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), index: fc.nat(40) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), index: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), at: time }) },
);

const rule: fc.Arbitrary<Rule> = fc
  .record({
    channel: fc.constantFrom('sms', 'any', 'any'),
    origin: fc.constantFrom('overseas', 'any', 'any'),
    window: fc.constantFrom('20m', '1h', '2h'),
    distinct: fc.integer({ min: 1, max: 8 }),
    kinds: fc.oneof(fc.constant([...PARTNER_KINDS]), fc.subarray([...PARTNER_KINDS], { minLength: 1 })),
    maxShare: fc.constantFrom(0.2, 0.34, 0.5, 1),
    weightMin: fc.constantFrom(0, 0.5, 1, 1.5),
    state: fc.constantFrom('active', 'active', 'shadow', 'off'),
  })
  .map((fields) => ({ ...defaultRule('kr-50'), ...fields }) as Rule);

const weights = fc
  .tuple(...PARTNERS.map(() => fc.constantFrom(0.25, 0.5, 1, 2)))
  .map((values) => new Map(PARTNERS.map((partner, i) => [partner, values[i]!])));

/** What remains of a stream: the reports, and the time of the last reset of the subject. */
function settle(events: readonly Event[]): { left: CountedReport[]; resetAt: number } {
  const sent: (CountedReport | null)[] = [];
  let resetAt = 0;
  for (const each of events) {
    if (each.kind === 'report') sent.push(each.report);
    else if (each.kind === 'reset') resetAt = Math.max(resetAt, each.at);
    else if (each.kind === 'withdraw' && each.index < sent.length) sent[each.index] = null;
    else if (each.kind === 'repeat') sent.push(sent[each.index] ?? null);
  }
  return { left: sent.filter((one) => one !== null), resetAt };
}

/** Every subset of the partners. */
const SETS = Array.from({ length: 2 ** PARTNERS.length }, (_, bits) =>
  PARTNERS.filter((_, i) => ((bits >> i) & 1) === 1),
);

/**
 * The most reporters that can count. By König's theorem, this is the minimum over all sets of partners of the sum of their
 * bounds plus the reporters that other partners have too.
 */
function mostReporters(
  partnersOf: readonly (readonly string[])[],
  bound: (partner: string) => number,
): number {
  return Math.min(
    ...SETS.map(
      (set) =>
        set.reduce((sum, partner) => sum + bound(partner), 0) +
        partnersOf.filter((partners) => partners.some((partner) => !set.includes(partner))).length,
    ),
  );
}

/** The specification, word for word. */
function modelOf(
  rule: Rule,
  given: readonly CountedReport[],
  weights: ReadonlyMap<string, number>,
  resetAt: number,
) {
  const isUnlimited = (partner: string) => KINDS[partner] === 'police';
  const bound = (partner: string) =>
    isUnlimited(partner) ? 1_000 : Math.floor(Number((rule.maxShare * rule.distinct).toFixed(6)));
  const inWindow = given.filter(
    ({ at, channel }) =>
      at > NOW - durationMs(rule.window) &&
      at >= resetAt &&
      (rule.channel === 'any' || rule.channel === channel),
  );
  const partnersOf = (kind: 'spam' | 'notSpam'): string[][] =>
    [...new Set(inWindow.map(({ reporter }) => reporter))]
      .map((reporter) =>
        PARTNERS.filter((partner) => {
          const theirs = inWindow.filter((one) => one.reporter === reporter && one.partner === partner);
          if (theirs.length === 0 || bound(partner) === 0) return false;
          const newest = Math.max(...theirs.map(({ at }) => at));
          const isNot = theirs.some(({ at, spam }) => at === newest && spam === 'notSpam');
          if (kind === 'notSpam') return isNot;
          return (
            !isNot &&
            rule.kinds.includes(KINDS[partner]!) &&
            theirs.some(
              ({ spam, origin }) => spam !== 'notSpam' && (rule.origin === 'any' || rule.origin === origin),
            )
          );
        }),
      )
      .filter((partners) => partners.length > 0);
  const spam = partnersOf('spam');
  const deciding = PARTNERS.filter((partner) => spam.some((partners) => partners.includes(partner)));
  const distinct = mostReporters(spam, bound);
  const notSpam = mostReporters(partnersOf('notSpam'), bound);
  const weight = deciding.reduce((sum, partner) => sum + weights.get(partner)!, 0);
  return {
    fires: rule.state !== 'off' && distinct - notSpam >= rule.distinct && weight >= rule.weightMin,
    ...{ distinct, notSpam, weight },
    kinds: PARTNER_KINDS.filter((kind) => deciding.some((partner) => KINDS[partner] === kind)),
  };
}

describe('a rule', () => {
  it('counts as the plain model does, in any order of the reports', () => {
    let fired = 0;
    holds(
      fc.property(fc.array(event, { maxLength: 60, size: 'max' }), rule, weights, (events, rule, weights) => {
        const { left, resetAt } = settle(events);
        const { byPartner, ...found } = evaluate(rule, left, weights, NOW, resetAt);
        expect(found).toEqual(modelOf(rule, left, weights, resetAt));
        expect(Object.values(byPartner).reduce((sum, count) => sum + count, 0)).toBe(found.distinct);
        expect(evaluate(rule, left.toReversed(), weights, NOW, resetAt)).toEqual({ ...found, byPartner });
        if (found.fires) fired++;
      }),
      { numRuns: 500 },
    );
    expect(fired).toBeGreaterThan(10);
  });

  it('gives no partner more than its share, whatever the others report', () => {
    holds(
      fc.property(fc.array(event, { maxLength: 60, size: 'max' }), rule, (events, rule) => {
        const { byPartner } = evaluate(rule, settle(events).left, new Map(), NOW);
        for (const [partner, count] of Object.entries(byPartner)) {
          if (partner !== 'police') expect(count).toBeLessThanOrEqual(rule.maxShare * rule.distinct + 1e-6);
        }
      }),
    );
  });

  it('counts no fewer reporters when one more reports', () => {
    holds(
      fc.property(fc.array(event, { maxLength: 40, size: 'max' }), rule, time, (events, rule, at) => {
        const { left } = settle(events);
        const { distinct } = evaluate(rule, left, new Map(), NOW);
        const more = left.concat(report('skt', 'person 99', { at }));
        expect(evaluate(rule, more, new Map(), NOW).distinct).toBeGreaterThanOrEqual(distinct);
      }),
    );
  });

  it('rests on each partner with the weight of its record, and with the least one if it has none', () => {
    const given = ['skt', 'kt', 'unknown'].flatMap((partner) => reports(partner, 20));
    const { weight } = evaluate(defaultRule('kr-50'), given, NEW_PARTNERS, NOW);
    expect(weight).toBe(0.5 + 0.5 + 0.25);
  });
});

describe('reporters of several partners', () => {
  it('count for the partner that leaves most others in', () => {
    // a and b share three reporters. Only if these count for b does a have room for its own two.
    const groups = new Map([
      ['a b', 3],
      ['a', 2],
      ['b c', 2],
    ]);
    expect(Object.fromEntries(assignReporters(groups, () => 3))).toEqual({ a: 3, b: 3, c: 1 });
  });

  it('take little time, also if each reports through other partners', () => {
    const names = Array.from({ length: 24 }, (_, i) => `partner-${i + 10}`);
    const crowd = new Map<string, number>();
    for (let i = 1; i <= 4_000; i++) {
      const partners = names.filter((_, bit) => (Math.imul(i, 2_654_435_761) >>> bit) & 1);
      crowd.set(partners.join(' '), 1);
    }
    const counts = assignReporters(crowd, () => 100);
    expect([...counts.values()].every((count) => count === 100)).toBe(true);
  });
});

describe('confirmation', () => {
  const rule = defaultRule('kr-50');
  const since = NOW - HOUR;
  const weights = new Map([...NEW_PARTNERS, ['kisa', 1], ['trap', 0.4]]);

  it('takes one report of another kind, not of the kinds that decided', () => {
    const model = report('kisa', 'r', { kind: 'model' });
    expect(confirms(rule, ['subscriber'], [model], weights, since)).toBe(true);
    expect(confirms(rule, ['subscriber', 'model'], [model], weights, since)).toBe(false);
    expect(confirms(rule, ['subscriber'], reports('skt', 100), weights, since)).toBe(false);
  });

  it('takes a fifth of the reporters from subscribers', () => {
    expect(confirms(rule, ['model'], reports('skt', 9), weights, since)).toBe(false);
    expect(confirms(rule, ['model'], reports('skt', 10), weights, since)).toBe(true);
  });

  it('takes none that was too early, that says it is not spam, or of a partner with a poor record', () => {
    for (const more of [{ at: since - 1 }, { spam: 'notSpam' as const }]) {
      const late = report('kisa', 'r', { kind: 'police', ...more });
      expect(confirms(rule, ['subscriber'], [late], weights, since)).toBe(false);
    }
    const poor = report('trap', 'r', { kind: 'honeypot' });
    expect(confirms(rule, ['subscriber'], [poor], weights, since)).toBe(false);
  });
});
