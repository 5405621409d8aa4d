/**
 * The verdict, as tables: which list overrides which, and the effects of missing data, old data and client
 * settings. A number is named by its lists.
 */
import { describe, expect, it } from 'vitest';
import type { Party } from '../../../shared/numbers/party.ts';
import type { ScreenRequest } from '../../../shared/request.ts';
import { type CheckResponse, formatDecision } from '../../../shared/screening/check-response.ts';
import { screen } from '../../../shared/screening/screen.ts';
import type { ClientSettings } from '../../../shared/screening/snapshot.ts';
import { TEST_NUMBER_BASE, TEST_NUMBERS } from '../../../shared/test-numbers.ts';
import { CODES, type Verdict } from '../../../shared/verdict.ts';
import { MISSING, OLD, PRECEDENCE } from '../support/screen-tables.ts';
import {
  clientSettings,
  NOW,
  number,
  on,
  type Place,
  shortCode,
  snapshot,
  source,
  UNTIL,
} from '../support/screen-world.ts';

const FRESH = snapshot();

function check(
  fields: { from?: Party; to?: Party; channel?: 'sms' | 'voice' },
  at = FRESH,
  settings: Partial<ClientSettings> = {},
): CheckResponse {
  // Korea's sender rules would block sender IDs before their lookup.
  const senderRules = fields.from?.kind === 'source' ? 'none' : 'kr';
  const request: ScreenRequest = {
    ...{ from: null, to: null, ingress: null, channel: 'sms', otherReadings: [] },
    ...fields,
  };
  return formatDecision(request, screen(request, at, clientSettings({ senderRules, ...settings })), at);
}
const codes = ({ reasons }: CheckResponse): string[] => reasons.map(({ code }) => code);
/** The part of a response that a client acts on: the verdict and the codes, the deciding one first. */
const summarize = (answer: CheckResponse): string => [answer.verdict, ...codes(answer)].join(' ');

describe('a number on the lists', () => {
  it.each(PRECEDENCE)('%j: %s', (places, want) => {
    for (const subject of ['from', 'to'] as const) {
      const answer = check({ [subject]: on(...places) });
      expect(summarize(answer)).toBe(want);
      expect(answer.subject).toBe(places.length === 0 ? null : subject);
    }
  });

  it('lists the deciding exact entry before the range', () => {
    const { reasons } = check({ to: on('allowExact', 'allowRange', 'blockExact') });
    expect(reasons.map(({ match }) => match)).toEqual(['exact', 'exact', 'range']);
    expect(reasons[0]).toMatchObject({
      list: 'allowed',
      effect: 'allow',
      authority: 'test',
      until: null,
      subject: 'to',
    });
  });

  it('counts only for the subjects of the list', () => {
    expect(summarize(check({ from: on('senderOnly') }))).toBe('block SENDER_NOT_REGISTERED');
    expect(summarize(check({ to: on('senderOnly') }))).toBe('allow');
  });
});

describe('a rule', () => {
  const unused = (last: number): Party => number(829_900_000_000 + last);
  const personal = (last: number): Party => number(825_012_345_678 + last);

  it('blocks numbers outside the numbering plan, after every list', () => {
    expect(summarize(check({ to: unused(0) }))).toBe('block NUMBER_FORMAT_INVALID');
    expect(summarize(check({ to: unused(1) }))).toBe('allow ALLOW_OVERRIDE NUMBER_FORMAT_INVALID');
    expect(summarize(check({ to: unused(2) }))).toBe('block NUMBER_SUSPENDED NUMBER_FORMAT_INVALID');
    expect(check({ to: unused(0) }).reasons[0]).toMatchObject({
      match: 'rule',
      list: 'numbering-plan',
      authority: null,
    });
  });

  it('blocks senders of the wrong form in texts only, after every list', () => {
    expect(summarize(check({ from: personal(0) }))).toBe('block SENDER_FORMAT_RULE');
    expect(summarize(check({ from: personal(1) }))).toBe('allow ALLOW_OVERRIDE SENDER_FORMAT_RULE');
    expect(summarize(check({ from: personal(2) }))).toBe('block NUMBER_UNALLOCATED SENDER_FORMAT_RULE');
    expect(summarize(check({ from: personal(0), channel: 'voice' }))).toBe('allow');
    expect(summarize(check({ to: personal(0) }))).toBe('allow');
  });

  it('allows a short code as sender only for its owner', () => {
    expect(summarize(check({ from: shortCode('1335') }))).toBe('block SENDER_FORMAT_RULE');
    expect(summarize(check({ from: shortCode('1335') }, FRESH, { shortCodes: ['1335'] }))).toBe('allow');
    expect(summarize(check({ from: shortCode('112') }))).toBe('block SENDER_FORMAT_RULE');
    expect(summarize(check({ to: shortCode('1335') }))).toBe('allow');
  });
});

