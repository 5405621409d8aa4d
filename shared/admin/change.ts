/**
 * Fields that all changes over the admin API share.
 */
import * as v from 'valibot';
import { OVERRIDE_AUTHORITIES_MAX } from '../limits/control.ts';
import { nameSchema, reasonSchema } from '../schemas.ts';

/**
 * Other authorities that the change acts for: it may change their lists and entries too. The request must name each
 * authority, so that nobody acts for another authority by accident.
 */
export const overrideAuthorities = v.optional(
  v.pipe(v.array(nameSchema), v.maxLength(OVERRIDE_AUTHORITIES_MAX)),
);

export interface ChangeDone {
  /** The `seq` at which the change is visible, in every verdict and in `/healthz`. */
  readonly seq: number;
}

export const removeSchema = v.strictObject({ reason: reasonSchema });
