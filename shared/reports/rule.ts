/**
 * Rules: when reports become a block, as data. A rule counts distinct reporters of one number or sender ID, or of one
 * campaign of texts, in a window.
 */
import * as v from 'valibot';
import {
  CONFIRMED_MS_MAX,
  CONFIRMED_MS_MIN,
  PROVISIONAL_MS_MAX,
  PROVISIONAL_MS_MIN,
  RULE_DISTINCT_MAX,
  RULE_WEIGHT_MAX,
  RULE_WINDOW_MS_MAX,
  RULE_WINDOW_MS_MIN,
} from '../limits/reports.ts';
import { CHANNELS } from '../request.ts';
import { durationSchema } from './duration.ts';
import { PARTNER_KINDS, UNLIMITED_KINDS } from './partner.ts';
import { REPORT_ORIGINS } from './report.ts';

/** The subjects whose reports a rule counts: numbers and sender IDs, or campaigns of texts. */
export const RULE_TARGETS = ['number', 'campaign'] as const;
export type RuleTarget = (typeof RULE_TARGETS)[number];

/** `shadow`: evaluated, and its blocks are only recorded. `off`: not evaluated. */
export const RULE_STATES = ['active', 'shadow', 'off'] as const;
export type RuleState = (typeof RULE_STATES)[number];

const distinctSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(RULE_DISTINCT_MAX));
const kindsSchema = v.pipe(
  v.array(v.picklist(PARTNER_KINDS)),
  v.minLength(1),
  v.maxLength(PARTNER_KINDS.length),
  v.transform((kinds) => PARTNER_KINDS.filter((kind) => kinds.includes(kind))),
);

const fields = v.strictObject({
  state: v.optional(v.picklist(RULE_STATES), 'active'),
  target: v.optional(v.picklist(RULE_TARGETS), 'number'),
  channel: v.optional(v.picklist([...CHANNELS, 'any']), 'any'),
  origin: v.optional(v.picklist([...REPORT_ORIGINS, 'any']), 'any'),
  /** Reports younger than this count. */
  window: durationSchema(RULE_WINDOW_MS_MIN, RULE_WINDOW_MS_MAX),
  /** Distinct reporters that the rule requires, after the reporters of `notSpam` are subtracted. */
  distinct: distinctSchema,
  /** Kinds of partner whose reports count. */
  kinds: v.optional(kindsSchema, [...PARTNER_KINDS]),
  /** Largest share of `distinct` that one partner gives. Police and regulator have no such bound. */
  maxShare: v.optional(
    v.pipe(v.number(), v.gtValue(0, 'must be above 0'), v.maxValue(1, 'must be at most 1: it is a share')),
    0.4,
  ),
  /** Least sum of the weights of the partners whose reports count. */
  weightMin: v.optional(
    v.pipe(v.number(), v.finite(), v.minValue(0, 'must not be negative'), v.maxValue(RULE_WEIGHT_MAX)),
    1,
  ),
  /** `shadow`: blocks of the rule are only recorded. */
  effect: v.optional(v.picklist(['block', 'shadow']), 'block'),
  /** How long its blocks last until they are confirmed. */
  provisional: durationSchema(PROVISIONAL_MS_MIN, PROVISIONAL_MS_MAX),
  /** How long confirmed blocks last. */
  confirmed: durationSchema(CONFIRMED_MS_MIN, CONFIRMED_MS_MAX),
  /** `propose`: a person approves each block. */
  approval: v.optional(v.picklist(['auto', 'propose']), 'auto'),
  /** Not a field of a rule: rejected with the reason. */
  range: v.optional(
    v.pipe(
      v.unknown(),
      v.check(() => false, 'must not be set: a rule blocks single numbers, and proposes ranges to a person'),
    ),
  ),
});

/** The body of a rule: all fields except its version and its ID, which is in the path. */
export const ruleSchema = v.pipe(
  fields,
  v.forward(
    v.check(
      ({ kinds, distinct, maxShare }) =>
        kinds.every((kind) => UNLIMITED_KINDS.includes(kind)) || shareOf(distinct, maxShare) >= 1,
      'times "distinct" must be at least 1, otherwise no partner counts: raise one of them',
    ),
    ['maxShare'],
  ),
  v.transform(({ range: _, ...rule }) => rule),
);
export type RuleSettings = v.InferOutput<typeof ruleSchema>;

/** Fields that an admin sets, in the order of the documentation. */
export const RULE_FIELDS = [
  ...([
    'state',
    'target',
    'channel',
    'origin',
    'window',
    'distinct',
    'kinds',
    'maxShare',
    'weightMin',
  ] as const),
  ...(['effect', 'provisional', 'confirmed', 'approval'] as const),
] as const satisfies readonly (keyof RuleSettings)[];

/** The target of a rule. Rules that were stored before targets existed have none. */
export function targetOf({ target = 'number' }: Partial<Pick<RuleSettings, 'target'>>): RuleTarget {
  return target;
}

export interface Rule extends RuleSettings {
  readonly id: string;
  /** 1 at first. Each change adds 1, also after a removal. */
  readonly version: number;
}

/** Whether the blocks of the rule are only recorded. */
export function isShadow({ state, effect }: Pick<Rule, 'state' | 'effect'>): boolean {
  return state === 'shadow' || effect === 'shadow';
}

/** Names a version of a rule in decisions and reasons: `kr-50@3`. */
export type RuleRef = `${string}@${number}`;

export function ruleRef({ id, version }: Pick<Rule, 'id' | 'version'>): RuleRef {
  return `${id}@${version}`;
}

/** Most reporters that one partner of a limited kind gives. Only the first 6 decimals of a share matter. */
export function shareOf(distinct: number, maxShare: number): number {
  return Math.floor(distinct * maxShare + 1e-6);
}

const STANDARD: Readonly<Record<string, v.InferInput<typeof ruleSchema>>> = {
  // KISA: 50 duplicate reports a day block a number for 3 months.
  'kr-50': { window: '24h', distinct: 50, provisional: '72h', confirmed: '90d' },
  // A block of a sender abroad takes no number from a subscriber in Korea.
  'overseas-20': { origin: 'overseas', window: '24h', distinct: 20, provisional: '72h', confirmed: '90d' },
  // A campaign shows within minutes. Fewer reporters suffice, but each partner has a smaller share.
  'burst-10m': { window: '10m', distinct: 30, maxShare: 0.34, provisional: '72h', confirmed: '90d' },
  // The same text from many senders. In shadow, so that an installation first sees what the rule would confirm.
  'campaign-30': {
    ...{ state: 'shadow', target: 'campaign', channel: 'sms', window: '24h', distinct: 30, maxShare: 0.34 },
    ...{ provisional: '72h', confirmed: '90d' },
  },
};

/** The rules of a new installation, with their first version. */
export const DEFAULT_RULES: readonly Rule[] = Object.entries(STANDARD).map(([id, rule]) => ({
  ...{ id, version: 1 },
  ...v.parse(ruleSchema, rule),
}));
