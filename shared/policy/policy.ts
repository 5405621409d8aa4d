/**
 * The gateway policy, as data: which senders traffic from abroad may show. The first matching rule decides; a
 * shadow rule only reports. Lists come first, and no rule overrides a list.
 */
import * as v from 'valibot';
import standard from '../../data/gateway-policy.json' with { type: 'json' };
import { hasHidden } from '../hidden-characters.ts';
import { OWNER_USED_TEXTS_MAX, OWNER_USED_TEXTS_MIN } from '../limits/notice-sources.ts';
import { POLICY_CHARS_MAX, POLICY_LABEL_CHARS_MAX, POLICY_RULES_MAX } from '../limits/requests.ts';
import { ATTESTATIONS, CHANNELS, ROAMING } from '../request.ts';
import { nameSchema } from '../schemas.ts';
import { AGAINST_CODES, EFFECTS } from '../verdict.ts';
import { type Facts, ORIGINS, SENDERS } from './facts.ts';

/** Values of one fact; any of them matches. */
function anyOf<Value extends string>(values: readonly Value[]) {
  return v.optional(v.pipe(v.array(v.picklist(values)), v.minLength(1), v.maxLength(values.length)));
}

const whenSchema = v.strictObject({
  channel: anyOf(CHANNELS),
  origin: anyOf(ORIGINS),
  sender: anyOf(SENDERS),
  roaming: anyOf(ROAMING),
  attestation: anyOf([...ATTESTATIONS, 'none']),
});

const ruleSchema = v.pipe(
  v.strictObject({
    /** Reported in verdicts as the deciding rule. */
    id: nameSchema,
    /** Conditions of the rule. An omitted fact matches any value. */
    when: whenSchema,
    effect: v.picklist(EFFECTS),
    /** Required for every effect except `allow`. */
    code: v.optional(v.picklist(AGAINST_CODES)),
    /** Whether to hide the number from the recipient. */
    withholdCli: v.optional(v.boolean(), false),
  }),
  v.forward(
    v.check(
      ({ effect, code }) => (code === undefined) === (effect === 'allow'),
      'must be set for every effect except "allow", and must be absent for "allow"',
    ),
    ['code'],
  ),
  v.forward(
    v.check(
      ({ effect, when }) => effect !== 'allow' || when.attestation === undefined,
      'must not be set in a rule that allows: a signature does not prove the number',
    ),
    ['when', 'attestation'],
  ),
);
export type Rule = v.InferOutput<typeof ruleSchema>;

/** Contacts for blocked senders (47 CFR 64.1200(k)), sent in the SIP Reason header. */
const redressSchema = v.strictObject({
  url: v.optional(
    v.pipe(v.string(), v.regex(/^https:\/\/[\w.~:/?#[\]@!$&'()*+,=%-]{1,200}$/, 'must be an https address')),
  ),
  tel: v.optional(
    v.pipe(v.string(), v.regex(/^\+[1-9]\d{3,14}$/, 'must be a number with + and country code')),
  ),
  email: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.+-]{1,64}@[\w.-]{1,128}$/, 'must be an e-mail address')),
  ),
});

export const policySchema = v.pipe(
  v.strictObject({
    rules: v.pipe(v.array(ruleSchema), v.maxLength(POLICY_RULES_MAX)),
    /** Put before a text, or shown with a call. */
    label: v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(POLICY_LABEL_CHARS_MAX),
      v.check(
        (text) => !hasHidden(text),
        'must not have control characters: it is sent in headers and texts',
      ),
    ),
    redress: v.nullable(redressSchema),
    /**
     * Texts that a Korean mobile number may send through one client in a day before its operator is asked to inform its
     * owner. Default: OWNER_USED_TEXTS_DEFAULT. Left out by default, because older edges refuse it.
     */
    ownerUsedTexts: v.optional(
      v.pipe(
        v.number(),
        v.safeInteger(),
        v.minValue(OWNER_USED_TEXTS_MIN, `must be at least ${OWNER_USED_TEXTS_MIN} texts a day`),
        v.maxValue(OWNER_USED_TEXTS_MAX, `must be at most ${OWNER_USED_TEXTS_MAX} texts a day`),
      ),
    ),
  }),
  v.check(
    ({ rules }) => new Set(rules.map(({ id }) => id)).size === rules.length,
    'must not give two rules the same id',
  ),
  v.check(
    (policy) => JSON.stringify(policy).length <= POLICY_CHARS_MAX,
    `must have at most ${POLICY_CHARS_MAX} characters`,
  ),
);
export type Policy = v.InferOutput<typeof policySchema>;

/** A policy and its version. */
export interface VersionedPolicy {
  /** The `seq` of the change that set it; 0 for the policy that ships with the code. */
  readonly version: number;
  readonly policy: Policy;
}

export const STANDARD_POLICY: VersionedPolicy = { version: 0, policy: v.parse(policySchema, standard) };

/** The rules that match one request. */
interface PolicyMatch {
  /** The deciding rule; null if none matches. */
  readonly rule: Rule | null;
  /** Shadow rules that match before it. */
  readonly shadows: readonly Rule[];
}

const NO_SHADOWS: readonly Rule[] = [];

/** Matches the facts against the rules in order. O(rules); allocates only if a shadow rule matches. */
export function matchPolicy({ rules }: Policy, facts: Facts): PolicyMatch {
  let shadows = NO_SHADOWS;
  for (const rule of rules) {
    if (!fits(rule, facts)) continue;
    if (rule.effect !== 'shadow') return { rule, shadows };
    shadows = [...shadows, rule];
  }
  return { rule: null, shadows };
}

function fits({ when }: Rule, { channel, origin, sender, roaming, attestation }: Facts): boolean {
  return (
    (when.sender?.includes(sender) ?? true) &&
    (when.origin?.includes(origin) ?? true) &&
    (when.roaming?.includes(roaming) ?? true) &&
    (when.channel?.includes(channel) ?? true) &&
    (when.attestation?.includes(attestation) ?? true)
  );
}
