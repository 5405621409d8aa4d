/**
 * What all changes over the admin API have in common.
 */
import * as v from 'valibot';
import { OVERRIDE_AUTHORITIES_MAX } from '../limits/control.ts';
import { nameSchema, reasonSchema } from '../schemas.ts';

/**
 * Other authorities that the change acts for: it may change their lists and entries too. Required by name, so that
 * it cannot happen by accident.
 */
export const overrideAuthorities = v.optional(
  v.pipe(v.array(nameSchema), v.maxLength(OVERRIDE_AUTHORITIES_MAX)),
);

export interface ChangeDone {
  /** The `seq` at which the change is visible, in every verdict and in `/healthz`. */
  readonly seq: number;
}

export const removeSchema = v.strictObject({ reason: reasonSchema });
