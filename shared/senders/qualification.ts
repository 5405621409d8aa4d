/**
 * Qualification of senders (전송자격인증): the graded state of a relay or reseller, set by the regulator. It ends at
 * `validUntil`, so every reader computes the current state with `qualificationState`, and never uses the stored one.
 */
import * as v from 'valibot';
import {
  QUALIFICATION_FACTOR_MAX,
  QUALIFICATION_FACTOR_MIN,
  SENDER_CODE_CHARS_MAX,
  SENDER_CODE_CHARS_MIN,
} from '../limits/qualification.ts';
import { type Failure, ok, type Result } from '../result.ts';
import { reasonSchema, timeSchema } from '../schemas.ts';

export const QUALIFICATION_STATES = [
  'pending',
  'certified',
  'rateReduced',
  'suspended',
  'cancelled',
  'expired',
] as const;
export type QualificationState = (typeof QUALIFICATION_STATES)[number];

/** States that end at `validUntil`. */
const ENDING: readonly QualificationState[] = ['certified', 'rateReduced', 'suspended'];

/**
 * The states that may follow each state; `none` is an organisation without a record. The same state again is always
 * possible, to change dates or the factor. After a cancellation, an organisation applies anew.
 */
export const QUALIFICATION_MOVES: Readonly<
  Record<QualificationState | 'none', readonly QualificationState[]>
> = {
  none: ['pending', 'certified', 'rateReduced'],
  pending: ['certified', 'rateReduced', 'cancelled'],
  certified: ['rateReduced', 'suspended', 'cancelled', 'expired'],
  rateReduced: ['certified', 'suspended', 'cancelled', 'expired'],
  suspended: ['certified', 'rateReduced', 'cancelled', 'expired'],
  cancelled: ['pending'],
  expired: ['pending', 'certified', 'rateReduced', 'suspended', 'cancelled'],
};

/**
 * The code that identifies an organisation in its texts (식별코드; `osc` in tokens). The official form is not published,
 * so this accepts any short code of capital letters and digits.
 */
export const SENDER_CODE_PATTERN = new RegExp(
  `^[A-Z0-9]{${SENDER_CODE_CHARS_MIN},${SENDER_CODE_CHARS_MAX}}$`,
);

const FACTOR_MESSAGE = `must be from ${QUALIFICATION_FACTOR_MIN} to ${QUALIFICATION_FACTOR_MAX}: the remaining share of the usual rate`;
const optionalTime = v.optional(v.nullable(timeSchema), null);
const entries = {
  state: v.picklist(QUALIFICATION_STATES),
  /** With `rateReduced`: the share of the usual rate that is left. */
  factor: v.optional(
    v.nullable(
      v.pipe(
        v.number(),
        v.minValue(QUALIFICATION_FACTOR_MIN, FACTOR_MESSAGE),
        v.maxValue(QUALIFICATION_FACTOR_MAX, FACTOR_MESSAGE),
      ),
    ),
    null,
  ),
  inspectedAt: optionalTime,
  nextInspectionBy: optionalTime,
  /** When the certification ends automatically. */
  validUntil: optionalTime,
};

/** `PUT /v1/admin/organisations/{id}/qualification`: the whole qualification. */
export const putQualificationSchema = v.pipe(
  v.strictObject({ ...entries, reason: reasonSchema }),
  v.forward(
    v.check(
      ({ state, factor }) => state !== 'rateReduced' || factor !== null,
      'is required with rateReduced',
    ),
    ['factor'],
  ),
  v.forward(
    v.check(
      ({ state, factor }) => state === 'rateReduced' || factor === null,
      'can be set only with rateReduced',
    ),
    ['factor'],
  ),
  v.forward(
    v.check(
      ({ state, validUntil }) => ENDING.includes(state) || validUntil === null,
      `can be set only with ${ENDING.join(', ')}`,
    ),
    ['validUntil'],
  ),
  v.forward(
    v.check(
      ({ inspectedAt, nextInspectionBy }) =>
        inspectedAt === null ||
        nextInspectionBy === null ||
        Date.parse(inspectedAt) < Date.parse(nextInspectionBy),
      'must be after "inspectedAt"',
    ),
    ['nextInspectionBy'],
  ),
);
/** The fields that the regulator sets. */
export type QualificationSettings = Omit<v.InferOutput<typeof putQualificationSchema>, 'reason'>;

/** A qualification as stored. */
export interface Qualification extends QualificationSettings {
  readonly organisation: string;
  /** When `state` was set. */
  readonly since: string;
  /** Its place in the status list `qualifications`. Never given to another organisation. */
  readonly index: number;
}

