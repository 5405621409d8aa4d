/** Events of a registered number: its line was terminated, or ported to another carrier. */
import * as v from 'valibot';
import { NUMBER_TEXT_CHARS_MAX } from '../limits/registrations.ts';
import { reasonSchema, timeSchema } from '../schemas.ts';
import type { RegistrationState } from './registration.ts';

export const NUMBER_EVENTS = ['terminated', 'ported'] as const;
export type NumberEvent = (typeof NUMBER_EVENTS)[number];

/** `POST /v1/admin/registrations/number-events` */
export const numberEventSchema = v.strictObject({
  number: v.pipe(v.string(), v.maxLength(NUMBER_TEXT_CHARS_MAX)),
  event: v.picklist(NUMBER_EVENTS),
  /** When it happened; now if absent. */
  at: v.optional(timeSchema),
  reason: v.optional(reasonSchema),
});

/** A registration in force that has the number. */
export interface AffectedRegistration {
  readonly organisation: string;
  readonly id: string;
  /** State after the event. */
  readonly state: RegistrationState;
}

export interface NumberEventDone {
  readonly registrations: readonly AffectedRegistration[];
}

/** An event, as a store of registrations receives it. */
export interface NumberChange {
  readonly event: NumberEvent;
  /** ms since 1970. */
  readonly at: number;
  readonly numbers: readonly number[];
  /** The part of `numbers` that a list, or a live block, has as terminated. */
  readonly listed: readonly number[];
  /** The live block that has `listed`; null for a list, or if it is not known. */
  readonly operation: number | null;
}
