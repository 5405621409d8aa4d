/** The gateway policy as data: valid documents, the matching rule, and shadow rules. */
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../../shared/policy/facts.ts';
import { matchPolicy, type Policy, policySchema, STANDARD_POLICY } from '../../../shared/policy/policy.ts';

const FACTS: Facts = {
  channel: 'voice',
  origin: 'abroad',
  sender: 'foreign',
  roaming: 'unknown',
  attestation: 'none',
};

function policy(...rules: object[]): unknown {
  return { rules, label: '[국제발신]', redress: null };
}

function read(document: unknown): Policy {
  return v.parse(policySchema, document);
}

const LABEL = { id: 'label', when: {}, effect: 'label', code: 'OVERSEAS_ORIGIN' };

describe('a policy', () => {
  it('decides by the first rule that matches, and by no rule when none matches', () => {
    const two = read(
      policy(
        { id: 'voice', when: { channel: ['voice'] }, effect: 'allow' },
        { ...LABEL, when: { channel: ['sms'] } },
      ),
    );
    expect(matchPolicy(two, FACTS).rule?.id).toBe('voice');
    expect(matchPolicy(two, { ...FACTS, channel: 'sms' }).rule?.id).toBe('label');
    expect(matchPolicy(read(policy()), FACTS)).toEqual({ rule: null, shadows: [] });
  });

  it('reports shadow rules before the deciding rule, and continues past them', () => {
    const shadow = {
      id: 'shadow',
      when: { sender: ['foreign'] },
      effect: 'shadow',
      code: 'OVERSEAS_SOURCE_LISTED',
    };
    const ruling = matchPolicy(read(policy(shadow, LABEL, { ...shadow, id: 'behind' })), FACTS);
    expect([ruling.rule?.id, ruling.shadows.map(({ id }) => id)]).toEqual(['label', ['shadow']]);
  });

  it.each([
    ['sender', ['foreign'], ['krMobile']],
    ['origin', ['abroad'], ['domestic']],
    ['roaming', ['verified', 'unknown'], ['verified']],
    ['channel', ['voice'], ['sms']],
    ['attestation', ['none'], ['A', 'B', 'C']],
  ])('matches %s against any of several values', (fact, fitting, other) => {
    const rule = (values: string[]): Policy => read(policy({ ...LABEL, when: { [fact]: values } }));
    expect(matchPolicy(rule(fitting), FACTS).rule).not.toBeNull();
    expect(matchPolicy(rule(other), FACTS).rule).toBeNull();
  });

  it.each([
    ['an effect without a code', policy({ id: 'a', when: {}, effect: 'block' }), 'every effect except'],
    ['allow with a code', policy({ ...LABEL, effect: 'allow' }), 'every effect except'],
    ['a code for missing or old data', policy({ ...LABEL, code: 'LIST_STALE' }), 'LIST_STALE'],
    ['an unknown fact', policy({ ...LABEL, when: { country: ['PH'] } }), 'country'],
    ['no value of a fact', policy({ ...LABEL, when: { sender: [] } }), 'sender'],
    ['an unknown kind of sender', policy({ ...LABEL, when: { sender: ['korean'] } }), 'korean'],
    ['two rules with one id', policy(LABEL, LABEL), 'must not give two rules the same id'],
    ['an invalid id', policy({ ...LABEL, id: 'Label 1' }), 'dashes'],
    ['65 rules', policy(...Array.from({ length: 65 }, (_, index) => ({ ...LABEL, id: `r${index}` }))), '64'],
    ['no label', { ...(policy() as object), label: '' }, 'length'],
    ['a label with a line break', { ...(policy() as object), label: 'x\r\nVia: y' }, 'control'],
    ['a label of 17 characters', { ...(policy() as object), label: 'x'.repeat(17) }, '16'],
    [
      'an attestation as a reason to allow',
      policy({ id: 'signed', when: { attestation: ['A'] }, effect: 'allow' }),
      'a signature does not prove',
    ],
    [
      'a redress URL with a line break',
      { ...(policy() as object), redress: { url: 'https://a\r\nX: y' } },
      'https',
    ],
    ['a redress URL with a quote', { ...(policy() as object), redress: { url: 'https://a"b' } }, 'https'],
  ])('is rejected with %s', (_what, document, why) => {
    const parsed = v.safeParse(policySchema, document);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.issues)).toContain(why);
  });

  it('accepts the standard policy', () => {
    expect(STANDARD_POLICY.version).toBe(0);
    expect(read(JSON.parse(JSON.stringify(STANDARD_POLICY.policy)))).toEqual(STANDARD_POLICY.policy);
  });
});