describe('an emergency number that is called', () => {
  it.each(['112', '119'])('%s is never blocked, whoever calls and whatever is missing', (code) => {
    for (const from of [on('blockExact'), number(5), source('KB-BANK')]) {
      for (const release of ['whole', 'none', 'withoutShards'] as const) {
        const answer = check({ from, to: shortCode(code), channel: 'voice' }, snapshot(release, NOW, 1e6));
        expect([answer.verdict, answer.subject, codes(answer)[0]]).toEqual([
          'allow',
          'to',
          'EMERGENCY_NEVER_BLOCKED',
        ]);
      }
    }
  });

  it('still reports the other reasons', () => {
    expect(summarize(check({ from: on('blockExact'), to: shortCode('112') }))).toBe(
      'allow EMERGENCY_NEVER_BLOCKED NUMBER_SUSPENDED',
    );
  });
});

describe('a source', () => {
  it('is looked up folded among sources, as sender only', () => {
    const answer = check({ from: source('ＫＢ-Bank ') });
    expect(summarize(answer)).toBe('block OVERSEAS_SOURCE_LISTED');
    expect(answer.reasons[0]).toMatchObject({ match: 'source', list: 'overseas-sources' });
    expect(answer.from).toBe('ＫＢ-Bank ');
    expect(summarize(check({ from: source('kb-bank2') }))).toBe('allow');
    expect(summarize(check({ to: source('kb-bank') }))).toBe('allow');
  });

  it('needs only the source table, which nothing else needs', () => {
    expect(summarize(check({ from: source('anyone') }, snapshot('withoutSources')))).toBe(
      'indeterminate LIST_UNAVAILABLE',
    );
    expect(summarize(check({ from: source('kb-bank') }, snapshot('withoutShards')))).toBe(
      'block OVERSEAS_SOURCE_LISTED',
    );
    expect(summarize(check({ from: on('blockExact') }, snapshot('withoutSources')))).toBe(
      'block NUMBER_SUSPENDED',
    );
  });
});

describe('missing data', () => {
  it.each(MISSING)('(%s) for %j: %s', (release, places, want) => {
    // Only the deciding reason comes first; the order of weaker reasons is not defined.
    const answer = check({ to: on(...places) }, snapshot(release));
    const [verdict, first, ...rest] = want.split(' ');
    expect([answer.verdict, codes(answer)[0]]).toEqual([verdict, first]);
    expect(codes(answer).slice(1).sort()).toEqual(rest.sort());
  });

  it('makes even a rule violation indeterminate when an allow entry could be missing', () => {
    const broken = { to: number(829_900_000_000) };
    expect(check(broken, snapshot('withoutShards')).verdict).toBe('indeterminate');
    expect(summarize(check(broken, snapshot('none')))).toBe('block NUMBER_FORMAT_INVALID LIST_UNAVAILABLE');
  });

  it("leaves the action to the client's fail policy, in every mode", () => {
    for (const failPolicy of ['open', 'closed'] as const) {
      for (const mode of ['enforce', 'label', 'shadow'] as const) {
        const answer = check({ to: on() }, snapshot('none'), { failPolicy, mode });
        expect([answer.verdict, answer.action, answer.unenforced]).toEqual([
          'indeterminate',
          failPolicy,
          undefined,
        ]);
      }
    }
    expect(check({ to: on('blockExact') }).action).toBeUndefined();
  });
});

describe('old data', () => {
  const stale = snapshot('whole', NOW, 3_601);
  it.each(OLD)('for %j: %s', (places, want) => {
    expect(summarize(check({ to: on(...places) }, stale))).toBe(want);
  });

  it("begins past the client's maxStaleSeconds, to the millisecond", () => {
    const aged = (ms: number): CheckResponse =>
      check({ to: on() }, { ...FRESH, asOf: NOW - ms }, { maxStaleSeconds: 10 });
    expect(summarize(aged(10_000))).toBe('allow');
    expect(summarize(aged(10_001))).toBe('indeterminate LIST_STALE');
  });
});

