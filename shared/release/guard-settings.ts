/**
 * Guards: bounds on what a push or a live change may do without an override. An override names the guard and gives a
 * reason. This file has the names of the guards, their settings, and what a guard reports.
 */
import * as v from 'valibot';
import { BULK_ENTRIES_MAX, OPERATOR_RANGES_MAX } from '../limits/control.ts';
import { PROTECTED_NUMBERS_MAX } from '../limits/lists.ts';
import { NUMBER_LIMIT } from '../numbers/number.ts';
import { nameSchema } from '../schemas.ts';

/** Guards of pushes. */
export const PUSH_GUARDS = [
  'older-base',
  'adds',
  'removes',
  'shrunken-list',
  'protected-number',
  'whole-block',
  'short-prefix',
] as const;
export type PushGuard = (typeof PUSH_GUARDS)[number];

/** Guards of live changes. */
export const LIVE_GUARDS = [
  'protected-number',
  'whole-block',
  'large-operation',
  'hourly-items',
  'hourly-unblocks',
  'operator-share',
] as const;
export type LiveGuard = (typeof LIVE_GUARDS)[number];

export type Guard = PushGuard | LiveGuard;
export const GUARDS: readonly Guard[] = [...new Set([...PUSH_GUARDS, ...LIVE_GUARDS])];

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const number = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(NUMBER_LIMIT - 1));
const items = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Numbers that were allocated to one operator, both ends included. */
const operatorRangeSchema = v.strictObject({ operator: nameSchema, from: number, to: number });

const fields = v.strictObject({
  /** Largest share of new entries in a list per release. */
  addShare: v.optional(share, 0.2),
  /** Largest share of removed entries in a list per release. */
  removeShare: v.optional(share, 0.2),
  /** Numbers that no list and no live change may block or label, besides the emergency numbers. */
  protectedNumbers: v.optional(v.pipe(v.array(number), v.maxLength(PROTECTED_NUMBERS_MAX)), []),
  /** Most numbers and sources in one live change. */
  operationItems: v.optional(v.pipe(items, v.maxValue(BULK_ENTRIES_MAX)), 5_000),
  /** Most numbers and sources in the live changes of one authority per hour, over all its tokens. */
  hourlyItems: v.optional(items, 20_000),
  /** The part of `hourlyItems` that may be in `unblock` and `clear`. */
  hourlyUnblocks: v.optional(items, 5_000),
  /** Largest share of the numbers of one operator that live entries may block, over all authorities. */
  operatorShare: v.optional(share, 0.001),
  /** The ranges of each operator; null for the Korean ranges that the service knows. */
  operatorRanges: v.optional(
    v.nullable(v.pipe(v.array(operatorRangeSchema), v.maxLength(OPERATOR_RANGES_MAX))),
    null,
  ),
});

type Fields = v.InferOutput<typeof fields>;

/** Consistency rules: the field, the check that it contradicts no other, and the problem, after the field name. */
const CONSISTENT: readonly [keyof Fields, (settings: Fields) => boolean, string][] = [
  [
    'hourlyItems',
    ({ operationItems, hourlyItems }) => hourlyItems >= operationItems,
    'must be at least operationItems: otherwise no operation of that size could be made',
  ],
  [
    'hourlyUnblocks',
    ({ hourlyUnblocks, hourlyItems }) => hourlyUnblocks <= hourlyItems,
    'must be at most hourlyItems, which counts them too',
  ],
  [
    'operatorRanges',
    ({ operatorRanges }) => (operatorRanges ?? []).every(({ from, to }) => from <= to),
    'must have from <= to in each range',
  ],
  [
    'operatorRanges',
    ({ operatorRanges }) => {
      const sorted = (operatorRanges ?? []).toSorted((a, b) => a.from - b.from);
      return sorted.every(({ from }, index) => index === 0 || from > sorted[index - 1]!.to);
    },
    'must not overlap: a number is allocated to one operator',
  ],
];

export const guardSettingsSchema = v.pipe(
  fields,
  v.rawCheck<Fields>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const input = dataset.value;
    const [key, , message] = CONSISTENT.find(([, isConsistent]) => !isConsistent(input)) ?? [];
    if (key === undefined) return;
    addIssue({
      message: message!,
      path: [{ type: 'object', origin: 'value', input, key, value: input[key] }],
    });
  }),
);
export type GuardSettings = v.InferOutput<typeof guardSettingsSchema>;

export const DEFAULT_GUARDS: GuardSettings = v.parse(guardSettingsSchema, {});

/** @typeParam Name names of the guards: of lists, or of texts (text/text-guards.ts) */
export interface GuardHit<Name extends string = Guard> {
  readonly guard: Name;
  /** The list of a release; null for the release as a whole, and for a live change. */
  readonly list: string | null;
  /** One sentence with figures, never a full number. */
  readonly message: string;
  readonly figures: Readonly<Record<string, number | string>>;
  /** Name for the override. */
  readonly override: Name;
}

/** Guards that were hit and not overridden. @param names overridden guards; other guards in it have no effect */
export function remainingGuards<Name extends string>(
  { guards }: { readonly guards: readonly GuardHit<Name>[] },
  names: readonly string[],
): GuardHit<Name>[] {
  return guards.filter(({ override }) => !names.includes(override));
}
