/**
 * Which of several hits decides, as seen from outside. Every hit is told, the deciding one first.
 */
import { describe, expect, it } from 'vitest';
import { check } from './support/ask.ts';
import { NUMBERS, SOURCES } from './support/input-lists.ts';

/** Verdict, deciding subject, and all codes. */
async function decided(question: Record<string, string>): Promise<unknown[]> {
  const { verdict, subject, reasons } = await check(question);
  return [verdict, subject, ...reasons.map(({ code }) => code)];
}

describe('precedence for one number', () => {
  it('lets an exact allow entry win over an exact block', async () => {
    expect(await decided({ to: NUMBERS.suspendedButAllowed })).toEqual([
      'allow',
      'to',
      'ALLOW_OVERRIDE',
      'NUMBER_SUSPENDED',
    ]);
  });

  it('lets an exact allow entry win over a blocked range', async () => {
    expect(await decided({ from: NUMBERS.unallocatedButAllowed })).toEqual([
      'allow',
      'from',
      'ALLOW_OVERRIDE',
      'NUMBER_UNALLOCATED',
    ]);
  });

  it('lets an allowed range win over an exact block', async () => {
    const { reasons } = await check({ to: NUMBERS.suspendedInAllowedRange });
    expect(reasons.map(({ code, match }) => [code, match])).toEqual([
      ['ALLOW_OVERRIDE', 'range'],
      ['NUMBER_SUSPENDED', 'exact'],
    ]);
  });

  it('tells an exact block before a blocked range', async () => {
    const { reasons } = await check({ to: NUMBERS.suspendedAndUnallocated });
    expect(reasons.map(({ code, match }) => [code, match])).toEqual([
      ['NUMBER_SUSPENDED', 'exact'],
      ['NUMBER_UNALLOCATED', 'range'],
    ]);
  });

  it('tells a list before a rule', async () => {
    expect(await decided({ from: NUMBERS.suspendedPersonal })).toEqual([
      'block',
      'from',
      'NUMBER_SUSPENDED',
      'SENDER_FORMAT_RULE',
    ]);
  });

  it('reports a shadow list and lets it decide nothing', async () => {
    const alone = await check({ to: NUMBERS.onTrial });
    expect([alone.verdict, alone.reasons[0]!.code, alone.reasons[0]!.effect]).toEqual([
      'allow',
      'SENDER_UNQUALIFIED',
      'shadow',
    ]);
    expect(await decided({ to: NUMBERS.suspendedAndOnTrial })).toEqual([
      'block',
      'to',
      'NUMBER_SUSPENDED',
      'SENDER_UNQUALIFIED',
    ]);
  });
});

describe('precedence between sender and recipient', () => {
  it('answers the stronger of the two, whichever it is', async () => {
    const { suspended, reported, free, terminated } = NUMBERS;
    expect(await decided({ from: suspended, to: free })).toEqual(['block', 'from', 'NUMBER_SUSPENDED']);
    expect(await decided({ from: reported, to: suspended })).toEqual([
      'block',
      'to',
      'NUMBER_SUSPENDED',
      'SENDER_REPORTED',
    ]);
    expect(await decided({ from: reported, to: free })).toEqual(['label', 'from', 'SENDER_REPORTED']);
    expect((await decided({ from: terminated, to: suspended })).slice(0, 2)).toEqual(['block', 'to']);
  });

  it('puts block over indeterminate, and indeterminate over label', async () => {
    const [label, stale, block] = ['010-0000-0015', '010-0000-0022', '010-0000-0003'] as const;
    expect((await decided({ from: label, to: stale }))[0]).toBe('indeterminate');
    expect((await decided({ from: stale, to: label }))[0]).toBe('indeterminate');
    expect((await decided({ from: stale, to: block }))[0]).toBe('block');
    expect((await decided({ from: block, to: stale }))[0]).toBe('block');
  });

  it('does not let an allowed recipient clear a blocked sender', async () => {
    expect((await decided({ from: NUMBERS.suspended, to: NUMBERS.suspendedButAllowed })).slice(0, 3)).toEqual(
      ['block', 'from', 'NUMBER_SUSPENDED'],
    );
  });
});

describe('emergency calls', () => {
  it.each([
    ['112', NUMBERS.suspended],
    ['119', SOURCES.listed],
    ['1-1-9', '050-1234-5679'],
    ['111', NUMBERS.overseas],
  ])('lets a call to %s through, whoever calls', async (to, from) => {
    const answer = await check({ from, to, channel: 'voice' });
    expect(answer).toMatchObject({ verdict: 'allow', subject: 'to' });
    expect(answer.reasons[0]).toMatchObject({
      code: 'EMERGENCY_NEVER_BLOCKED',
      match: 'rule',
      list: 'emergency',
    });
    expect((await check({ from, to, channel: 'sms' })).verdict).toBe('allow');
  });

  it.each(['+82112', '+82119', '02-119', '031-112', '+82 (0)2 112', '82-51-111'])(
    'never blocks the emergency number %s',
    async (to) => {
      const answer = await check({ from: NUMBERS.suspended, to, channel: 'voice' });
      expect(answer).toMatchObject({ verdict: 'allow', subject: 'to' });
      expect(answer.reasons[0]).toMatchObject({ code: 'EMERGENCY_NEVER_BLOCKED', list: 'emergency' });
    },
  );

  it.each(['02-1335', '+82 114', '010-119', '070-112', '+63 119'])(
    'takes %s for no emergency number',
    async (to) => {
      const { reasons } = await check({ to, channel: 'voice' });
      expect(reasons.map(({ code }) => code)).not.toContain('EMERGENCY_NEVER_BLOCKED');
    },
  );

  it('does not make an emergency number a sender that anyone may use', async () => {
    expect((await check({ from: '112' })).verdict).toBe('block');
    expect((await check({ from: '+82112' })).verdict).toBe('block');
  });
});
