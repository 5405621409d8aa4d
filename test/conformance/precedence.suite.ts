/** Which of several findings decides. A response lists every finding, and the deciding one comes first. */
import { describe, expect, it } from 'vitest';
import { NUMBERS, SOURCES } from './support/input-lists.ts';
import { check } from './support/send.ts';

/** The verdict, the deciding subject, and all codes. */
async function decided(question: Record<string, string>): Promise<unknown[]> {
  const { verdict, subject, reasons } = await check(question);
  return [verdict, subject, ...reasons.map(({ code }) => code)];
}

describe('precedence for one number', () => {
  it('an exact allow entry wins over an exact block', async () => {
    expect(await decided({ to: NUMBERS.suspendedButAllowed })).toEqual([
      'allow',
      'to',
      'ALLOW_OVERRIDE',
      'NUMBER_SUSPENDED',
    ]);
  });

  it('an exact allow entry wins over a blocked range', async () => {
    expect(await decided({ from: NUMBERS.unallocatedButAllowed })).toEqual([
      'allow',
      'from',
      'ALLOW_OVERRIDE',
      'NUMBER_UNALLOCATED',
    ]);
  });

  it('an allowed range wins over an exact block', async () => {
    const { reasons } = await check({ to: NUMBERS.suspendedInAllowedRange });
    expect(reasons.map(({ code, match }) => [code, match])).toEqual([
      ['ALLOW_OVERRIDE', 'range'],
      ['NUMBER_SUSPENDED', 'exact'],
    ]);
  });

  it('an exact block is listed before a blocked range', async () => {
    const { reasons } = await check({ to: NUMBERS.suspendedAndUnallocated });
    expect(reasons.map(({ code, match }) => [code, match])).toEqual([
      ['NUMBER_SUSPENDED', 'exact'],
      ['NUMBER_UNALLOCATED', 'range'],
    ]);
  });

  it('a list is listed before a rule', async () => {
    expect(await decided({ from: NUMBERS.suspendedPersonal })).toEqual([
      'block',
      'from',
      'NUMBER_SUSPENDED',
      'SENDER_FORMAT_RULE',
    ]);
  });

  it('a shadow list is reported and decides nothing', async () => {
    const alone = await check({ to: NUMBERS.shadowed });
    expect([alone.verdict, alone.reasons[0]!.code, alone.reasons[0]!.effect]).toEqual([
      'allow',
      'SENDER_UNQUALIFIED',
      'shadow',
    ]);
    expect(await decided({ to: NUMBERS.suspendedAndShadowed })).toEqual([
      'block',
      'to',
      'NUMBER_SUSPENDED',
      'SENDER_UNQUALIFIED',
    ]);
  });
});

describe('precedence between sender and recipient', () => {
  it('the stronger verdict of sender and recipient decides', async () => {
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

  it('block wins over indeterminate, and indeterminate over label', async () => {
    const [label, stale, block] = ['010-0000-0015', '010-0000-0022', '010-0000-0003'] as const;
    expect((await decided({ from: label, to: stale }))[0]).toBe('indeterminate');
    expect((await decided({ from: stale, to: label }))[0]).toBe('indeterminate');
    expect((await decided({ from: stale, to: block }))[0]).toBe('block');
    expect((await decided({ from: block, to: stale }))[0]).toBe('block');
  });

  it('an allowed recipient does not clear a blocked sender', async () => {
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
  ])('anyone may call %s', async (to, from) => {
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
    'the emergency number %s is never blocked',
    async (to) => {
      const answer = await check({ from: NUMBERS.suspended, to, channel: 'voice' });
      expect(answer).toMatchObject({ verdict: 'allow', subject: 'to' });
      expect(answer.reasons[0]).toMatchObject({ code: 'EMERGENCY_NEVER_BLOCKED', list: 'emergency' });
    },
  );

  it.each(['02-1335', '+82 114', '010-119', '070-112', '+63 119'])(
    '%s is not an emergency number',
    async (to) => {
      const { reasons } = await check({ to, channel: 'voice' });
      expect(reasons.map(({ code }) => code)).not.toContain('EMERGENCY_NEVER_BLOCKED');
    },
  );

  it('an emergency number is blocked as a sender', async () => {
    expect((await check({ from: '112' })).verdict).toBe('block');
    expect((await check({ from: '+82112' })).verdict).toBe('block');
  });
});