describe('the mode of a client', () => {
  it.each<[ClientSettings['mode'], Place[], Verdict, Verdict | undefined]>([
    ['enforce', ['blockExact'], 'block', undefined],
    ['enforce', ['labelExact'], 'label', undefined],
    ['label', ['blockExact'], 'label', 'block'],
    ['label', ['labelExact'], 'label', undefined],
    ['shadow', ['blockExact'], 'allow', 'block'],
    ['shadow', ['labelExact'], 'allow', 'label'],
    ['shadow', ['allowExact', 'blockExact'], 'allow', undefined],
    ['shadow', [], 'allow', undefined],
  ])('%s for %j: %s, unenforced %s', (mode, places, verdict, unenforced) => {
    const answer = check({ to: on(...places) }, FRESH, { mode });
    expect([answer.verdict, answer.unenforced]).toEqual([verdict, unenforced]);
  });
});

describe('a request with two subjects', () => {
  it.each<[Party, Party, string, 'from' | 'to' | null]>([
    [on(), on(), 'allow', null],
    [on('blockExact'), on(), 'block NUMBER_SUSPENDED', 'from'],
    [on(), on('blockRange'), 'block NUMBER_UNALLOCATED', 'to'],
    [on('blockExact'), on('blockRange'), 'block NUMBER_UNALLOCATED NUMBER_SUSPENDED', 'to'],
    [on('blockExact'), on('labelExact'), 'block NUMBER_SUSPENDED SENDER_REPORTED', 'from'],
    [
      on('blockExact'),
      on('allowExact', 'labelExact'),
      'block NUMBER_SUSPENDED SENDER_REPORTED ALLOW_OVERRIDE',
      'from',
    ],
    [
      on('allowExact', 'blockExact'),
      on('labelExact'),
      'label SENDER_REPORTED NUMBER_SUSPENDED ALLOW_OVERRIDE',
      'to',
    ],
  ])('%j, %j: %s', (from, to, want, subject) => {
    const answer = check({ from, to });
    expect(summarize(answer)).toBe(want);
    expect(answer.subject).toBe(subject);
    expect([answer.from, answer.to]).toEqual(
      [from, to].map((party) => (party.kind === 'number' ? `+${party.n}` : '')),
    );
  });

  it('is indeterminate rather than label, and block rather than indeterminate', () => {
    const missing = source('anyone');
    const at = snapshot('withoutSources');
    expect(check({ from: missing, to: on('labelExact') }, at)).toMatchObject({
      verdict: 'indeterminate',
      subject: 'from',
    });
    expect(check({ from: missing, to: on('blockExact') }, at)).toMatchObject({
      verdict: 'block',
      subject: 'to',
    });
  });

  it('may be empty', () => {
    expect(check({})).toEqual({ verdict: 'allow', subject: null, from: null, to: null, reasons: [] });
  });
});

describe('until', () => {
  it.each([
    [on('datedExact'), 'block NUMBER_TERMINATED'],
    [on('datedRange'), 'block NUMBER_UNALLOCATED'],
    [source('smsc-1'), 'block OVERSEAS_SOURCE_LISTED'],
  ])('is reported, and ends on its second: %j', (from, want) => {
    for (const now of [NOW, UNTIL * 1000 - 1000, UNTIL * 1000 - 1]) {
      const answer = check({ from }, snapshot('whole', now));
      expect(summarize(answer)).toBe(want);
      expect(answer.reasons[0]!.until).toBe('2027-01-15T08:00:00.000Z');
    }
    for (const now of [UNTIL * 1000, UNTIL * 1000 + 1])
      expect(summarize(check({ from }, snapshot('whole', now)))).toBe('allow');
  });
});

describe('the test numbers', () => {
  it('exist for each code', () => {
    expect(TEST_NUMBERS.map(({ code }) => code)).toEqual([...CODES]);
    expect(new Set(TEST_NUMBERS.map(({ verdict }) => verdict))).toEqual(
      new Set(['allow', 'label', 'indeterminate', 'block']),
    );
  });

  it.each(TEST_NUMBERS)('$n always gives $verdict $code', ({ n, verdict, code }) => {
    for (const release of ['whole', 'none', 'withoutShards'] as const) {
      for (const subject of ['from', 'to'] as const) {
        const answer = check({ [subject]: number(n) }, snapshot(release, NOW, 1e6));
        expect([summarize(answer), answer.subject, answer.reasons[0]!.match]).toEqual([
          `${verdict} ${code}`,
          subject,
          'test',
        ]);
        expect(answer.action).toBe(verdict === 'indeterminate' ? 'open' : undefined);
      }
    }
  });

  it('end with the codes', () => {
    for (const n of [TEST_NUMBER_BASE, TEST_NUMBER_BASE + CODES.length + 1]) {
      expect(check({ to: number(n) }).reasons).toEqual([]);
    }
  });
});