/** A qualification in the client directory: the fields that the edge and a restore of the coordinator need. */
export const directoryQualificationSchema = v.object({
  ...entries,
  since: timeSchema,
  index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** A qualification in the form that an edge reads on every check, with the end as a number. */
export interface QualificationInForce {
  readonly state: QualificationState;
  readonly factor: number | null;
  /** ms since 1970; Infinity if it has no end. */
  readonly endsAt: number;
}

export function qualificationInForce({
  state,
  factor,
  validUntil,
}: Pick<Qualification, 'state' | 'factor' | 'validUntil'>): QualificationInForce {
  return { state, factor, endsAt: validUntil === null ? Number.POSITIVE_INFINITY : Date.parse(validUntil) };
}

/** The state at a time. @param now ms since 1970 */
export function stateAt(
  { state, endsAt }: Omit<QualificationInForce, 'factor'>,
  now: number,
): QualificationState {
  return now >= endsAt && ENDING.includes(state) ? 'expired' : state;
}

/** Like `stateAt`, for a stored qualification. */
export function qualificationState(qualification: Qualification, now: number): QualificationState {
  return stateAt(qualificationInForce(qualification), now);
}

/** Whether an organisation in this state may send. */
export function maySend(state: QualificationState): boolean {
  return state === 'certified' || state === 'rateReduced';
}

/** An impossible move: the current state, and the states that may follow. */
interface ImpossibleMove extends Failure<'QUALIFICATION_STATE'> {
  readonly from: QualificationState | 'none';
  readonly possible: readonly QualificationState[];
}

/** A field that does not fit the time of the change. The message continues the sentence after the name of the field. */
interface UntimelyField extends Failure<'FIELD_VALUE'> {
  readonly field: keyof QualificationSettings;
}
export type MoveProblem = ImpossibleMove | UntimelyField;

/**
 * The qualification after a change.
 * @param before null if nothing is recorded yet @param index used only if so @param now ms since 1970
 */
export function moveQualification(
  organisation: string,
  before: Qualification | null,
  wanted: QualificationSettings,
  index: number,
  now: number,
): Result<Qualification, MoveProblem> {
  const current = before === null ? null : qualificationInfo(before, now);
  const from = current?.state ?? 'none';
  const { state, factor, inspectedAt, nextInspectionBy, validUntil } = wanted;
  if (state !== from && !QUALIFICATION_MOVES[from].includes(state)) {
    const possible = QUALIFICATION_MOVES[from];
    const known = from === 'none' ? 'not recorded yet' : from;
    const message = `the qualification is ${known}: it can become ${possible.join(', ')}`;
    return { ok: false, code: 'QUALIFICATION_STATE', message, from, possible };
  }
  const untimely = (field: keyof QualificationSettings, message: string): UntimelyField => ({
    ...{ ok: false, code: 'FIELD_VALUE', field, message },
  });
  if (inspectedAt !== null && Date.parse(inspectedAt) > now)
    return untimely('inspectedAt', 'must not be in the future');
  if (validUntil !== null && Date.parse(validUntil) <= now)
    return untimely(
      'validUntil',
      'must be in the future: to end the qualification now, set the state expired',
    );
  const since = current?.state === state ? current.since : new Date(now).toISOString();
  const kept = { organisation, index: before?.index ?? index };
  return ok({ ...kept, state, factor, since, inspectedAt, nextInspectionBy, validUntil });
}

/** A qualification as the admin API sends it: with the current state. */
export type QualificationInfo = Omit<Qualification, 'index'>;

export function qualificationInfo(qualification: Qualification, now: number): QualificationInfo {
  const { index: _, ...info } = qualification;
  const state = qualificationState(qualification, now);
  return state === info.state ? info : { ...info, state, since: info.validUntil! };
}

const KOREA_MS = 9 * 3_600_000;

/** The day of an inspection in Korea, wherever it is read: `2026-11-20`. @param time RFC 3339 */
export function inspectionDay<Time extends string | null>(time: Time): string | (Time & null) {
  if (time === null) return time;
  return new Date(Date.parse(time) + KOREA_MS).toISOString().slice(0, 10);
}

/**
 * One organisation in the public register. Inspections are days in Korea (`inspectionDay`), other times RFC 3339. Only
 * these fields are public: no contact, no numbers, no clients, no roles.
 */
export interface RegisterEntry extends Omit<QualificationInfo, 'organisation'> {
  readonly id: string;
  readonly name: string;
  readonly senderCode: string | null;
}
